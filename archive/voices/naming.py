"""Who a voice may be: proposals with their reasons, for a person to decide on.

Only people in the session's timetable are proposed, and nobody is named here. Three things speak for someone:

- the talk has one speaker, and one voice speaks for most of it;
- somebody says so: "our next speaker is …" before another voice begins, or "my name is …" in the voice itself
  (`archive.voices.introductions`);
- the voice is like one that a person has named in another session, where voiceprints are kept.

Where these disagree, two voices would be one person, or the words say that somebody else speaks, nobody is proposed.
Who is thanked has spoken: that names nobody, and speaks for or against what is proposed. A proposal that the timetable
alone speaks for is weak: whoever stands in for a speaker without a word would be proposed, too.
What people refused is not proposed again. In the recording of an interpretation only interpreters speak.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from archive.catalogue.labelling import Turn, speaker_within
from archive.catalogue.speakers import Voice, read_turns, voiceprints, voices_of
from archive.sqlite import Database
from archive.voices.decisions import refusals
from archive.voices.introductions import Names, Somebody
from metadata.times import format_clock

SPEAKING = frozenset({"speaker", "reader", "author"})
"""Roles of which the only holder is the one who speaks most."""
INTERPRETING = frozenset({"interpreter"})
MOST = 0.6
"""The part of all speech from which a voice is the talk's."""
MORE = 3
"""How many times as long it must speak as the next one."""
SOON_MS = 60_000
"""How long after an introduction who is introduced begins to speak."""
LONG_MS = 15_000
"""And for how long at least."""
LABEL = 60
"""Characters of what captions call a voice."""
EARLY_MS = 2_000
"""How much before the introduction ends they may begin."""
PAUSE_MS = 30_000
"""After which what is said has nothing to do with what was said before."""
BRIEF_MS = 5_000
"""For how long another voice may have spoken by then."""
ALIKE, APART, UNLIKE = 0.6, 0.15, 0.3
"""Cosine from which two voiceprints are likely one voice, by how much the next person's must be less, and below which
two are hardly one voice."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """Who a voice may be.

    Attributes:
        voice: its id.
        person: a slug.
        reason: a sentence for people.
        heard_ms: where what the reason tells can be heard, or None.
        weak: whether the timetable alone speaks for it.
    """

    voice: int
    person: str
    name: str
    reason: str
    heard_ms: int | None = None
    weak: bool = False


class _Person(NamedTuple):
    slug: str
    name: str
    role: str


class _Said(NamedTuple):
    """What a voice says until another one speaks; ``starts`` is where its segments begin in the text, and when."""

    label: str | None
    text: str
    starts: tuple[tuple[int, int, int], ...]

    def heard(self, at: int) -> tuple[int, int]:
        """Return from when to when the segment lasts in which a character stands, in milliseconds."""
        _, start, end = self.starts[bisect_right(self.starts, at, key=lambda each: each[0]) - 1]
        return start, end


class _Words(NamedTuple):
    """What the words of a session tell.

    Attributes:
        evidence: who voices may be.
        thanked: who is thanked once a voice has spoken: the voice's id, and the slug.
        away: who does not speak.
        others: voices that are somebody else.
    """

    evidence: tuple[Proposal, ...] = ()
    thanked: frozenset[tuple[int, str]] = frozenset()
    away: frozenset[str] = frozenset()
    others: frozenset[int] = frozenset()


def proposals(db: Database, session: int) -> list[Proposal]:
    """Return who the unnamed voices of a session may be, at most one person a voice."""
    people = [
        _Person(*row)
        for row in db.execute(
            "SELECT slug, name, role FROM session_person JOIN person ON person.id = person_id"
            " WHERE session_id = ? ORDER BY position",
            [session],
        ).fetchall()
    ]
    every = voices_of(db, session)
    heard = [voice for voice in every if voice.origin == "sound"]
    translated = _interpretations(db, session)
    voices = [voice for voice in heard if voice.recording not in translated]
    words = _introduced(db, session, voices, people)
    alone = [
        *(each for each in _alone(voices, people, SPEAKING) if each.person not in words.away),
        *_alone([voice for voice in heard if voice.recording in translated], people, INTERPRETING),
    ]
    prints = _Prints(db, session)
    alike = prints.alike(voices, people)
    called = _called(every, people)
    by_id = {voice.id: voice for voice in every}
    likely = [each for each in alone if each.voice not in words.others]
    found = _agreed([*words.evidence, *called, *alike, *likely], words.thanked, by_id)
    taken = {(voice.recording, voice.person) for voice in every if voice.person}
    refused = refusals(db, session)
    return [
        each
        for each in found
        if by_id[each.voice].person is None
        and (by_id[each.voice].recording, each.person) not in taken
        and (each.voice, each.person) not in refused
        and not prints.contradict(each)
    ]


def _agreed(
    evidence: Sequence[Proposal], thanked: Collection[tuple[int, str]], by_id: Mapping[int, Voice]
) -> list[Proposal]:
    """Return what nothing speaks against: one person a voice, and one voice of a recording a person."""
    people: dict[int, set[str]] = {}
    voices: dict[tuple[int, str], set[int]] = {}
    for voice, person in [*((each.voice, each.person) for each in evidence), *thanked]:
        people.setdefault(voice, set()).add(person)
        voices.setdefault((by_id[voice].recording, person), set()).add(voice)
    found: dict[int, Proposal] = {}
    for each in evidence:
        if len(people[each.voice]) == len(voices[by_id[each.voice].recording, each.person]) == 1:
            found.setdefault(each.voice, each)
    return [replace(each, weak=each.weak and (each.voice, each.person) not in thanked) for each in found.values()]


def _interpretations(db: Database, session: int) -> set[int]:
    rows = db.execute("SELECT id FROM recording WHERE session_id = ? AND role = 'interpretation'", [session])
    return {row[0] for row in rows.fetchall()}


def _alone(voices: Sequence[Voice], people: Sequence[_Person], roles: frozenset[str]) -> Iterator[Proposal]:
    """Propose the only holder of some roles in the timetable for the voice that speaks most of each recording."""
    speakers = {person.slug: person for person in people if person.role in roles}
    if len(speakers) != 1:
        return
    [person] = speakers.values()
    for recording in dict.fromkeys(voice.recording for voice in voices):
        lengths = sorted(((v.talking_ms or 0, v.id) for v in voices if v.recording == recording), reverse=True)
        (longest, voice), total = lengths[0], sum(length for length, _ in lengths)
        second = lengths[1][0] if len(lengths) > 1 else 0
        if longest >= MOST * total > 0 and longest >= MORE * second:
            whom = "interpreter" if roles is INTERPRETING else "speaker"
            reason = f"speaks for {longest / total:.0%} of the time, and the timetable has one {whom}"
            yield Proposal(voice, person.slug, person.name, reason, weak=True)


def _called(voices: Sequence[Voice], people: Sequence[_Person]) -> Iterator[Proposal]:
    """Propose people for voices that captions call nearly as the timetable calls them."""
    names = Names([Somebody(person.slug, person.name) for person in people])
    by_slug = {person.slug: person for person in people}
    for voice in voices:
        if voice.origin == "captions" and (slug := names.called(voice.label)):
            person = by_slug[slug]
            yield Proposal(voice.id, slug, person.name, f"is called “{voice.label[:LABEL]}” in the captions")


def _introduced(db: Database, session: int, voices: Sequence[Voice], people: Sequence[_Person]) -> _Words:
    """Return what the words tell: who is introduced before another voice begins, and who a voice says that it is."""
    others = db.execute(
        "SELECT DISTINCT name FROM person JOIN session_person ON person_id = person.id JOIN session"
        " ON session.id = session_id WHERE event_id = (SELECT event_id FROM session WHERE id = :id)"
        " AND person_id NOT IN (SELECT person_id FROM session_person WHERE session_id = :id)",
        {"id": session},
    ).fetchall()
    by_slug = {person.slug: person for person in people}
    names = Names([Somebody(person.slug, person.name) for person in by_slug.values()], [row[0] for row in others])
    by_label = {(voice.recording, voice.label): voice for voice in voices}
    evidence: list[Proposal] = []
    thanked: set[tuple[int, str]] = set()
    away: set[str] = set()
    strangers: set[int] = set()
    for recording in dict.fromkeys(voice.recording for voice in voices):
        turns = read_turns(db, recording)
        for said in _said(db, recording, turns):
            found = list(names.namings(said.text))
            away.update(each.person for each in found if each.what == "away" and each.person)
            introduced = {each.person for each in found if each.what == "other"}
            for each in found:
                at_ms, end_ms = said.heard(each.start)[0], said.heard(each.end - 1)[1]
                if each.what == "self":
                    label, reason = said.label, "says “{}” at"
                elif each.what == "other" and len(introduced) == 1 and said.label is not None:
                    label, reason = _following(turns, said.label, end_ms), "begins after “{}” at"
                elif each.what == "thanks" and said.label is not None:
                    label, reason = _before(turns, said.label, at_ms), ""
                else:
                    continue
                voice = by_label.get((recording, label or ""))
                if voice is None:
                    continue
                if each.person is None:
                    strangers.add(voice.id)
                    continue
                if each.what == "thanks":
                    thanked.add((voice.id, each.person))
                    continue
                person, quoted = by_slug[each.person], said.text[each.start : each.end]
                reason = f"{reason.format(quoted)} {format_clock(at_ms)}"
                evidence.append(Proposal(voice.id, person.slug, person.name, reason, at_ms))
    return _Words(tuple(evidence), frozenset(thanked), frozenset(away), frozenset(strangers))


def _before(turns: Sequence[Turn], speaker: str, at_ms: int) -> str | None:
    """Return the voice that spoke in the minute before a moment, if no other did for as long."""
    lengths: dict[str, int] = {}
    for turn in turns:
        both = min(turn.end_ms, at_ms) - max(turn.start_ms, at_ms - SOON_MS)
        if turn.label != speaker and both > 0:
            lengths[turn.label] = lengths.get(turn.label, 0) + both
    longest = max(lengths, key=lambda label: lengths[label], default=None)
    if longest is None or lengths[longest] < LONG_MS or sum(lengths.values()) - lengths[longest] >= BRIEF_MS:
        return None
    return longest


def _following(turns: Sequence[Turn], speaker: str, end_ms: int) -> str | None:
    """Return the voice that begins to speak soon after a moment, and goes on before anybody else does."""
    lengths: dict[str, int] = {}
    for turn in turns:
        if turn.label == speaker or turn.start_ms < end_ms - EARLY_MS or turn.end_ms <= end_ms:
            continue
        if not lengths and turn.start_ms > end_ms + SOON_MS:
            return None
        lengths[turn.label] = lengths.get(turn.label, 0) + turn.end_ms - turn.start_ms
        if lengths[turn.label] >= LONG_MS:
            return (
                turn.label
                if max((lengths[each] for each in lengths if each != turn.label), default=0) < BRIEF_MS
                else None
            )
        if turn.start_ms > end_ms + 2 * SOON_MS:
            return None
    return None


def _said(db: Database, recording: int, turns: Sequence[Turn]) -> list[_Said]:
    """Return what is said in a recording by turns: what nobody doubts."""
    rows = db.execute(
        "SELECT start_ms, end_ms, text, label FROM segment JOIN transcript ON transcript.id = transcript_id"
        " LEFT JOIN speaker_tag ON speaker_tag.id = speaker_tag_id"
        " WHERE transcript.recording_id = ? AND is_current AND transcript.kind <> 'translation' AND flags = '[]'"
        " ORDER BY segment.position",
        [recording],
    ).fetchall()
    runs: list[tuple[str | None, list[tuple[int, int, str]]]] = []
    for start, end, text, tagged in rows:
        label = tagged or speaker_within(turns, start, end)
        before = runs[-1][1][-1][1] if runs else 0
        if not runs or label != runs[-1][0] or _speaks_between(turns, label, before, start):
            runs.append((label, []))
        runs[-1][1].append((start, end, text))
    found = []
    for label, parts in runs:
        ends = [0, *accumulate(len(text) + 1 for _, _, text in parts)]
        starts = tuple((at, start, end) for at, (start, end, _) in zip(ends, parts, strict=False))
        found.append(_Said(label, " ".join(text for _, _, text in parts), starts))
    return found


def _speaks_between(turns: Sequence[Turn], label: str | None, start_ms: int, end_ms: int) -> bool:
    """Whether another voice speaks in a pause, or that is so long that it may as well."""
    return end_ms - start_ms > PAUSE_MS or any(
        turn.label != label and turn.start_ms < end_ms and turn.end_ms > start_ms for turn in turns
    )


class _Prints:
    """The voiceprints that are kept: those of named voices in other sessions, by person, and those of this one."""

    def __init__(self, db: Database, session: int) -> None:
        kept = {voice: np.frombuffer(vector, dtype="<f4") for voice, vector in voiceprints(db).items()}
        rows = db.execute(
            "SELECT speaker_tag.id, person.slug, session_id FROM speaker_tag JOIN recording"
            " ON recording.id = recording_id LEFT JOIN person ON person.id = person_id"
        ).fetchall()
        self.own = {voice: kept[voice] for voice, _, of in rows if voice in kept and of == session}
        self.named: dict[str, list[npt.NDArray[np.float32]]] = {}
        for voice, person, of in rows:
            if person and voice in kept and of != session:
                self.named.setdefault(person, []).append(kept[voice])

    def likeness(self, voice: int, person: str) -> float:
        """Return how like a voice is to the likest one of a person, or 0 where nothing is kept."""
        if voice not in self.own or person not in self.named:
            return 0.0
        return max(float(self.own[voice] @ other) for other in self.named[person])

    def alike(self, voices: Sequence[Voice], people: Sequence[_Person]) -> Iterator[Proposal]:
        """Propose people of the session whose voices in other sessions are like these."""
        slugs = {person.slug: person for person in people}
        for voice in voices:
            if voice.id not in self.own or not self.named:
                continue
            ranked = sorted(((self.likeness(voice.id, person), person) for person in self.named), reverse=True)
            best, person = ranked[0]
            second = ranked[1][0] if len(ranked) > 1 else 0.0
            if best >= ALIKE and best - second >= APART and person in slugs:
                reason = f"is like their voice in another session ({best:.0%})"
                yield Proposal(voice.id, person, slugs[person].name, reason)

    def contradict(self, proposal: Proposal) -> bool:
        """Tell whether the person's voice is known and is hardly this one, or this one is rather somebody else's."""
        if proposal.voice not in self.own:
            return False
        mine = self.likeness(proposal.voice, proposal.person)
        others = [self.likeness(proposal.voice, person) for person in self.named if person != proposal.person]
        known = proposal.person in self.named
        return (known and mine < UNLIKE) or max(others, default=0.0) >= max(ALIKE, mine + APART if known else 0.0)
