"""The chapters of a recording: those that somebody made, else the questions that were asked, else what is proposed.

Pages, search engines and podcast players all get the same.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from typing import Any, NamedTuple

from archive.site.session_page import recordings
from archive.site.session_page.chapters import Chapter, propose
from archive.site.session_page.questions import propose_questions
from archive.site.session_page.transcript import Line, paragraphs

QUESTIONS = "qa"
"""The kind of session whose chapters are its questions."""


class Division(NamedTuple):
    """A chapter with its end."""

    start_ms: int
    end_ms: int
    title: str


def chapters_of(
    conn: Any, recording: int, version: str, lines: tuple[Line, ...], *, kind: str, people: Collection[str]
) -> tuple[tuple[Chapter, ...], bool]:
    """Return the chapters of a recording, and whether somebody made them; none of a short one that nobody divided.

    Args:
        conn: the published database.
        recording: its id.
        version: of the transcript.
        lines: its segments; none where there is no transcript.
        kind: of the session.
        people: those with a part in it, by their slugs.
    """
    if made := recordings.made_chapters(conn, recording):
        return tuple(Chapter(start, title) for start, title in made), True
    if kind == QUESTIONS and (asked := propose_questions(paragraphs(lines, {}), set(people))):
        return asked, False
    return _proposed(version, lines), False


def divisions(
    conn: Any, sha256: str, duration_ms: int | None, whole: str, *, kind: str, people: Collection[str]
) -> tuple[tuple[Division, ...], bool]:
    """Return the chapters of a recording with their ends, and whether somebody made them, else they are proposed.

    There is one where nothing parts it, and none where nothing was said.

    Args:
        conn: the published database.
        sha256: the recording's.
        duration_ms: how long it is.
        whole: what the recording is called as a whole.
        kind: of the session.
        people: those with a part in it, by their slugs.
    """
    recording, transcript, version = recordings.current_transcript(conn, sha256)
    lines = recordings.lines(conn, transcript) if transcript else ()
    last = max(duration_ms or 0, max((line.end_ms for line in lines), default=0))
    found, made = chapters_of(conn, recording, version, lines, kind=kind, people=people)
    found = found or ((Chapter(0, whole),) if lines else ())
    if not found:
        return (), made
    ends = [*(each.start_ms for each in found[1:]), last]
    parts = tuple(
        Division(each.start_ms, end, each.title) for each, end in zip(found, ends, strict=True) if end > each.start_ms
    )
    return parts, made


@lru_cache(maxsize=64)
def _proposed(_version: str, lines: tuple[Line, ...]) -> tuple[Chapter, ...]:
    return propose(paragraphs(lines, {}))
