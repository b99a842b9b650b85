"""Captions from files to transcripts of recordings, and back to files."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType

from archive.catalogue.recordings import read_recording, recordings_beginning, recordings_of, spoken_language
from archive.catalogue.sessions import SessionAddress
from archive.catalogue.speakers import label_transcript, with_names
from archive.catalogue.transcripts import (
    add_transcript,
    count_transcripts,
    heard_transcript,
    is_current,
    name_speakers,
    read_transcript,
    transcripts_of,
)
from archive.errors import UnknownSubjectError
from archive.publication.taking_back import keep_back
from archive.sqlite import Database
from metadata.captions import FORMATS, SUFFIXES, Source, read_captions, without_speakers, writer
from metadata.captions.align import LEAST_SHARED, align
from metadata.captions.names import parse_name
from metadata.errors import FormatError
from metadata.languages import UNDETERMINED, parse_language, primary, word_separator
from metadata.model import Transcript, TranscriptKind
from metadata.names import name_key
from metadata.times import format_clock
from pipelines.errors import ConfigError
from pipelines.exchange.reading_ahead import Read
from pipelines.media.files import SUFFIXES as MEDIA_SUFFIXES
from pipelines.sources.files import leads_out
from pipelines.storage.archive_folder import Context, timestamp
from pipelines.text import file_name

TOLERANCE_MS = 5_000
"""How far captions may begin after a recording's claimed end, which containers round."""


@dataclass(frozen=True, slots=True)
class Added:
    """What became of a file: the transcript, whether it is new and stands, and speakers that are people."""

    transcript: Transcript
    new: bool
    current: bool
    people: dict[str, str]


def add_captions(
    context: Context,
    data: bytes,
    name: str,
    recording: int,
    *,
    kind: TranscriptKind,
    language: str | None = None,
    spoken: str | None = None,
    parameters: Mapping[str, str] = MappingProxyType({}),
    read: Read = read_captions,
) -> Added:
    """Add a file of captions to a recording, as a version of its transcript. The caller owns the transaction.

    Captions in another language than the recording's are a translation, whatever ``kind`` says.

    Args:
        context: the archive.
        data: the whole file.
        name: its name, whose middle part may name the language: ``talk.de.vtt``.
        recording: the recording's id.
        kind: ``human`` if people made or checked them, else ``imported``.
        language: BCP-47, where somebody says so; else what the file says, its name, the session, or nobody.
        spoken: BCP-47 of what is said in the recording, where neither it nor its session says so.
        parameters: more to note of the transcript.
        read: what reads the file, where it may have been read already.

    Raises:
        MetadataError: no caption format, or the file breaks its format's rules; nothing is written.
    """
    declared = spoken_language(context.db, recording)
    spoken = parse_language(declared) if declared else spoken
    duration_ms = read_recording(context.db, recording).duration_ms
    source = Source(name=name, language=language or language_in(name), duration_ms=duration_ms)
    transcript = read(data, source)
    if transcript.language == UNDETERMINED:
        transcript = replace(transcript, language=spoken or context.config.transcribe.language or UNDETERMINED)
    _check(transcript, source)
    if transcript.generator == FORMATS["txt"].title:
        transcript = _aligned(context.db, recording, transcript, source)
    translated = spoken is not None and primary(transcript.language) not in {primary(spoken), UNDETERMINED}
    noted = {**transcript.parameters, **parameters}
    transcript = replace(transcript, kind="translation" if translated else kind, parameters=noted)
    before = count_transcripts(context.db)
    added = add_transcript(context.db, recording, transcript, created_at=timestamp())
    if transcript.kind != "human":
        keep_back(context.db, added, at=timestamp())
    new, current = count_transcripts(context.db) > before, is_current(context.db, added)
    label_transcript(context.db, recording, at=timestamp())
    return Added(transcript, new, current, name_speakers(context.db, recording))


def _aligned(db: Database, recording: int, text: Transcript, source: Source) -> Transcript:
    """Return a text with the times of what was heard, if that was in its language, and one with spaces."""
    heard = heard_transcript(db, recording)
    if heard is None or not word_separator(text.language):
        return text
    if primary(heard.language) not in {primary(text.language), UNDETERMINED}:
        return text
    aligned = align(text, heard)
    if aligned.shared < LEAST_SHARED and any(segment.words for segment in heard.segments):
        reason = f"only {aligned.shared:.0%} of its words were heard in the recording: is it another's?"
        raise FormatError(source.name, "", reason)
    return aligned.transcript


def language_in(name: str) -> str | None:
    """Return the language that a caption file's name says: ``talk.pt-BR.vtt`` → ``pt-BR``."""
    return parse_name(name, MEDIA_SUFFIXES).language


def _check(transcript: Transcript, source: Source) -> None:
    """Refuse captions that are none, or another recording's."""
    if not transcript.segments:
        raise FormatError(source.name, "", "there are no captions in it")
    last = transcript.segments[-1].start_ms
    if source.duration_ms is not None and last > source.duration_ms + TOLERANCE_MS:
        reason = f"its captions run to {format_clock(last)}, but the recording ends at"
        raise FormatError(source.name, "", f"{reason} {format_clock(source.duration_ms)}: is it another recording's?")


def beside(media: Path) -> list[Path]:
    """Return the files of captions that belong to a recording by their names (`metadata.captions.names`)."""
    wanted = name_key(media.stem)
    return [
        path
        for path in _caption_files(media.parent)
        if wanted in {name_key(path.stem), name_key(parse_name(path.name, MEDIA_SUFFIXES).stem)}
    ]


def passed_over(media: Path) -> list[Path]:
    """Return the files of captions whose names begin as a recording's and go on with what nobody understands."""
    others = {name_key(path.stem) for path in media.parent.iterdir() if path.suffix.lower() in MEDIA_SUFFIXES}
    taken = set(beside(media))
    return [
        path
        for path in _caption_files(media.parent)
        if name_key(path.stem).startswith(f"{name_key(media.stem)}.")
        and path not in taken
        and path.suffix.lower() != ".json"  # programs that fetch recordings leave other facts so
        and not {name_key(path.stem), name_key(parse_name(path.name, MEDIA_SUFFIXES).stem)} & others
    ]


def _caption_files(folder: Path) -> list[Path]:
    return sorted(
        path
        for path in folder.iterdir()
        if path.suffix.lower() in SUFFIXES and path.is_file() and not leads_out(path, folder)
    )


def find_recording(db: Database, sha256: str) -> int:
    """Return the id of the recording whose SHA-256 begins so.

    Raises:
        UnknownSubjectError: there is none.
        ConfigError: several do.
    """
    found = recordings_beginning(db, sha256)
    if len(found) > 1:
        raise ConfigError(f"several recordings begin with {sha256!r}: give more of it")
    if not found or not sha256:
        raise UnknownSubjectError("recording", sha256)
    return found[0]


def only_recording(db: Database, session: int, name: str) -> int:
    """Return the id of a session's recording: its floor's, where it has several.

    Raises:
        UnknownSubjectError: it has none.
        ConfigError: it has several.
    """
    here = recordings_of(db, session)
    floor = [each for each in here if each.role == "floor"] or here
    if not floor:
        raise UnknownSubjectError("recording", name)
    if len(floor) > 1:
        names = ", ".join(each.sha256[:12] for each in floor)
        raise ConfigError(f"session {name} has several recordings ({names}): choose one with --recording")
    return floor[0].id


def written(
    context: Context, session: SessionAddress, form: str, *, speakers: bool = True
) -> Iterator[tuple[str, str]]:
    """Yield file names and texts of a session's current transcripts, the main one first.

    Args:
        context: the archive.
        session: which.
        form: the format's name.
        speakers: whether they say who speaks: by name where a voice has one.
    """
    for number, each in enumerate(transcripts_of(context.db, session.id)):
        stem = session.slug if number == 0 else f"{session.slug}-{each.sha256[:8]}"
        transcript = read_transcript(context.db, each.id)
        said = with_names(context.db, each.recording, transcript) if speakers else without_speakers(transcript)
        yield file_name(stem, FORMATS[form].suffix), writer(form)(said)
