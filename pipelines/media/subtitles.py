"""Subtitles that a recording carries in its own file, beside pictures and sound.

What is text is written into files of WebVTT or ASS, for `pipelines.stages.captions` to take as it takes files beside
recordings. WebVTT of FFmpeg's would not say who speaks, which ASS does.
What is pictures of text (DVD, DVB, Blu-ray), or of a kind that FFmpeg does not decode, cannot be read, and is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Literal

import av
from av.codec.codec import UnknownCodecError

from metadata.errors import InvalidLanguageError
from metadata.languages import display_name, parse_language
from metadata.times import format_timestamp
from pipelines.errors import ItemError
from pipelines.media.files import MediaInfo, StreamInfo, write_streams

MOST_TRACKS = 64
"""How many of a recording's tracks of subtitles are read."""
MOST_BYTES = 16_000_000
"""The largest file of captions: more than a day of speech with a time for each word."""

Part = Literal["forced", "comment", "chapters"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subtitles:
    """A track of subtitles, written into a file of its own.

    Attributes:
        path: a file of WebVTT or ASS, whose name has the track's number and its language.
        codec: FFmpeg's name of what it was.
        language: BCP-47; None where the file does not say it.
        title: what the file calls the track.
        part: why it is no text of all that is said: ``forced`` has only what is said in other languages, and
            ``comment`` what others say of the recording. ``chapters`` are titles, which nobody says.
    """

    path: Path
    codec: str
    language: str | None = None
    title: str | None = None
    part: Part | None = None


@dataclass(frozen=True, slots=True)
class Extracted:
    """What became of a recording's subtitles.

    Attributes:
        files: what was read; of those that could stand for what is said, the one that fits best is last.
        spoken: BCP-47 language of the sound that is heard, if there are subtitles in it; else None.
        unread: what could not be read, and why, in words.
    """

    files: tuple[Subtitles, ...] = ()
    spoken: str | None = None
    unread: tuple[str, ...] = ()


def extract(path: Path, info: MediaInfo, folder: Path) -> Extracted:
    """Write each track of subtitles that is text into a file of a folder.

    Raises:
        DiskFullError: there is no room for them.
        ToolError: ffmpeg is missing.
    """
    tracks = [each for each in info.streams if each.type == "subtitle"]
    unread = [_unreadable(each) for each in tracks if not is_text(each.codec)]
    wanted = {
        f"s:{number}": _described(number, each, folder)
        for number, each in enumerate(tracks[:MOST_TRACKS])
        if is_text(each.codec)
    }
    unread += [f"{len(tracks) - MOST_TRACKS} of its {len(tracks)} tracks of subtitles are passed over"] * (
        len(tracks) > MOST_TRACKS
    )
    failed = _write(path, info, wanted)
    unread += [f"its subtitles {wanted[stream].path.stem} cannot be read: {why}" for stream, why in failed.items()]
    files = [each for stream, each in wanted.items() if stream not in failed]
    heard = parsed(info.heard.language) if info.heard else None
    spoken = heard if heard in {each.language for each in files if not each.part} else None
    marks = {
        wanted[f"s:{number}"].path: each.marks
        for number, each in enumerate(tracks[:MOST_TRACKS])
        if is_text(each.codec)
    }
    files.reverse()  # of several that are alike, the file's first is its best
    files.sort(key=lambda each: _fitness(each, marks[each.path], spoken))
    return Extracted((*_chapters(info, folder), *files), spoken, tuple(unread))


def _chapters(info: MediaInfo, folder: Path) -> Iterator[Subtitles]:
    """Write the chapters of a recording's container as WebVTT has them."""
    if not info.chapters:
        return
    cues = [
        f"{format_timestamp(start)} --> {format_timestamp(end)}\n{escape(title, quote=False)}\n"
        for start, end, title in sorted(info.chapters)
    ]
    path = folder / "chapters.vtt"
    path.write_text("\n".join(["WEBVTT", "Kind: chapters", "", *cues]), encoding="utf-8")
    yield Subtitles(path=path, codec="chapters", part="chapters")


def is_text(codec: str) -> bool:
    """Tell whether subtitles of a codec are text that FFmpeg reads."""
    try:
        return bool(av.Codec(codec, "r").text_sub)
    except UnknownCodecError:
        return False


def parsed(language: str | None) -> str | None:
    """Return the BCP-47 tag of what a recording's file says of a language; None where it says nothing that is known."""
    try:
        return parse_language(language) if language else None
    except InvalidLanguageError:
        return None


def _write(path: Path, info: MediaInfo, wanted: dict[str, Subtitles]) -> dict[str, str]:
    """Write tracks at once, or each by itself where that fails; return those that cannot be written, and why."""
    try:
        _write_all(path, info, wanted)
    except ItemError as error:
        if len(wanted) == 1:
            return dict.fromkeys(wanted, str(error))
        return {key: why for each in wanted.items() for key, why in _write(path, info, dict([each])).items()}
    return {}


def _write_all(path: Path, info: MediaInfo, wanted: dict[str, Subtitles]) -> None:
    if wanted:
        # FFmpeg knows the format by the name.
        write_streams(path, {stream: each.path for stream, each in wanted.items()}, info, fs=MOST_BYTES)


def _described(number: int, track: StreamInfo, folder: Path) -> Subtitles:
    language = parsed(track.language)
    suffix = "ass" if track.codec == "ass" else "vtt"
    name = f"subtitles-{number + 1}{f'.{language}' if language else ''}.{suffix}"
    return Subtitles(
        path=folder / name,
        codec=track.codec,
        language=language,
        title=track.title,
        part=_part(track.marks, track.title),
    )


def _part(marks: Sequence[str], title: str | None) -> Part | None:
    """Return what a track has a part of, by what is set in the file, or by its title where nobody set anything."""
    words = (title or "").casefold().replace("(", " ").replace(")", " ").replace("[", " ").replace("]", " ").split()
    if "forced" in marks or "forced" in words:
        return "forced"
    return "comment" if "comment" in marks or "commentary" in words else None


def _fitness(track: Subtitles, marks: Iterable[str], spoken: str | None) -> tuple[bool, bool, bool, bool]:
    """Return how well a track stands for what is said: whole, in its language, without sounds, and by default."""
    impaired = "hearing_impaired" in marks or "captions" in marks
    return track.part is None, track.language == spoken, not impaired, "default" in marks


def _unreadable(track: StreamInfo) -> str:
    language = parsed(track.language)
    which = f"its {display_name(language)} subtitles" if language else "its subtitles"
    why = "are pictures of text" if _is_pictures(track.codec) else "are of a kind that FFmpeg does not read here"
    return f"{which} ({track.codec}) {why}: captions in a file beside it would be taken"


def _is_pictures(codec: str) -> bool:
    try:
        return bool(av.Codec(codec, "r").bitmap_sub)
    except UnknownCodecError:
        return False
