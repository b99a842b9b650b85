"""Do citations hold? Moments of real talks, cited and looked up again after all that may happen to a recording.

``python -m tests.bench.citations [--moments 500] [--json FILE]``

Moments of one to sixty words are cited from the talks of the corpus, as the site writes their addresses. Then each
recording is cut anew (its first 30 seconds are gone), heard by another model, corrected in places, half of which lie in
what was cited, and sessions and events are renamed. Another model is one that gets some of the words wrong, leaves some
out, adds some, and hears each a little earlier or later. A moment is right when it opens within a second of where its
first word is.
"""

from __future__ import annotations

import argparse
import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from archive.catalogue.corrections import correct_event, correct_session
from archive.catalogue.database import create_catalogue
from archive.catalogue.importing import apply_event
from archive.catalogue.provenance import supersede
from archive.catalogue.recordings import NewRecording, add_recording
from archive.catalogue.revisions import current_version, revise
from archive.catalogue.sessions import find_session
from archive.catalogue.transcripts import add_transcript
from archive.connection import transaction
from archive.publication.build import build
from archive.site.cited.addresses import address_of, parse
from archive.site.cited.resolving import Outcome, look_up, read_spoken
from archive.site.queries import Tombstone
from archive.site.session_page.page import TimeSpan
from archive.sqlite import sqlite3
from metadata.model import Event, Segment, Session, Transcript, Word
from metadata.revising import Edit, apply, timed_words, words_of
from tests.bench.talks import read_talks

WHEN = "2026-05-01T00:00:00Z"
NOW = datetime(2026, 5, 2, tzinfo=UTC)
CUT_MS = 30_000
LENGTHS = (1, 2, 3, 5, 8, 12, 20, 60)
WITHIN_MS = 1_000
EVENT = "talks"


class Moment(NamedTuple):
    """A moment that somebody cited: its address, and when it is said after the cut."""

    address: str
    expected_ms: int
    words: int


class Kept(NamedTuple):
    """What became of a moment."""

    moment: Moment
    outcome: Outcome | Tombstone | None
    seconds: float

    @property
    def off_ms(self) -> int:
        """How far from its place it opens."""
        found = self.outcome
        return abs(found.start_ms - self.moment.expected_ms) if isinstance(found, Outcome) else 10**9

    @property
    def state(self) -> str:
        return self.outcome.state if isinstance(self.outcome, Outcome) else "nowhere"


def transcripts(most: int = 25) -> list[Transcript]:
    """Return real talks as transcripts whose words have times."""
    found = []
    for talk in read_talks():
        if talk.language == "en" and len(talk.segments) > 100 and len(found) < most:
            segments = tuple(
                Segment(start_ms=each.start_ms, end_ms=each.end_ms, text=" ".join(each.text.split()))
                for each in talk.segments[:1500]
                if each.text.strip()
            )
            timed = tuple(
                Segment(start_ms=each.start_ms, end_ms=each.end_ms, text=each.text, words=tuple(timed_words(each)))
                for each in segments
            )
            last = timed[-1].end_ms
            found.append(Transcript(language="en", duration_ms=last, segments=timed, generator="one", kind="asr"))
    return found


def heard_again(first: Transcript, rng: random.Random, vocabulary: Sequence[str], *, wrong: float) -> Transcript:
    """Return what another model hears after the cut, of whose words a share is wrong."""
    segments = []
    for segment in first.segments:
        words: list[Word] = []
        for word in segment.words:
            shift = round(rng.gauss(0, 120)) - CUT_MS
            start, end = word.start_ms + shift, word.end_ms + shift
            chance = rng.random()
            if start < 0 or chance < wrong / 4:
                continue
            text = rng.choice(vocabulary) if chance < wrong * 3 / 4 else word.text
            words.append(Word(start_ms=start, end_ms=max(end, start + 1), text=text))
            if chance > 1 - wrong / 4:
                words.append(Word(start_ms=end, end_ms=end + 40, text=rng.choice(vocabulary)))
        words.sort(key=lambda each: each.start_ms)
        if words:
            text = " ".join(word.text for word in words)
            ends = max(word.end_ms for word in words)
            segments.append(Segment(start_ms=words[0].start_ms, end_ms=ends, text=text, words=tuple(words)))
    segments.sort(key=lambda each: each.start_ms)
    return Transcript(
        language="en", duration_ms=first.duration_ms - CUT_MS, segments=tuple(segments), generator="two", kind="asr"
    )


class Archive:
    """A catalogue of talks, and what is published of it."""

    def __init__(self, folder: Path, said: Sequence[Transcript]) -> None:
        self.folder = folder
        self.db = create_catalogue(folder / "catalogue.db")
        self.count = len(said)
        sessions = tuple(Session(slug=f"talk-{number}", title=f"Talk {number}") for number in range(len(said)))
        with transaction(self.db):
            apply_event(self.db, Event(slug=EVENT, title="Talks", sessions=sessions), decided_at=WHEN)
            for number, transcript in enumerate(said):
                add_transcript(self.db, self.add(number, "a"), transcript, created_at=WHEN)

    def session(self, number: int) -> int:
        return find_session(self.db, EVENT, f"talk-{number}").id

    def add(self, number: int, cut: str) -> int:
        """Add a recording of a talk."""
        recording = NewRecording(
            sha256=f"{number:063x}{cut}", kind="audio", duration_ms=None, bytes=1, media_type="audio/wav",
            suffix=".wav", streams="[]", original_name=f"{number}.wav",
        )  # fmt: skip
        return add_recording(self.db, recording, self.session(number), pulled_at=WHEN)

    def publish(self, name: str) -> sqlite3.Connection:
        built = build(self.folder / "catalogue.db", self.folder / name, default="public", now=NOW)
        conn = sqlite3.connect(f"file:{built.path}?mode=ro", uri=True)
        conn.row_factory = sqlite3.Row
        return conn

    def cut_and_hear_again(self, number: int, heard: Transcript) -> None:
        """Let another cut take the place of a talk's recording, and another model hear it."""
        [old] = self.db.execute(
            "SELECT id FROM recording WHERE session_id = ? AND superseded_by IS NULL", [self.session(number)]
        ).fetchone()
        with transaction(self.db):
            new = self.add(number, "b")
            supersede(self.db, old, new)
            add_transcript(self.db, new, heard, created_at=WHEN)

    def correct(self, number: int, edits: Sequence[Edit]) -> int:
        """Correct a talk's transcript, and return in how many places."""
        [recording] = self.db.execute(
            "SELECT id FROM recording WHERE session_id = ? AND superseded_by IS NULL", [self.session(number)]
        ).fetchone()
        version = current_version(self.db, recording)
        assert version is not None
        corrected, changes = apply(version.transcript, edits)
        with transaction(self.db):
            revise(self.db, version, corrected, changes, by="a person", at=WHEN)
        return len(changes)

    def rename(self) -> None:
        with transaction(self.db):
            correct_event(self.db, EVENT, {"title": "All talks, renamed"}, by="a person", at=WHEN)
            for number in range(self.count):
                named = {"title": f"Renamed talk {number}"}
                correct_session(self.db, EVENT, f"talk-{number}", named, by="a person", at=WHEN)


def cite(conn: sqlite3.Connection, rng: random.Random, count: int, talks: int) -> Iterator[Moment]:
    """Yield the addresses of moments, anywhere in the talks but in what will be cut off."""
    rows = conn.execute(
        "SELECT identity, transcript.id, version FROM session JOIN recording ON session_id = session.id"
        " JOIN transcript ON recording_id = recording.id ORDER BY session.id"
    ).fetchall()
    said = {row[1]: read_spoken(conn, row[1]) for row in rows}
    for number in range(count):
        identity, transcript, version = rows[number % talks]
        words = said[transcript]
        length = LENGTHS[number // talks % len(LENGTHS)]
        late = next(place for place, start in enumerate(words.starts) if start > CUT_MS + 3_000)
        first = rng.randrange(late, len(words.tokens) - length)
        first, end = words.whole(first, first + length)
        span = TimeSpan(words.starts[first], words.ends[end - 1])
        address = address_of(identity, version, words, span)
        yield Moment(address.path, words.starts[first] - CUT_MS, length)


def edits_near(
    moments: Sequence[Moment], said: Transcript, rng: random.Random, vocabulary: Sequence[str], count: int
) -> list[Edit]:
    """Return places to correct, every other one of them in a moment that was cited."""
    words = words_of(said)
    starts = [word.start_ms for segment in said.segments for word in timed_words(segment)]
    taken: set[int] = set()
    found = []
    while len(found) < count:
        if len(found) % 2 and moments:
            wanted = rng.choice(moments).expected_ms
            place = min(range(len(starts)), key=lambda each: abs(starts[each] - wanted)) + rng.randrange(3)
        else:
            place = rng.randrange(len(words))
        end = min(place + rng.randrange(1, 4), len(words))
        if place < end and not taken & set(range(place - 1, end + 1)):
            taken |= set(range(place, end))
            found.append(Edit(place, end, tuple(rng.choice(vocabulary) for _ in range(rng.randrange(1, 4)))))
    return sorted(found, key=lambda edit: edit.first)


def resolve_all(conn: sqlite3.Connection, moments: Sequence[Moment]) -> list[Kept]:
    """Return what becomes of moments."""
    kept = []
    for moment in moments:
        parts = urlsplit(moment.address)
        _, identity, version = parts.path.strip("/").split("/")
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        began = time.perf_counter()
        outcome = look_up(conn, parse(identity, version, lambda name, query=query: query.get(name, "")))  # type: ignore[misc]
        kept.append(Kept(moment, outcome, time.perf_counter() - began))
    return kept


def hold(folder: Path, *, count: int = 500, corrections: int = 200, wrong: float = 0.2, talks: int = 25) -> list[Kept]:
    """Cite moments, change everything, and return what becomes of them."""
    rng = random.Random(11)  # noqa: S311  # the same every time
    said = transcripts(talks)
    vocabulary = [word for transcript in said[:5] for word in words_of(transcript)]
    archive = Archive(folder, said)
    conn = archive.publish("before.db")
    moments = list(cite(conn, rng, count, len(said)))
    conn.close()
    done = 0
    for number, transcript in enumerate(said):
        heard = heard_again(transcript, rng, vocabulary, wrong=wrong)
        archive.cut_and_hear_again(number, heard)
        share = corrections // len(said)
        own = moments[number :: len(said)]
        done += archive.correct(number, edits_near(own, heard, rng, vocabulary, share))
    assert done == corrections // len(said) * len(said)
    archive.rename()
    after = archive.publish("after.db")
    kept = resolve_all(after, moments)
    after.close()
    archive.db.close()
    return kept


def figures(kept: Sequence[Kept]) -> dict[str, object]:
    """Return what became of moments, in figures."""
    right = [each for each in kept if each.off_ms <= WITHIN_MS]
    certain = [each for each in kept if each.state == "certain"]
    return {
        "moments": len(kept),
        "resolved": sum(each.state in {"certain", "uncertain"} for each in kept) / len(kept),
        "within a second": len(right) / len(kept),
        "certain": len(certain) / len(kept),
        "wrong and certain": sum(each.off_ms > WITHIN_MS for each in certain),
        "shown as cited": sum(bool(getattr(each.outcome, "as_cited", "")) for each in kept) / len(kept),
        "words changed": sum(bool(getattr(each.outcome, "differences", ())) for each in kept) / len(kept),
        "states": dict(Counter(each.state for each in kept)),
        "milliseconds each": round(1000 * sum(each.seconds for each in kept) / len(kept), 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--moments", type=int, default=500)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    told = {}
    for wrong in (0.1, 0.2, 0.35, 0.5):
        with tempfile.TemporaryDirectory() as folder:
            told[f"{wrong:.0%} of words wrong"] = figures(hold(Path(folder), count=options.moments, wrong=wrong))
        print(f"{wrong:.0%} of words wrong:", json.dumps(told[f"{wrong:.0%} of words wrong"]), flush=True)
    if options.json:
        options.json.write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
