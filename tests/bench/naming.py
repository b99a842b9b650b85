"""Who voices may be: how many proposals of names are right, on an event of 12 talks with known voices.

``python -m tests.bench.naming [--weights PATH] [--event first|second|third]``

Twelve people speak in an earlier event, each in a talk of their own, where their voices are named; they speak again, in
other words, in the 12 talks of the event: alone after a chair, in panels of two, and with questions from voices that
are in no programme. In two talks somebody else speaks instead. ``--event second`` is `tests.bench.naming_event`, which
no rule was tuned on: its voices are real, and its words are written. ``third`` is `tests.bench.naming_shapes`. Weak
proposals, for which the timetable alone speaks, are counted apart. A proposal is right where it names whom the voice
is. It is wrong where it names another, or anybody for a voice that is not in the programme.
"""

from __future__ import annotations

import argparse
import math
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial

import numpy as np

from archive.catalogue.importing import apply_event
from archive.catalogue.migrations import catalogue_migrations
from archive.catalogue.recordings import NewRecording, add_recording
from archive.catalogue.speakers import set_turns, voices_of
from archive.catalogue.transcripts import add_transcript
from archive.connection import transaction
from archive.sqlite import Database
from archive.voices.decisions import find_voice, name_voice
from archive.voices.naming import proposals
from metadata.model import Event, Person, Role, RoleName, Segment, Session, Transcript
from pipelines.media.samples import SAMPLE_RATE, AudioBlock
from pipelines.speakers.base import Diarizer
from pipelines.speakers.networks import NetworkDiarizer
from tests.bench.naming_event import FILES, NAMES, TALKS
from tests.bench.naming_event import Talk as Written
from tests.bench.naming_shapes import SHAPES
from tests.bench.sounds import LEVEL, VOICES, read_sound
from tests.corpus import DATA

PEOPLE = (
    "1688", "1998", "2033", "2414", "1089", "lj", "austen", "bush", "sonnet", "simplicissimus", "watson de",
    "fleurs fr",
)  # fmt: skip
CHAIRS = ("fleurs es", "watson pt")
STRANGERS = ("kennedy", "fleurs en", "fleurs zh", "watson fr", "1995", "fleurs ja")
NOW = "2026-01-01T00:00:00Z"
PAUSE = SAMPLE_RATE // 2


@dataclass(frozen=True, slots=True)
class Talk:
    """A talk: who is in its timetable, and who speaks, in order: a voice, and from and to which part of its sound.

    A part that ends after 1 begins again, so that it lasts. ``says`` is what is said in each.
    """

    slug: str
    people: tuple[tuple[str, RoleName], ...]
    spoken: tuple[tuple[str, float, float], ...]
    says: tuple[str, ...] = ()
    language: str = "en"


@dataclass(frozen=True, slots=True)
class Found:
    """A voice of a talk, whose it is, and who is proposed."""

    talk: str
    truth: str
    proposed: str | None
    weak: bool
    in_programme: bool

    @property
    def right(self) -> bool:
        """Whether who is proposed is whose voice it is."""
        return self.proposed == slug_of(self.truth)


def earlier() -> Iterator[Talk]:
    """Yield the talks in which each voice was named: the first half of its sound."""
    for name in (*PEOPLE, *CHAIRS):
        yield Talk(f"earlier-{slug_of(name)}", ((name, "speaker"),), ((name, 0, 0.5),))


def talks() -> Iterator[Talk]:
    """Yield the 12 talks."""
    for nth, name in enumerate(PEOPLE):
        chair, guest = CHAIRS[nth % 2], STRANGERS[nth % len(STRANGERS)]
        introduced = (chair, 0.5, 0.7)
        if nth in {3, 9}:  # the one who was to speak is ill
            yield Talk(f"talk-{nth}", ((name, "speaker"), (chair, "chair")), (introduced, (guest, 0, 1)))
        elif nth % 3 == 1:
            other = PEOPLE[(nth + 1) % len(PEOPLE)]
            both: tuple[tuple[str, RoleName], ...] = ((name, "panellist"), (other, "panellist"), (chair, "chair"))
            turns = ((name, 0.5, 0.75), (other, 0.5, 0.75), (name, 0.75, 1), (other, 0.75, 1))
            yield Talk(f"talk-{nth}", both, (introduced, *turns))
        else:
            asked = (guest, 0, 0.4)
            parts = ((name, 0.5, 0.85), asked, (name, 0.85, 1), (chair, 0.7, 0.9))
            yield Talk(f"talk-{nth}", ((name, "speaker"), (chair, "chair")), (introduced, *parts))


def second_earlier() -> Iterator[Talk]:
    """Yield the talks in which each voice of the other event was named."""
    for name in NAMES:
        yield Talk(f"earlier-{slug_of(name)}", ((name, "speaker"),), ((name, 0, 0.5),))


def written(talks: Sequence[Written]) -> Iterator[Talk]:
    """Yield the talks of an event whose words are written."""
    for talk in talks:
        spoken = []
        for part in talk.parts:
            half = len(_whole(part.voice)) / SAMPLE_RATE / 2
            spoken.append((part.voice, 0.5, 0.5 + part.seconds / half / 2))
        yield Talk(talk.slug, talk.people, tuple(spoken), tuple(part.says for part in talk.parts), talk.language)


def judged(diarizer: Diarizer, named: Sequence[Talk], asked: Sequence[Talk], *, voiceprints: bool) -> list[Found]:
    """Return what is proposed for every voice of some talks, after those of others were named by a person."""
    db = Database(memory=True)
    catalogue_migrations.apply(db)
    for talk in named:
        id_, truth = _hear(db, diarizer, talk, voiceprints=voiceprints)
        with transaction(db):
            for voice in voices_of(db, id_):
                name_voice(db, find_voice(db, id_, voice.label), slug_of(truth[voice.label]), by="bench", at=NOW)
    found = []
    for talk in asked:
        id_, truth = _hear(db, diarizer, talk, voiceprints=voiceprints)
        proposed = {each.voice: each for each in proposals(db, id_)}
        programme = {name for name, _ in talk.people}
        for voice in voices_of(db, id_):
            whose = truth[voice.label]
            assert voice.person is None, "nobody is named but by a person"
            its = proposed.get(voice.id)
            found.append(Found(talk.slug, whose, its and its.person, its is not None and its.weak, whose in programme))
    return found


def slug_of(name: str) -> str:
    """Return the slug of a person who is called as a voice is, in letters."""
    return "p-" + name.replace(" ", "-")


def _hear(db: Database, diarizer: Diarizer, talk: Talk, *, voiceprints: bool) -> tuple[int, dict[str, str]]:
    """Put a talk into the catalogue, hear it, and return its id and whose each voice is."""
    sound, turns = _made(talk)
    most = len(talk.people) + 8
    heard = diarizer.diarize(iter([sound]), most, lambda _done: None)
    people = tuple(
        Role(person=Person(name=NAMES.get(name, name), key=slug_of(name)), role=role) for name, role in talk.people
    )
    with transaction(db):
        event = Event(slug=talk.slug, title=talk.slug, sessions=(Session(slug="talk", title=talk.slug, people=people),))
        apply_event(db, event, decided_at=NOW)
        for name, _ in talk.people:  # an address of its own for each, whatever letters its name has
            db.execute("UPDATE person SET slug = ? WHERE name = ?", [slug_of(name), NAMES.get(name, name)])
        sql = "SELECT session.id FROM session JOIN event ON event.id = event_id WHERE event.slug = ?"
        id_ = int(db.execute(sql, [talk.slug]).fetchone()[0])
        recording = add_recording(
            db,
            NewRecording(
                sha256=f"{id_:064x}", kind="audio", duration_ms=len(sound) // 16, bytes=1, media_type="audio/wav",
                suffix=".wav", streams="[]", original_name=f"{talk.slug}.wav",
            ),
            id_,
            pulled_at=NOW,
        )  # fmt: skip
        if talk.says:
            add_transcript(db, recording, _transcript(talk, turns), created_at=NOW)
        prints = [np.asarray(vector, dtype="<f4").tobytes() for vector in heard.voices] if voiceprints else []
        labels = set_turns(db, recording, [(t.start_ms, t.end_ms, t.voice) for t in heard.turns], prints, at=NOW)
    shares: dict[str, dict[str, int]] = {label: {} for label in labels.values()}
    for turn in heard.turns:
        for name, start, end in turns:
            both = max(min(turn.end_ms, end) - max(turn.start_ms, start), 0)
            its = shares[labels[turn.voice]]
            its[name] = its.get(name, 0) + both
    return id_, {label: max(its, key=lambda name: its[name]) for label, its in shares.items()}


def _made(talk: Talk) -> tuple[AudioBlock, list[tuple[str, int, int]]]:
    blocks, turns, at = [], [], 0
    for name, first, last in talk.spoken:
        whole = _whole(name)
        places = np.arange(int(first * len(whole)), int(last * len(whole)))
        begin = int(first * len(whole))
        part = whole[begin + (places - begin) % (len(whole) - begin)]
        turns.append((name, at // 16, (at + len(part)) // 16))
        blocks += [part, np.zeros(PAUSE, dtype=np.float32)]
        at += len(part) + PAUSE
    noise = np.random.default_rng(len(talk.slug)).normal(size=at).astype(np.float32) * LEVEL * 0.02
    return np.concatenate(blocks) + noise, turns


def _transcript(talk: Talk, turns: Sequence[tuple[str, int, int]]) -> Transcript:
    """Return what is said in a talk: the sentences of a part one after another, as long as they have letters."""
    segments = []
    for (_, start, end), text in zip(turns, talk.says, strict=True):
        sentences = re.split(r"(?<=[.?!]) (?=[A-Z])", text)
        at = start
        for sentence in sentences:
            until = min(at + (end - start) * len(sentence) // len(text), end)
            segments.append(Segment(start_ms=at, end_ms=until, text=sentence))
            at = until
    return Transcript(language=talk.language, duration_ms=turns[-1][2], segments=tuple(segments))


@cache
def _whole(name: str) -> AudioBlock:
    sound = np.concatenate([read_sound(path) for path in sorted((DATA / "audio").glob((VOICES | FILES)[name]))])
    return np.asarray(sound * LEVEL / max(float(np.sqrt(np.mean(np.square(sound)))), 1e-6), dtype=np.float32)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print every voice and who is proposed, with and without voiceprints, and the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", default="")
    parser.add_argument("--event", choices=tuple(EVENTS), default="first")
    options = parser.parse_args(arguments)
    before, asked = EVENTS[options.event]
    diarizer = NetworkDiarizer(options.weights, threads=1)
    for voiceprints in (True, False):
        print("with voiceprints" if voiceprints else "without voiceprints")
        found = judged(diarizer, list(before()), list(asked()), voiceprints=voiceprints)
        for each in found:
            mark = "" if each.proposed is None else f"{'weak, ' * each.weak}{'right' if each.right else 'WRONG'}"
            print(f"  {each.talk:12} {each.truth:16} {each.proposed or '-':18} {mark}")
        known = [each for each in found if each.in_programme]
        print(f"  {len(known)} voices of the programme, {len(found) - len(known)} others")
        for what, weak in (("proposals", False), ("weak proposals", True)):
            made = [each for each in found if each.proposed and each.weak is weak]
            right, others = sum(each.right for each in made), sum(not each.in_programme for each in made)
            low, high = interval(right, len(made))
            print(f"  {len(made)} {what}, {right} right ({low:.0%} to {high:.0%}); {others} for others", flush=True)
    return 0


EVENTS: Mapping[str, tuple[Callable[[], Iterable[Talk]], Callable[[], Iterable[Talk]]]] = {
    "first": (earlier, talks),
    "second": (second_earlier, partial(written, TALKS)),
    "third": (second_earlier, partial(written, SHAPES)),
}
"""What was said before, and what is asked about, by the event."""


def interval(right: int, made: int) -> tuple[float, float]:
    """Return the 95% interval of a rate (Wilson, https://doi.org/10.1080/01621459.1927.10502953)."""
    if not made:
        return 0.0, 1.0
    z = 1.96
    rate, n = right / made, made
    middle, half = rate + z * z / (2 * n), z * math.sqrt(rate * (1 - rate) / n + z * z / (4 * n * n))
    return max((middle - half) / (1 + z * z / n), 0.0), min((middle + half) / (1 + z * z / n), 1.0)


if __name__ == "__main__":
    sys.exit(main())
