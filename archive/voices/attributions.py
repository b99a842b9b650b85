"""Whose words people said that they are: corrections of who speaks, in stretches of a recording.

They are kept by time and not by version, so that they hold when a recording is heard or transcribed again, and each can
be taken back. What the machine heard stays in the catalogue. The caller owns the transaction in all that writes.
"""

from __future__ import annotations

from dataclasses import dataclass

from archive.catalogue.rows import touch
from archive.catalogue.speakers import (
    Part,
    add_voice,
    label_transcript,
    parts_of,
    people_named,
    voice_in_part,
    with_names,
)
from archive.catalogue.transcripts import read_transcript
from archive.errors import UnknownSubjectError
from archive.sqlite import Database
from metadata.model import Segment, Transcript

NEW = "new"
"""What stands for a voice that is none of those that are known."""


@dataclass(frozen=True, slots=True)
class Attribution:
    """What somebody said of a stretch of a recording.

    Attributes:
        id: in the order in which they were made.
        start_ms, end_ms: in milliseconds.
        before: who spoke there until then, as names or labels; empty where nobody knew.
        after: whom they named; empty for nobody.
        by, at: who said so, and when, ISO 8601 UTC.
        undone_at: when it was taken back; None while it holds.
    """

    id: int
    start_ms: int
    end_ms: int
    before: str
    after: str
    by: str
    at: str
    undone_at: str | None


def attribute(db: Database, recording: int, span: tuple[int, int], who: str, *, by: str, at: str) -> Attribution:
    """Note whose words a stretch of a recording is, and of parts that were cut from it, and label transcripts anew.

    Args:
        db: the catalogue.
        recording: its id.
        span: from when to when, in milliseconds.
        who: a voice of the recording by its label, somebody by their name or slug, `NEW`, or empty for nobody.
        by: who says so.
        at: when, ISO 8601.

    Raises:
        UnknownSubjectError: there is no such voice or person, or there are several of that name.
    """
    tag = _voice(db, recording, who, by, at) if who else None
    before = ", ".join(dict.fromkeys(each.speaker for each in said_within(db, recording, span) if each.speaker))
    _note(db, recording, span, tag, before, by, at)
    label_transcript(db, recording, at=at)
    for part in parts_of(db, recording):
        start, end = max(span[0] - part.start_ms, 0), min(span[1], part.end_ms) - part.start_ms
        if start < end:
            its = None if tag is None else _in_part(db, tag, part, by, at)
            _note(db, part.recording, (start, end), its, before, by, at)
            label_transcript(db, part.recording, at=at)
    touch(db)
    return attributions(db, recording)[-1]


def _in_part(db: Database, tag: int, part: Part, by: str, at: str) -> int:
    """Return the id of a recording's voice in a part of it; where it does not speak there yet, it does now."""
    if (same := voice_in_part(db, tag, part)) is not None:
        return same
    label, person = db.execute(
        "SELECT label, slug FROM speaker_tag LEFT JOIN person ON person.id = person_id WHERE speaker_tag.id = ?", [tag]
    ).fetchone()
    if person:
        return _voice(db, part.recording, person, by, at)
    taken = "SELECT id, turns FROM speaker_tag WHERE recording_id = ? AND label = ?"
    found = db.execute(taken, [part.recording, label]).fetchone()
    # Another voice of the part may have got this label: one that speaks there, as this one does not.
    if found and found[1] is None:
        return int(found[0])
    return add_voice(db, part.recording, None if found else label)[1]


def take_back(db: Database, recording: int, *, by: str, at: str) -> Attribution | None:
    """Take back the last thing that people said of a recording, and return it; None where nothing holds.

    It is taken back of parts that were cut from it, too. What they changed in an edited transcript goes back with that:
    see `take_back_edited`.
    """
    row = db.execute(
        "UPDATE attribution SET undone_by = ?, undone_at = ? WHERE id = (SELECT max(id) FROM attribution"
        " WHERE recording_id = ? AND undone_at IS NULL AND transcript_id IS NULL)"
        " RETURNING id, attributed_by, attributed_at",
        [by, at, recording],
    ).fetchone()
    if row is None:
        return None
    label_transcript(db, recording, at=at)
    for part in parts_of(db, recording):
        undone = db.execute(
            "UPDATE attribution SET undone_by = ?, undone_at = ? WHERE recording_id = ? AND attributed_by = ?"
            " AND attributed_at = ? AND undone_at IS NULL AND transcript_id IS NULL",
            [by, at, part.recording, *row[1:]],
        )
        if undone.rowcount:
            label_transcript(db, part.recording, at=at)
    touch(db)
    return next(each for each in attributions(db, recording) if each.id == row[0])


def know_voices(db: Database, recording: int, transcript: Transcript) -> None:
    """Add voices for the speakers that people wrote into a transcript, so that they are not taken for captions'."""
    for label in dict.fromkeys(segment.speaker for segment in transcript.segments):
        if label is not None:
            db.execute(
                "INSERT OR IGNORE INTO speaker_tag(recording_id, label, origin) VALUES (?, ?, 'sound')",
                [recording, label],
            )


def note_edited(
    db: Database, recording: int, before: Transcript, edited: tuple[int, Transcript], *, by: str, at: str
) -> None:
    """Note the speakers that people changed in a transcript; the caller labels it then.

    Args:
        db: the catalogue.
        recording: its id.
        before: what they were given.
        edited: the id of what they made of it, and the transcript; `know_voices` knows its speakers.
        by: who did it.
        at: when, ISO 8601.
    """
    same = set(before.segments)
    for segment in edited[1].segments:
        span = segment.start_ms, max(segment.end_ms, segment.start_ms + 1)
        then = {each.speaker for each in before.segments if each.start_ms < span[1] and each.end_ms > span[0]}
        if segment not in same and then != {segment.speaker}:
            tag = _voice(db, recording, segment.speaker, by, at) if segment.speaker else None
            _note(db, recording, span, tag, ", ".join(sorted(filter(None, then))), by, at, edited[0])


def take_back_edited(db: Database, transcript: int, *, by: str, at: str) -> None:
    """Take back the speakers that people changed when they made a version of a transcript."""
    db.execute(
        "UPDATE attribution SET undone_by = ?, undone_at = ? WHERE transcript_id = ? AND undone_at IS NULL",
        [by, at, transcript],
    )


def attributions(db: Database, recording: int) -> list[Attribution]:
    """Return everything that people said of who speaks in a recording, the oldest first."""
    rows = db.execute(
        "SELECT attribution.id, start_ms, end_ms, before, coalesce(name, label, ''), attributed_by, attributed_at,"
        " undone_at FROM attribution LEFT JOIN speaker_tag ON speaker_tag.id = speaker_tag_id"
        " LEFT JOIN person ON person.id = person_id WHERE attribution.recording_id = ? ORDER BY attribution.id",
        [recording],
    )
    return [Attribution(*row) for row in rows.fetchall()]


def said_within(db: Database, recording: int, span: tuple[int, int]) -> list[Segment]:
    """Return the segments of a recording's current transcript that lie in a stretch, with the names of who speaks."""
    row = db.execute(
        "SELECT id FROM transcript WHERE recording_id = ? AND is_current AND kind <> 'translation'", [recording]
    ).fetchone()
    if row is None:
        return []
    named = with_names(db, recording, read_transcript(db, row[0]))
    return [each for each in named.segments if each.start_ms < span[1] and each.end_ms > span[0]]


def _note(
    db: Database,
    recording: int,
    span: tuple[int, int],
    tag: int | None,
    before: str,
    by: str,
    at: str,
    transcript: int | None = None,
) -> None:
    db.execute(
        "INSERT INTO attribution(recording_id, start_ms, end_ms, speaker_tag_id, transcript_id, before, attributed_by,"
        " attributed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [recording, *span, tag, transcript, before, by, at],
    )


def _voice(db: Database, recording: int, who: str, by: str, at: str) -> int:
    """Return the id of the voice that somebody means; a person who has none in the recording gets one."""
    wanted = who.casefold()
    voices = db.execute(
        "SELECT speaker_tag.id, label, name, slug FROM speaker_tag LEFT JOIN person ON person.id = person_id"
        " WHERE recording_id = ? ORDER BY turns IS NULL, talking_ms DESC, speaker_tag.id",
        [recording],
    ).fetchall()
    for tag, *names in voices:
        if wanted in {name.casefold() for name in names if name}:
            return int(tag)
    people = people_named(db, who)
    if len(people) != 1 and wanted != NEW:
        raise UnknownSubjectError("voice or person", who)
    _, tag = add_voice(db, recording)
    if people:
        db.execute(
            "UPDATE speaker_tag SET person_id = (SELECT id FROM person WHERE slug = ?), named_by = ?, named_at = ?"
            " WHERE id = ?",
            [people[0], by, at, tag],
        )
    return tag
