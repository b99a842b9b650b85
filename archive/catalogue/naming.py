"""Who a voice may be: proposals with their reasons, for a person to decide on.

Only people in the session's timetable are proposed, and nobody is named here. Three things speak for someone:

- the talk has one speaker, and one voice speaks for most of it;
- somebody says so: "our next speaker is …" before another voice begins, or "my name is …" in the voice itself;
- the voice is like one that a person has named in another session, where voiceprints are kept.

Where these disagree, or two voices would be one person for reasons of equal weight, nobody is proposed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from archive.catalogue.speakers import Voice, read_turns, voiceprints, voices_of
from archive.sqlite import Database
from metadata.names import name_key
from metadata.times import format_clock

SPEAKING = frozenset({"speaker", "reader", "author"})
"""Roles of which the only holder is the one who speaks most."""
MOST = 0.6
"""The part of all speech from which a voice is the talk's."""
MORE = 3
"""How many times as long it must speak as the next one."""
SOON_MS = 60_000
"""How long after an introduction who is introduced begins to speak."""
LONG_MS = 15_000
"""And for how long at least."""
ALIKE, APART, UNLIKE = 0.6, 0.15, 0.3
"""Cosine from which two voiceprints are likely one voice, by how much the next person's must be less, and below which
two are hardly one voice."""

OTHERS = (
    "next speaker is", "next speaker will be", "please welcome", "welcome to the stage", "give a warm welcome to",
    "like to introduce", "pleasure to introduce", "happy to introduce", "let me introduce", "hand over to",
    "handing over to", "over to", "the floor is yours", "give the floor to", "you have the floor", "we now hear from",
    "nächste rednerin ist", "nächster redner ist", "begrüßen sie", "begrüße", "übergebe an", "das wort hat",
    "accueillir", "je vous présente", "je donne la parole à", "la parole est à",
    "demos la bienvenida a", "les presento a", "le doy la palabra a", "tiene la palabra", "dou a palavra a",
    "apresento", "dare il benvenuto a", "do la parola a",
)  # fmt: skip
"""What is said, in lower case, before somebody else begins."""
SELVES = (
    "my name is", "i am", "i'm", "this is", "mein name ist", "ich bin", "ich heiße", "je m'appelle", "je suis",
    "me llamo", "mi nombre es", "soy", "meu nome é", "eu sou", "mi chiamo", "sono",
)  # fmt: skip
"""What is said, in lower case, before one's own name."""
NEAR = 60
"""Letters between such words and the name."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """Who a voice may be.

    Attributes:
        voice: its id.
        person: a slug.
        reason: a sentence for people.
        heard_ms: where what the reason tells can be heard, or None.
    """

    voice: int
    person: str
    name: str
    reason: str
    heard_ms: int | None = None


@dataclass(frozen=True, slots=True)
class _Person:
    slug: str
    name: str
    role: str


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
    voices = [voice for voice in voices_of(db, session) if voice.origin == "sound"]
    evidence = [*_alone(voices, people), *_introduced(db, voices, people)]
    prints = _Prints(db, session)
    found = _agreed([*evidence, *prints.alike(voices, people)])
    taken = {(voice.recording, voice.person) for voice in voices if voice.person}
    by_id = {voice.id: voice for voice in voices}
    return [
        each
        for each in found
        if by_id[each.voice].person is None
        and (by_id[each.voice].recording, each.person) not in taken
        and not prints.contradict(each)
    ]


def _agreed(evidence: Sequence[Proposal]) -> list[Proposal]:
    """Return what nothing speaks against: one person a voice, and one voice a person."""
    people: dict[int, set[str]] = {}
    voices: dict[str, set[int]] = {}
    for each in evidence:
        people.setdefault(each.voice, set()).add(each.person)
        voices.setdefault(each.person, set()).add(each.voice)
    found: dict[int, Proposal] = {}
    for each in evidence:
        if len(people[each.voice]) == len(voices[each.person]) == 1:
            found.setdefault(each.voice, each)
    return list(found.values())


def _alone(voices: Sequence[Voice], people: Sequence[_Person]) -> Iterator[Proposal]:
    """Propose the only speaker of the timetable for the voice that speaks most of each recording."""
    speakers = {person.slug: person for person in people if person.role in SPEAKING}
    if len(speakers) != 1:
        return
    [person] = speakers.values()
    for recording in dict.fromkeys(voice.recording for voice in voices):
        lengths = sorted(((v.talking_ms or 0, v.id) for v in voices if v.recording == recording), reverse=True)
        (longest, voice), total = lengths[0], sum(length for length, _ in lengths)
        second = lengths[1][0] if len(lengths) > 1 else 0
        if longest >= MOST * total > 0 and longest >= MORE * second:
            reason = f"speaks for {longest / total:.0%} of the time, and the timetable has one speaker"
            yield Proposal(voice, person.slug, person.name, reason)


def _introduced(db: Database, voices: Sequence[Voice], people: Sequence[_Person]) -> Iterator[Proposal]:
    """Propose who is introduced for the voice that begins then, and who tells their own name for that voice."""
    by_label = {(voice.recording, voice.label): voice for voice in voices}
    for recording in dict.fromkeys(voice.recording for voice in voices):
        turns = read_turns(db, recording)
        for start_ms, end_ms, text, label in _said(db, recording):
            speaker = label or next((t.label for t in turns if t.start_ms <= start_ms < t.end_ms), None)
            for person in people:
                quoted = _quoted(text, person.name, SELVES)
                if quoted and (voice := by_label.get((recording, speaker or ""))):
                    yield _heard(voice, person, f"says “{quoted}” at", start_ms)
                quoted = _quoted(text, person.name, OTHERS)
                following = next(
                    (t for t in turns if t.label != speaker and end_ms - 2_000 <= t.start_ms <= end_ms + SOON_MS
                     and t.end_ms - t.start_ms >= LONG_MS),
                    None,
                )  # fmt: skip
                if quoted and following and (voice := by_label.get((recording, following.label))):
                    yield _heard(voice, person, f"begins after “{quoted}” at", start_ms)


def _heard(voice: Voice, person: _Person, reason: str, at_ms: int) -> Proposal:
    return Proposal(voice.id, person.slug, person.name, f"{reason} {format_clock(at_ms)}", at_ms)


def _said(db: Database, recording: int) -> list[tuple[int, int, str, str | None]]:
    rows = db.execute(
        "SELECT start_ms, end_ms, text, label FROM segment JOIN transcript ON transcript.id = transcript_id"
        " LEFT JOIN speaker_tag ON speaker_tag.id = speaker_tag_id"
        " WHERE transcript.recording_id = ? AND is_current AND transcript.kind <> 'translation' AND flags = '[]'"
        " ORDER BY segment.position",
        [recording],
    )
    return [tuple(row) for row in rows.fetchall()]


def _quoted(text: str, name: str, openings: Sequence[str]) -> str | None:
    """Return the words from an opening to a name near behind it, or None."""
    lower, wanted = text.casefold(), name.casefold()
    for opening in openings:
        at = lower.find(opening)
        while at >= 0:
            begins = at == 0 or not lower[at - 1].isalnum()
            place = lower.find(wanted, at + len(opening), at + len(opening) + NEAR + len(wanted))
            own = openings is SELVES and name_key(lower[at + len(opening) : place]) != ""
            if begins and place >= 0 and not own:
                return text[at : place + len(name)] if len(lower) == len(text) else name
            at = lower.find(opening, at + 1)
    return None


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
