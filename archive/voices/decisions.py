"""What people say of voices: who they are, who they are not, which two are one, and what they are called.

Everything is noted with who said it and when, and the last of it can be taken back. What people said is never undone
by a machine, and what they refused is not proposed again. The caller owns the transaction in all that writes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from archive.catalogue.current import NOT_SUPERSEDED
from archive.catalogue.rows import touch
from archive.catalogue.speakers import (
    Voice,
    forget_voiceprints_of,
    label_transcript,
    parts_of,
    voice_in_part,
    voices_of,
)
from archive.errors import ArchiveError, UnknownSubjectError
from archive.sqlite import Database
from metadata.captions.prefixes import voice_label
from metadata.names import name_key


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody said of a voice.

    Attributes:
        what: ``named``, ``refused``, ``joined`` or ``called``.
        voice: the label that the voice has now.
        before: whom it was named before, which other voice it was, or what it was called.
        after: whom, which other voice, or what it is called; empty for nobody.
        undone_at: when it was taken back, ISO 8601; None while it holds.
    """

    what: str
    voice: str
    before: str
    after: str
    by: str
    at: str
    undone_at: str | None


class UnknownVoiceError(ArchiveError):
    """No voice of a session goes by this name, or several do.

    Attributes:
        label: as it was given.
        known: what the session's voices are called.
    """

    def __init__(self, label: str, known: Sequence[str], *, several: bool = False) -> None:
        here = ", ".join(known) or "none"
        super().__init__(
            f"several recordings of this session have a voice {label!r}: choose one with --recording"
            if several
            else f"no voice {label!r} in this session: there is {here}"
        )
        self.label = label
        self.known = tuple(known)


class SessionVoices(NamedTuple):
    """A session in whose recordings voices are known: how many, and how many of them nobody has named."""

    id: int
    label: str
    voices: int
    unnamed: int


def sessions_with_voices(db: Database) -> list[SessionVoices]:
    """Return the sessions in which anybody's voice is known, in order of time."""
    rows = db.execute(
        "SELECT session.id, event.slug || '/' || session.slug, count(*), count(*) - count(person_id) FROM speaker_tag"
        " JOIN recording ON recording.id = recording_id JOIN session ON session.id = session_id"
        f" JOIN event ON event.id = event_id WHERE {NOT_SUPERSEDED} AND (origin = 'captions' OR turns > 0)"
        " AND speaker_tag.id NOT IN (SELECT speaker_tag_id FROM joined_voice) GROUP BY session.id"
        " ORDER BY event.start_date, session.start_utc, session.position, session.id"
    )
    return [SessionVoices(*row) for row in rows.fetchall()]


def find_voice(db: Database, session: int, label: str, recording: int | None = None) -> Voice:
    """Return one of a session's voices by its label or its name, whatever the case.

    Args:
        db: the catalogue.
        session: its id.
        label: what the voice is called.
        recording: of several recordings, the id of the one that is meant.

    Raises:
        UnknownVoiceError: there is none, or there are several in several recordings.
    """
    wanted = name_key(label)
    voices = [each for each in voices_of(db, session) if recording in {None, each.recording}]
    found = [each for each in voices if name_key(each.label) == wanted] or [
        each for each in voices if name_key(each.name or "") == wanted
    ]
    if len(found) != 1:
        raise UnknownVoiceError(label, [each.label for each in voices], several=bool(found))
    return found[0]


def name_voice(db: Database, voice: Voice, person: str | None, *, by: str, at: str) -> None:
    """Note who a voice is, or that nobody knows it; the same voice in parts that were cut from its recording, too.

    Where somebody said otherwise of a part, that stays.

    Args:
        db: the catalogue.
        voice: which.
        person: the slug of someone in the catalogue, or None.
        by: who says so.
        at: when, ISO 8601.

    Raises:
        UnknownSubjectError: there is no such person.
    """
    _note(db, voice, "named", by, at, person=_person(db, person) if person else None)
    for recording in _name(db, voice.id, _person(db, person) if person else None, by, at):
        label_transcript(db, recording, at=at)
    touch(db)


def refuse(db: Database, voice: Voice, person: str, *, by: str, at: str) -> None:
    """Note that a voice is not somebody's: it is not proposed again.

    Raises:
        UnknownSubjectError: there is no such person.
    """
    _note(db, voice, "refused", by, at, person=_person(db, person))


def refusals(db: Database, session: int) -> set[tuple[int, str]]:
    """Return which voices of a session are not which people: the voice's id, and the slug."""
    rows = db.execute(
        "SELECT speaker_tag_id, slug FROM naming JOIN person ON person.id = naming.person_id"
        " JOIN speaker_tag ON speaker_tag.id = speaker_tag_id JOIN recording ON recording.id = recording_id"
        " WHERE what = 'refused' AND undone_at IS NULL AND session_id = ?",
        [session],
    )
    return {(row[0], row[1]) for row in rows.fetchall()}


def join_voices(db: Database, one: Voice, other: Voice, *, by: str, at: str) -> Voice:
    """Make two voices of a recording one, also when it is heard again, and return the one that stays.

    Where one of them has a name, that one stays; else the other.

    Raises:
        ArchiveError: they are of two recordings, are the same, or have two names.
    """
    if one.recording != other.recording:
        raise ArchiveError(f"{one.label} and {other.label} are of two recordings: name both to make them one person")
    if one.id == other.id:
        raise ArchiveError(f"{one.label} is that voice already")
    if one.person and other.person and one.person != other.person:
        raise ArchiveError(f"{one.label} is {one.name}, and {other.label} is {other.name}: unname one of them first")
    gone, stays = (other, one) if one.person and not other.person else (one, other)
    _note(db, gone, "joined", by, at, label=stays.label)
    db.execute("UPDATE joined_voice SET same_as = ? WHERE same_as = ?", [stays.id, gone.id])
    db.execute("INSERT INTO joined_voice(speaker_tag_id, same_as) VALUES (?, ?)", [gone.id, stays.id])
    label_transcript(db, stays.recording, at=at)
    touch(db)
    return stays


def call_voice(db: Database, voice: Voice, label: str, *, by: str, at: str) -> None:
    """Call a voice otherwise, as in "A student": this names nobody.

    Raises:
        ArchiveError: another voice of the recording is called so, or it says nothing.
    """
    wanted = voice_label(label)
    if wanted is None:
        raise ArchiveError(f"say what {voice.label} is called")
    rows = db.execute("SELECT label FROM speaker_tag WHERE recording_id = ? AND id <> ?", [voice.recording, voice.id])
    if name_key(wanted) in {name_key(row[0]) for row in rows.fetchall()}:
        raise ArchiveError(f"another voice is called {wanted} here: choose another word")
    _note(db, voice, "called", by, at, label=voice.label)
    db.execute("UPDATE speaker_tag SET label = ? WHERE id = ?", [wanted, voice.id])
    label_transcript(db, voice.recording, at=at)
    touch(db)


def undo(db: Database, session: int, *, by: str, at: str) -> Decision | None:
    """Take back the last thing that people said of a session's voices, and return it; None where nothing holds."""
    row = db.execute(
        "SELECT naming.id, speaker_tag_id, recording_id, what, person_before, label_before FROM naming"
        " JOIN speaker_tag ON speaker_tag.id = speaker_tag_id JOIN recording ON recording.id = recording_id"
        " WHERE session_id = ? AND undone_at IS NULL ORDER BY naming.id DESC LIMIT 1",
        [session],
    ).fetchone()
    if row is None:
        return None
    number, tag, recording, what, person, label = row
    changed = [recording]
    found = next(each for each in _decisions(db, "naming.id = ?", number))
    if what == "named":
        changed = _name(db, tag, person, by, at)
    elif what == "joined":
        db.execute("DELETE FROM joined_voice WHERE speaker_tag_id = ?", [tag])
    elif what == "called":
        db.execute("UPDATE speaker_tag SET label = ? WHERE id = ?", [label, tag])
    db.execute("UPDATE naming SET undone_by = ?, undone_at = ? WHERE id = ?", [by, at, number])
    for each in changed:
        label_transcript(db, each, at=at)
    touch(db)
    return found


def decisions_of(db: Database, session: int) -> list[Decision]:
    """Return everything that people said of a session's voices, the oldest first."""
    return _decisions(db, "session_id = ?", session)


def forget_person(db: Database, person: str, *, by: str, at: str) -> int:
    """Unname all voices of a person, and delete their voiceprints and what tells that they were named.

    Returns:
        How many voices they were.

    Raises:
        UnknownSubjectError: there is no such person.
    """
    number = _person(db, person)
    [(name,)] = db.execute("SELECT name FROM person WHERE id = ?", [number]).fetchall()
    forget_voiceprints_of(db, number)
    rows = db.execute(
        "UPDATE speaker_tag SET person_id = NULL, named_by = NULL, named_at = NULL WHERE person_id = ?"
        " RETURNING id, recording_id",
        [number],
    ).fetchall()
    db.execute("DELETE FROM naming WHERE person_id = ?", [number])
    db.execute("UPDATE naming SET person_before = NULL WHERE person_before = ?", [number])
    for tag, recording in rows:
        # That nobody is to be named stays: captions that come again with the name do not name the voice.
        db.execute(
            "INSERT INTO naming(speaker_tag_id, what, decided_by, decided_at) VALUES (?, 'named', ?, ?)", [tag, by, at]
        )
        db.execute("UPDATE attribution SET before = replace(before, ?, '') WHERE recording_id = ?", [name, recording])
    for recording in dict.fromkeys(recording for _, recording in rows):
        label_transcript(db, recording, at=at)
    touch(db)
    return len(rows)


def _decisions(db: Database, which: str, value: int) -> list[Decision]:
    rows = db.execute(
        "SELECT what, label, iif(what = 'called', label_before, coalesce(earlier.name, '')),"
        " CASE what WHEN 'joined' THEN label_before WHEN 'called' THEN label ELSE coalesce(person.name, '') END,"
        " decided_by, decided_at, undone_at FROM naming JOIN speaker_tag ON speaker_tag.id = naming.speaker_tag_id"
        " JOIN recording ON recording.id = recording_id LEFT JOIN person ON person.id = naming.person_id"
        f" LEFT JOIN person AS earlier ON earlier.id = person_before WHERE {which} ORDER BY naming.id",
        [value],
    )
    return [Decision(*row) for row in rows.fetchall()]


def _person(db: Database, slug: str) -> int:
    row = db.execute("SELECT id FROM person WHERE slug = ?", [slug]).fetchone()
    if row is None:
        raise UnknownSubjectError("person", slug)
    return int(row[0])


def _name(db: Database, tag: int, person: int | None, by: str, at: str) -> list[int]:
    """Name a voice, and the same one in parts of its recording, and return the recordings that are to be labelled."""
    before, recording = db.execute("SELECT person_id, recording_id FROM speaker_tag WHERE id = ?", [tag]).fetchone()
    voices = {recording: tag} | {part.recording: voice_in_part(db, tag, part) for part in parts_of(db, recording)}
    for each in voices.values():
        db.execute(
            "UPDATE speaker_tag SET person_id = ?, named_by = ?, named_at = ? WHERE id = ? AND person_id IS ?",
            [person, by if person else None, at if person else None, each, before],
        )
    return list(voices)


def _note(
    db: Database, voice: Voice, what: str, by: str, at: str, *, person: int | None = None, label: str | None = None
) -> None:
    db.execute(
        "INSERT INTO naming(speaker_tag_id, what, person_id, person_before, label_before, decided_by, decided_at)"
        " SELECT id, ?, ?, person_id, ?, ?, ? FROM speaker_tag WHERE id = ?",
        [what, person, label, by, at, voice.id],
    )
