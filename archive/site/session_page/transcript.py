"""A transcript as it is read: sentences in paragraphs by speaker, with what is found and what is pointed at marked."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from metadata.captions.cues import ends_sentence
from metadata.model import Flag

PAUSE_MS = 1_500
"""Silence that parts two paragraphs, if the first says enough to be one."""
LONG_PAUSE_MS = 4_000
"""Silence that parts them in any case."""
SHORT, LONG, LONGEST = 80, 500, 1_000
"""Characters: of a paragraph that no pause ends, of one that ends with its sentence, and of one that just ends."""
VOICES = 8
"""Colours that tell speakers apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One segment. ``speaker`` is a name or a label, ``person`` the slug where it is somebody of the catalogue.

    It is ``overlapped`` where others speak at the same time. Where it is ``redacted``, words were taken out here;
    ``text`` then says why, if the public may know.
    """

    position: int
    start_ms: int
    end_ms: int
    text: str
    language: str | None
    flags: tuple[str, ...]
    speaker: str | None
    person: str | None
    overlapped: bool = False
    redacted: bool = False


class Voice(NamedTuple):
    """Who speaks, and the number of their colour."""

    name: str
    person: str | None
    colour: int


class Piece(NamedTuple):
    """A part of a sentence: which hit it is of, counted from 1; whether a link points at it; whether it is doubtful."""

    text: str
    hit: int | None = None
    lit: bool = False
    unsure: bool = False


class Sentence(NamedTuple):
    """A segment and its text in pieces."""

    line: Line
    pieces: tuple[Piece, ...]


class Paragraph(NamedTuple):
    """Sentences that stand together.

    Attributes:
        voice: who speaks, where that is said and changes; None where it is as before.
        speaking: who speaks, also where it is as before.
        doubts: why all of it is doubtful; empty where it is not.
    """

    voice: Voice | None
    speaking: Voice | None
    doubts: tuple[str, ...]
    sentences: tuple[Sentence, ...]

    @property
    def redacted(self) -> bool:
        """Whether it stands where words were taken out."""
        return self.sentences[0].line.redacted

    @property
    def untranscribed(self) -> bool:
        """Whether it stands where somebody may speak and no word was understood."""
        return Flag.NOT_TRANSCRIBED in self.doubts

    @property
    def end_ms(self) -> int:
        """When it ends."""
        return self.sentences[-1].line.end_ms

    @property
    def start_ms(self) -> int:
        """When it begins."""
        return self.sentences[0].line.start_ms


class Mark(NamedTuple):
    """Characters of a segment's text: of a hit by its number, of what a link points at (`LIT`), or to be doubted."""

    start: int
    end: int
    hit: int


LIT, UNSURE = 0, -1
"""What stands in a mark for a number."""

Marks = Mapping[int, Sequence[Mark]]
"""By the position of the segment."""


def paragraphs(lines: Sequence[Line], marks: Marks) -> tuple[Paragraph, ...]:
    """Return a transcript's segments in paragraphs."""
    voices: dict[tuple[str, str | None], Voice] = {}
    found: list[Paragraph] = []
    for group in _groups(lines):
        first = group[0]
        speaking = None
        if first.speaker:
            key = (first.speaker, first.person)
            speaking = voices.setdefault(key, Voice(*key, len(voices) % VOICES + 1))
        same = bool(found) and found[-1].speaking == speaking
        sentences = tuple(Sentence(line, _pieces(line.text.strip(), _moved(line, marks))) for line in group)
        found.append(Paragraph(None if same else speaking, speaking, first.flags, sentences))
    return tuple(found)


def _groups(lines: Sequence[Line]) -> Iterator[list[Line]]:
    group: list[Line] = []
    size = 0
    for line in lines:
        if group and _parts(group[-1], line, size):
            yield group
            group, size = [], 0
        group.append(line)
        size += len(line.text)
    if group:
        yield group


def _parts(before: Line, line: Line, size: int) -> bool:
    """Whether a segment begins a new paragraph, given how many characters the one before has."""
    if line.redacted or before.redacted:
        return True
    if (before.speaker, before.person, before.flags) != (line.speaker, line.person, line.flags):
        return True
    pause = line.start_ms - before.end_ms
    if pause >= LONG_PAUSE_MS or (pause >= PAUSE_MS and size >= SHORT):
        return True
    return size >= LONGEST or (size >= LONG and ends_sentence(before.text))


def _moved(line: Line, marks: Marks) -> list[Mark]:
    """Return the marks of a segment as characters of its text without the spaces around it."""
    ahead = len(line.text) - len(line.text.lstrip())
    whole = len(line.text.strip())
    moved = [
        Mark(max(mark.start - ahead, 0), min(mark.end - ahead, whole), mark.hit)
        for mark in marks.get(line.position, ())
    ]
    return [mark for mark in moved if mark.start < mark.end]


def _pieces(text: str, marks: Sequence[Mark]) -> tuple[Piece, ...]:
    if not marks:
        return (Piece(text),)
    edges = sorted({0, len(text), *(mark.start for mark in marks), *(mark.end for mark in marks)})
    pieces = []
    for start, end in pairwise(edges):
        over = [mark.hit for mark in marks if mark.start <= start and end <= mark.end]
        hit = next((hit for hit in over if hit > 0), None)
        pieces.append(Piece(text[start:end], hit, LIT in over, UNSURE in over))
    return tuple(pieces)


def hit_marks(
    lines: Mapping[int, Line], hits: Iterable[tuple[Sequence[int], Sequence[tuple[int, int]]]], gap: str
) -> dict[int, list[Mark]]:
    """Return what is to be marked for hits, numbered from 1.

    Args:
        lines: the transcript's, by position.
        hits: of each the positions of its segments, and what matched as characters of their joined text.
        gap: what stands between the texts of segments that do not follow each other.
    """
    marks: dict[int, list[Mark]] = {}
    for nth, (positions, matches) in enumerate(hits, 1):
        at, before = 0, None
        for position in positions:
            if position not in lines:
                break
            if before is not None:
                at += 1 if position == before + 1 else len(gap)
            end = at + len(lines[position].text)
            marks.setdefault(position, []).extend(
                Mark(max(first, at) - at, min(last, end) - at, nth)
                for first, last in matches
                if first < end and last > at
            )
            at, before = end, position
    return marks


class PlacedWord(NamedTuple):
    """A word of a segment, with the characters of the segment's text that it is."""

    position: int
    start_ms: int
    end_ms: int
    start: int
    end: int


def place_words(lines: Mapping[int, Line], words: Iterable[tuple[int, int, int, str]]) -> Iterator[PlacedWord]:
    """Yield words with where they stand in the text of their segments; what stands nowhere is passed over.

    Args:
        lines: the transcript's, by position.
        words: position of the segment, start and end in milliseconds, and text, in order.
    """
    cursor: dict[int, int] = {}
    for position, start_ms, end_ms, text in words:
        line, word = lines.get(position), text.strip()
        at = line.text.find(word, cursor.get(position, 0)) if line and word else -1
        if at >= 0:
            cursor[position] = at + len(word)
            yield PlacedWord(position, start_ms, end_ms, at, at + len(word))


def lit_marks(lines: Iterable[Line], words: Iterable[PlacedWord], start_ms: int, end_ms: int) -> dict[int, list[Mark]]:
    """Return what is said from one time to another: words that have times, else segments of which it is the most."""
    spans: dict[int, list[PlacedWord]] = {}
    for word in words:
        spans.setdefault(word.position, []).append(word)
    marks: dict[int, list[Mark]] = {}
    for line in lines:
        if line.end_ms <= start_ms or line.start_ms >= end_ms:
            continue
        timed = spans.get(line.position)
        if timed is None:
            within = min(line.end_ms, end_ms) - max(line.start_ms, start_ms)
            if 2 * within >= min(line.end_ms - line.start_ms, end_ms - start_ms):
                marks[line.position] = [Mark(0, len(line.text), LIT)]
            continue
        said = [word for word in timed if word.start_ms < end_ms and word.end_ms > start_ms]
        if said:
            marks[line.position] = [Mark(said[0].start, said[-1].end, LIT)]
    return marks


def unsure_marks(
    lines: Mapping[int, Line], words: Sequence[tuple[int, int, int, str]], unsure: Container[tuple[int, int]]
) -> dict[int, list[Mark]]:
    """Return the words that a reader is warned of.

    Args:
        lines: the transcript's, by position.
        words: all of some segments, as for `place_words`.
        unsure: position of the segment and start of each word that is meant.
    """
    marks: dict[int, list[Mark]] = {}
    for word in place_words(lines, words):
        if (word.position, word.start_ms) in unsure:
            marks.setdefault(word.position, []).append(Mark(word.start, word.end, UNSURE))
    return marks
