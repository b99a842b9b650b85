"""Chapters of questions and answers that nobody made: proposed where somebody from the audience speaks.

A voice is of the stage if it is somebody of the timetable's, and where nobody of them has been told by voice, if it
speaks for the longest. All others are the audience's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from archive.site.session_page.chapters import Chapter
from archive.site.session_page.transcript import Line, Paragraph, Voice

LEAST_WORDS = 4
"""Of a turn of the audience: fewer are a thank-you."""
TITLE = 70
"""Characters of a chapter's name."""
_ASKS = tuple("?？؟")


class _Turn(NamedTuple):
    """What one voice says until another one speaks."""

    voice: Voice | None
    lines: tuple[Line, ...]

    @property
    def length_ms(self) -> int:
        return self.lines[-1].end_ms - self.lines[0].start_ms


def propose_questions(paragraphs: Sequence[Paragraph], people: Collection[str]) -> tuple[Chapter, ...]:
    """Return a chapter for each question and each interruption from the audience, in order.

    Args:
        paragraphs: the transcript.
        people: the slugs of those in the session's timetable.
    """
    turns = list(_turns(paragraphs))
    stage = _stage(turns, people)
    return tuple(
        Chapter(turn.lines[0].start_ms, _title(turn), "interruption" if _interrupts(turns, nth) else "question")
        for nth, turn in enumerate(turns)
        if turn.voice and turn.voice not in stage and sum(len(each.text.split()) for each in turn.lines) >= LEAST_WORDS
    )


def _turns(paragraphs: Sequence[Paragraph]) -> Iterator[_Turn]:
    trusted = (each for each in paragraphs if not each.doubts and not each.redacted)
    for voice, group in groupby(trusted, key=lambda each: each.speaking):
        yield _Turn(voice, tuple(sentence.line for each in group for sentence in each.sentences))


def _stage(turns: Sequence[_Turn], people: Collection[str]) -> set[Voice]:
    lengths: dict[Voice, int] = {}
    for turn in turns:
        if turn.voice:
            lengths[turn.voice] = lengths.get(turn.voice, 0) + turn.length_ms
    named = {voice for voice in lengths if voice.person in people}
    return named or set(sorted(lengths, key=lambda voice: -lengths[voice])[:1])


def _interrupts(turns: Sequence[_Turn], nth: int) -> bool:
    """Whether a turn begins while somebody speaks who goes on after it."""
    if not 0 < nth < len(turns) - 1 or turns[nth - 1].voice != turns[nth + 1].voice:
        return False
    return turns[nth].lines[0].overlapped or turns[nth - 1].lines[-1].overlapped


def _title(turn: _Turn) -> str:
    """Return the last sentence that asks, else the first one, cut at a word."""
    asked = [each.text.strip() for each in turn.lines if each.text.rstrip().endswith(_ASKS)]
    text = asked[-1] if asked else turn.lines[0].text.strip()
    return text if len(text) <= TITLE else text[:TITLE].rpartition(" ")[0].rstrip(" ,;:–") + "…"
