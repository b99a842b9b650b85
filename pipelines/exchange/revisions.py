"""Corrections of transcripts, from files and by hand, and what a later machine heard joined with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from archive.catalogue.revisions import (
    Version,
    corrected_id,
    current_version,
    newer_heard,
    revise,
    revisions,
    root_of,
    take_back,
)
from archive.catalogue.speakers import label_transcript
from archive.catalogue.transcripts import name_speakers
from archive.errors import UnknownSubjectError
from archive.publication.taking_back import take_words_back, versions_like
from archive.sqlite import Database
from archive.voices.attributions import know_voices, note_edited, take_back_edited
from metadata.captions import FORMATS, Source, detect_format, read_captions
from metadata.captions.align import LEAST_SHARED
from metadata.errors import FormatError
from metadata.model import Transcript, Word
from metadata.revising import Change, Edit, apply, edits, edits_of, merge, restructured, timed_words, words_of
from metadata.terms import terms
from metadata.times import format_clock
from pipelines.errors import ConfigError

NEAR_MS = 10_000
"""How far from the given moment words are looked for."""


@dataclass(frozen=True, slots=True)
class Corrected:
    """A transcript as people want it, what changes, and where a later machine's words gave way to theirs."""

    transcript: Transcript
    changes: tuple[Change, ...]
    conflicts: tuple[Change, ...] = ()


def current(db: Database, recording: int, label: str) -> Version:
    """Return the transcript of a recording that is to be corrected.

    Raises:
        UnknownSubjectError: it has none.
    """
    version = current_version(db, recording)
    if version is None:
        raise UnknownSubjectError("transcript", label)
    return version


def from_file(base: Transcript, data: bytes, name: str, named: Transcript) -> Corrected:
    """Return a transcript with what people changed in a file that was written from it.

    Of captions and text the words count alone. Our own JSON brings segments: their cuts, times and speakers too.

    Args:
        base: what is corrected.
        data: the file.
        name: the file's.
        named: what was written: the same transcript, with names for the labels of voices.

    Raises:
        FormatError: the file is of no format that is read, or of another recording.
    """
    source = Source(name=name, language=base.language, duration_ms=base.duration_ms)
    edited = read_captions(data, source)
    shown = words_of(edited)
    kept = len(words_of(base)) - sum(edit.end - edit.first for edit in edits(words_of(base), shown))
    if kept < LEAST_SHARED * max(len(shown), 1):
        raise FormatError(name, "", f"only {kept} of its {len(shown)} words are in the transcript: is it another's?")
    if detect_format(data.decode("utf-8", "replace"), name) == FORMATS["json"].name:
        return Corrected(*restructured(base, _with_labels(edited, base, named)))
    return Corrected(*apply(base, edits_of(base, edited)))


def at_moment(base: Transcript, at_ms: int, before: str, after: str) -> Corrected:
    """Return a transcript in which words near a moment are replaced.

    Raises:
        ConfigError: these words are not said there, or the correction names none.
    """
    wanted = before.split()
    if not wanted:
        raise ConfigError("say which words are wrong, with --from")
    words = words_of(base)
    starts = [word.start_ms for word in _words(base)]
    places = [
        first
        for first in range(len(words) - len(wanted) + 1)
        if [_bare(word) for word in words[first : first + len(wanted)]] == [_bare(word) for word in wanted]
        and abs(starts[first] - at_ms) <= NEAR_MS
    ]
    if not places:
        raise ConfigError(f"{before!r} is not said within 10 seconds of {format_clock(at_ms)}")
    first = min(places, key=lambda place: abs(starts[place] - at_ms))
    return Corrected(*apply(base, [Edit(first, first + len(wanted), tuple(after.split()))]))


def merged(db: Database, version: Version) -> tuple[Version, Corrected] | None:
    """Return what a machine heard later, with people's corrections made in it; None where nothing was heard later.

    Where the machine hears other words in a place that people corrected, theirs stand, and the place is told.
    """
    root = root_of(db, version)
    later = newer_heard(db, root)
    if later is None or later.id == version.id:
        return None
    base = words_of(root.transcript)
    ours = edits(base, words_of(version.transcript))
    theirs = edits(base, words_of(later.transcript))
    moved, conflicts = merge(base, ours, theirs)
    transcript, changes = apply(later.transcript, moved)
    return later, Corrected(transcript, changes, tuple(_conflict(root.transcript, *pair) for pair in conflicts))


def keep(
    db: Database, base: Version, corrected: Corrected, *, by: str, at: str, taking_back: bool = False
) -> Version | None:
    """Make a corrected transcript the current one; None where nothing changes. The caller owns the transaction.

    Args:
        db: the catalogue.
        base: what was corrected.
        corrected: what it is now.
        by: who corrected it.
        at: ISO 8601, UTC.
        taking_back: whether what stood there is to be in no version any more.
    """
    if not corrected.changes:
        return None
    before = versions_like(db, base.recording)
    know_voices(db, base.recording, corrected.transcript)
    name_speakers(db, base.recording)
    version = revise(db, base, corrected.transcript, corrected.changes, by=by, at=at)
    note_edited(db, base.recording, base.transcript, (version.id, version.transcript), by=by, at=at)
    label_transcript(db, base.recording, at=at)
    if taking_back:
        take_words_back(db, base, before, corrected.changes, by=by, at=at)
    return version


def undo(db: Database, version: Version, *, by: str, at: str) -> list[Change]:
    """Take the last correction of a transcript back, and return what that changes. The caller owns the transaction."""
    base = take_back(db, version, by=by, at=at)
    if base is None:
        return []
    take_back_edited(db, corrected_id(db, version), by=by, at=at)
    changes = [each.change for each in revisions(db, base)]
    label_transcript(db, version.recording, at=at)
    return changes


def _with_labels(edited: Transcript, base: Transcript, named: Transcript) -> Transcript:
    """Return a transcript with the labels of voices for the names that people were given."""
    pairs = list(zip(base.segments, named.segments, strict=True))
    known = {(shown.start_ms, shown.text, shown.speaker): segment.speaker for segment, shown in pairs}
    labels = {shown.speaker: segment.speaker for segment, shown in reversed(pairs)}
    segments = (
        replace(
            each, speaker=known.get((each.start_ms, each.text, each.speaker), labels.get(each.speaker, each.speaker))
        )
        for each in edited.segments
    )
    return replace(edited, segments=tuple(segments))


def _words(transcript: Transcript) -> list[Word]:
    """Return the words of a transcript with their times."""
    return [word for segment in transcript.segments for word in timed_words(segment)]


def _conflict(base: Transcript, ours: Edit, theirs: Edit) -> Change:
    words, times = words_of(base), _words(base)
    first, end = min(ours.first, theirs.first), max(ours.end, theirs.end)
    return Change(
        start_ms=times[min(first, len(times) - 1)].start_ms,
        end_ms=times[min(max(end - 1, first), len(times) - 1)].end_ms,
        before=_side(words, theirs, first, end),
        after=_side(words, ours, first, end),
    )


def _side(words: Sequence[str], edit: Edit, first: int, end: int) -> str:
    return " ".join([*words[first : edit.first], *edit.words, *words[edit.end : end]])


def _bare(word: str) -> str:
    return word.strip(".,;:!?…\"'()[]«»“”„‘’¿¡").casefold()


class CorrectedTerm(NamedTuple):
    """A name or a term that people wrote in corrections: how often, and in how many sessions."""

    term: str
    times: int
    sessions: int


def corrected_terms(
    replaced: Iterable[tuple[str, str, str, int | None]], glossary: Iterable[str]
) -> list[CorrectedTerm]:
    """Return the names and terms that people wrote and no glossary has, the most frequent first.

    What was put back as it was does not count.

    Args:
        replaced: words before and after, their language (BCP-47), and the session's id; see `corrected_words`.
        glossary: terms that are known.
    """
    known = {term.casefold() for term in glossary}
    times: Counter[str] = Counter()
    sessions: dict[str, set[int | None]] = {}
    for before, after, language, session in replaced:
        here, there = (_terms_of(text, language, beside=other) for text, other in ((after, before), (before, after)))
        times.update(here - there)
        times.subtract(there - here)
        for term in here - there:
            sessions.setdefault(term, set()).add(session)
    found = [CorrectedTerm(term, count, len(sessions[term])) for term, count in times.items() if count > 0]
    return sorted(
        (each for each in found if each.term.casefold() not in known), key=lambda each: (-each.times, each.term)
    )


def _terms_of(text: str, language: str, *, beside: str) -> set[str]:
    """Return the names and terms in a piece of a sentence; its first capital counts where the other has none."""
    inside = not beside[:1].isupper()
    return set(terms(f"so {text}" if inside else text, language))
