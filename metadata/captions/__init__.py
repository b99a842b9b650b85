"""Captions and transcripts as files: one module a format, one registry (see `metadata.captions.base`)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePath

from metadata.captions import (
    ass,
    podcast_chapters,
    podcast_html,
    podcast_json,
    sbv,
    scc,
    srt,
    text,
    transcript_json,
    ttml,
    webvtt,
    whisper_json,
    whisper_tsv,
)
from metadata.captions.base import CaptionFormat, Reader, Source, Writer
from metadata.captions.prefixes import voice_label, without_speakers
from metadata.encodings import guessed_encoding
from metadata.errors import FormatError, UnknownFormatError
from metadata.model import Transcript

__all__ = [
    "FORMATS",
    "READERS",
    "SUFFIXES",
    "WRITERS",
    "CaptionFormat",
    "Source",
    "detect_format",
    "read_captions",
    "without_speakers",
    "writer",
]

FORMATS: dict[str, CaptionFormat] = {
    each.name: each
    for each in (
        webvtt.FORMAT,
        srt.FORMAT,
        ttml.FORMAT,
        ass.FORMAT,
        text.FORMAT,
        podcast_json.FORMAT,
        podcast_html.FORMAT,
        podcast_chapters.FORMAT,
        transcript_json.FORMAT,
        sbv.FORMAT,
        scc.FORMAT,
        whisper_json.FORMAT,
        whisper_tsv.FORMAT,
    )
}
"""Every format, by name, in the order in which readers are offered them."""

WRITERS: dict[str, Writer] = {name: each.write for name, each in FORMATS.items() if each.write}
"""Every format that a transcript can be written in."""

READERS: dict[str, Reader] = {name: each.read for name, each in FORMATS.items() if each.read}
"""Every format that is read."""


SUFFIXES: frozenset[str] = frozenset(
    PurePath(suffix).suffix or suffix
    for each in FORMATS.values()
    if each.read and each.detect
    for suffix in (each.suffix, *each.other_suffixes)
)
"""How the names of files end, with the dot, that are read as captions by what is in them."""


def writer(name: str) -> Writer:
    """Return the function that writes this format: ``vtt``, ``srt``, ``ttml`` and so on.

    Raises:
        UnknownFormatError: there is no such format.
    """
    try:
        return WRITERS[name]
    except KeyError:
        raise UnknownFormatError(name, tuple(sorted(WRITERS))) from None


def read_captions(data: bytes, source: Source) -> Transcript:
    """Return what a file of captions says, as a transcript of kind ``imported``.

    Args:
        data: the whole file: UTF-8, UTF-16 or UTF-32, with or without a mark; XML also in the encoding that it names.
        source: its name, and what is known of it.

    Raises:
        UnknownFormatError: no format reads this file, or several do.
        FormatError: it breaks its format's rules.
    """
    content = _decoded(data, source, "replace")
    name = detect_format(content, source.name)
    if "\ufffd" in content:
        content = _decoded(data, source, "surrogateescape" if FORMATS[name].cuts_characters else "strict")
    try:
        read = READERS[name](content, source)
    except RecursionError as error:
        raise FormatError(source.name, "", "its parts lie inside each other too deeply") from error
    if all(segment.speaker is None for segment in read.segments):
        return read
    segments = (replace(segment, speaker=voice_label(segment.speaker)) for segment in read.segments)
    return replace(read, segments=tuple(segments))


def detect_format(content: str, name: str) -> str:
    """Return the name of the one format that claims a file by its text; what ends in ``.txt`` may be any text.

    Raises:
        UnknownFormatError: none does, or several do.
    """
    suffix = PurePath(name).suffix.lower()
    claims = [each.name for each in FORMATS.values() if each.detect and each.detect(content)]
    named = [each for each in ("vtt", "srt", "ass", "sbv", "scc", "ttml", "txt") if FORMATS[each].suffix == suffix]
    # SRT has no mark of its own, so a file that is called something else is read as that, and its mistake named.
    if named and (not claims or (claims == ["srt"] and suffix != ".txt")):
        claims = named
    if len(claims) != 1:
        raise UnknownFormatError(name, tuple(claims or READERS))
    return claims[0]


def _decoded(data: bytes, source: Source, errors: str) -> str:
    encoding = guessed_encoding(data)
    try:
        # A mark of the byte order is no text, wherever joined files leave one (Unicode 16.0, section 23.8).
        return data.decode(encoding, errors).replace("\ufeff", "")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise FormatError(
            source.name, f"line {line}", f"not {encoding.upper()} text: save it in that encoding"
        ) from error
