"""Real talks with times and languages, as a catalogue: what questions are asked of.

Talks that were published as text have no times: a word of theirs takes `WORD_MS`. The log of Apollo 13 is a session a
day. What little speech there is in German, French and Spanish is a session in each language.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

from archive.connection import transaction
from archive.index.passages import rebuild
from archive.sqlite import Database
from metadata.captions import Source, read_captions
from tests.archive.build import add_event, add_session, add_transcript, blank
from tests.corpus import CORPUS, DATA

WORD_MS = 400
"""How long a word takes: 150 words a minute."""
LANGUAGES = ("de", "fr", "es")
HEADER = re.compile(r"\A---\n(.*?)\n---\n", re.DOTALL)


class Segment(NamedTuple):
    """What was said from one time to another, milliseconds."""

    start_ms: int
    end_ms: int
    text: str


class Talk(NamedTuple):
    """A talk as it was published."""

    slug: str
    title: str
    people: tuple[str, ...]
    language: str
    segments: list[Segment]


def read_talks() -> Iterator[Talk]:
    """Yield every talk of the corpus, and the speech in other languages that lies beside it."""
    yield from map(_written, sorted(CORPUS.rglob("*.md")))
    for path in sorted(CORPUS.rglob("*.vtt")):
        title = path.stem.partition("-")[2].replace("-", " ")
        yield Talk(path.stem, title, ("Michael Kennedy", "Brian Okken"), "en", _captions(path))
    yield from _apollo()
    yield from map(_in_language, LANGUAGES)


def catalogue(talks: Iterable[Talk]) -> Database:
    """Return an indexed catalogue of some talks, in memory."""
    db = blank()
    event = add_event(db)
    with transaction(db):
        for talk in talks:
            session = add_session(db, event, talk.slug, talk.people, title=talk.title)
            number = add_transcript(db, session, [each.text for each in talk.segments], language=talk.language)
            db.conn.executemany(
                "UPDATE segment SET start_ms = ?, end_ms = ? WHERE transcript_id = ? AND position = ?",
                [(each.start_ms, each.end_ms, number, at) for at, each in enumerate(talk.segments)],
            )
            db.execute("UPDATE transcript SET duration_ms = ? WHERE id = ?", [talk.segments[-1].end_ms, number])
        rebuild(db)
    db.execute("ANALYZE")
    return db


def _written(path: Path) -> Talk:
    text = path.read_text(encoding="utf-8")
    header = HEADER.match(text)
    head, body = (header[1], text[header.end() :]) if header else ("", text)
    title = re.search(r"^title: *(.+)$", head, re.MULTILINE)
    people = re.search(r"^speakers:\n((?: +- .+\n?)+)", f"{head}\n", re.MULTILINE)
    names = tuple(line.strip(" -") for line in people[1].splitlines()) if people else ()
    slug = str(path.relative_to(CORPUS / "bitcointranscripts").with_suffix("")).replace("/", "-")
    sentences = [part for part in re.split(r"(?<=[.?!。])\s+|\n+", body) if part.strip(" #<>-")]
    language = "zh" if path.stem.endswith(".zh") else "en"
    return Talk(slug, title[1].strip("\"' ") if title else slug, names, language, _timed(sentences))


def _timed(sentences: list[str]) -> list[Segment]:
    ends = list(accumulate(WORD_MS * len(sentence.split()) for sentence in sentences))
    return [Segment(*each) for each in zip([0, *ends], ends, sentences, strict=False)]


def _captions(path: Path) -> list[Segment]:
    read = read_captions(path.read_bytes(), Source(name=path.name))
    return [Segment(each.start_ms, each.end_ms, each.text) for each in read.segments]


def _apollo() -> Iterator[Talk]:
    log = json.loads((CORPUS / "apollo-13-tecatg.min.json").read_text(encoding="utf-8"))
    days: defaultdict[int, list[Segment]] = defaultdict(list)
    for turn in log["transcript"]:
        day, hours, minutes, seconds = map(int, turn["ddhhmmss"].split(":"))
        start = max(((hours * 60 + minutes) * 60 + seconds) * 1000, days[day][-1].start_ms if days[day] else 0)
        days[day].append(Segment(start, start + max(WORD_MS * len(turn["text"].split()), WORD_MS), turn["text"]))
    for day, segments in days.items():
        yield Talk(f"apollo-13-day-{day + 1}", f"Apollo 13 air to ground, day {day + 1}", (), "en", segments)


def _in_language(language: str) -> Talk:
    segments = _captions(DATA / "captions" / f"wwa_captions_{language}.vtt")
    for path in sorted((DATA / "audio" / language).glob("*.ref.txt")):
        last = segments[-1].end_ms
        for each in _timed([part for part in re.split(r"(?<=[.?!])\s+|\n+", path.read_text("utf-8")) if part.strip()]):
            segments.append(Segment(each.start_ms + last, each.end_ms + last, each.text))
    return Talk(f"speech-{language}", f"Speech in {language}", (), language, segments)
