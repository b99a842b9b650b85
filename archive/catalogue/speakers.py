"""Voices in recordings, and the people whom somebody says they are.

A voice is a speaker tag: captions bring some by their labels, and the sound brings others, called "Voice 1" and so on.
A machine finds voices and proposes people; only a person names one. What people said stays when a recording is heard
again: a voice that speaks when a known one did is that one, with its label and its name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import msgspec
from msgspec import UNSET

from archive.catalogue.current import KEPT, NOT_SUPERSEDED
from archive.catalogue.labelling import NOBODY, Turn, labelled, latest, without
from archive.catalogue.recordings import FILE, NOT_CUT, WITH_SESSION, RecordingFile
from archive.catalogue.rows import touch
from archive.catalogue.transcripts import LABELS, REVISES, add_transcript, read_transcript
from archive.sqlite import Database
from metadata.model import Transcript
from metadata.names import name_key


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """A voice in a recording.

    Attributes:
        label: what it goes by in the recording.
        person: the slug of whom somebody said that it is, or None.
        name: theirs.
        origin: ``captions`` or ``sound``.
        turns: how often it begins to after another voice; None where nobody listened.
        longest: its longest turn, in milliseconds, to hear it by.
    """

    id: int
    recording: int
    label: str
    person: str | None
    name: str | None
    origin: str
    talking_ms: int | None
    turns: int | None
    longest: tuple[int, int] | None


class SilentRecording(NamedTuple):
    """A recording in which nobody knows who speaks, and how many people its timetable has."""

    file: RecordingFile
    people: int


def recordings_to_diarize(db: Database) -> list[SilentRecording]:
    """Return the recordings whose current transcript has no speakers from people or captions, in order.

    Those that nobody has transcribed yet are among them. One that was cut is heard in its parts.
    """
    rows = db.execute(
        f"SELECT {FILE}, (SELECT count(DISTINCT person_id) FROM session_person"
        " WHERE session_person.session_id = recording.session_id)"
        f" FROM {WITH_SESSION} WHERE {NOT_SUPERSEDED} AND {KEPT} AND {NOT_CUT} AND NOT EXISTS (SELECT 1 FROM transcript"
        " JOIN segment ON transcript_id = transcript.id JOIN speaker_tag ON speaker_tag.id = speaker_tag_id"
        " WHERE transcript.recording_id = recording.id AND is_current AND transcript.kind <> 'translation'"
        " AND speaker_tag.origin = 'captions')"
        " ORDER BY event.start_date, session.start_utc, session.position, recording.id"
    )
    return [SilentRecording(RecordingFile(*file), people) for *file, people in rows.fetchall()]


def set_turns(
    db: Database, recording: int, turns: Sequence[tuple[int, int, int]], vectors: Sequence[bytes] = (), *, at: str
) -> dict[int, str]:
    """Note who speaks when in a recording, in place of what was noted before, and label its transcript.

    The caller owns the transaction.

    Args:
        db: the catalogue.
        recording: its id.
        turns: beginning and end in milliseconds and the number of the voice, in order of their beginnings.
        vectors: a voiceprint for each voice, or nothing where voiceprints are not kept.
        at: when, ISO 8601.

    Returns:
        The label of each voice, by its number.
    """
    known = _sound_tags(db, recording)
    labels = _matched(turns, _heard_turns(db, recording))
    for voice in dict.fromkeys(voice for _, _, voice in turns):
        if voice not in labels:
            labels[voice], tag = add_voice(db, recording)
            known[labels[voice]] = tag
    db.execute(
        "DELETE FROM speaker_turn WHERE speaker_tag_id IN (SELECT id FROM speaker_tag WHERE recording_id = ?)",
        [recording],
    )
    db.conn.executemany(
        "INSERT INTO speaker_turn(speaker_tag_id, start_ms, end_ms) VALUES (?, ?, ?)",
        ((known[labels[voice]], start, end) for start, end, voice in turns),
    )
    _delete_voiceprints(db, "speaker_tag_id IN (SELECT id FROM speaker_tag WHERE recording_id = ?)", recording)
    for number, vector in enumerate(vectors):
        if number in labels:
            db.execute("INSERT INTO voiceprint(speaker_tag_id, vector) VALUES (?, ?)", [known[labels[number]], vector])
    label_transcript(db, recording, at=at)
    touch(db)
    return labels


def add_voice(db: Database, recording: int, label: str | None = None) -> tuple[str, int]:
    """Add a voice whom nobody knows to a recording, and return its label, a new one if none is given, and its id."""
    if label is None:
        taken = {each for (each,) in db.execute("SELECT label FROM speaker_tag WHERE recording_id = ?", [recording])}
        label = next(name for n in range(1, len(taken) + 2) if (name := f"Voice {n}") not in taken)
    cursor = db.execute(
        "INSERT INTO speaker_tag(recording_id, label, origin) VALUES (?, ?, 'sound')", [recording, label]
    )
    return label, int(cursor.lastrowid or 0)


def read_turns(db: Database, recording: int) -> list[Turn]:
    """Return who speaks when in a recording, in order; two voices that are one speak as that one."""
    root = joined(db, recording)
    return [turn._replace(label=root.get(turn.label, turn.label)) for turn in _heard_turns(db, recording)]


def read_said(db: Database, recording: int) -> list[Turn]:
    """Return whose words people said that they are: stretches of a recording in order, which do not overlap."""
    rows = db.execute(
        "SELECT start_ms, end_ms, coalesce(label, ?) FROM attribution"
        " LEFT JOIN speaker_tag ON speaker_tag.id = speaker_tag_id"
        " WHERE attribution.recording_id = ? AND undone_at IS NULL ORDER BY attribution.id",
        [NOBODY, recording],
    )
    root = joined(db, recording)
    return latest(Turn(start, end, root.get(label, label)) for start, end, label in rows.fetchall())


def joined(db: Database, recording: int) -> dict[str, str]:
    """Return the labels of a recording's voices that people joined with others, and the labels of those."""
    rows = db.execute(
        "SELECT one.label, other.label FROM joined_voice JOIN speaker_tag AS one ON one.id = speaker_tag_id"
        " JOIN speaker_tag AS other ON other.id = same_as WHERE one.recording_id = ?",
        [recording],
    )
    return dict(rows.fetchall())


def label_transcript(db: Database, recording: int, *, at: str) -> bool:
    """Give the segments of a recording's current transcript their voices, as a version of its own.

    What people said comes first, then the speakers that captions brought, then the sound. A recording with one voice
    that nobody has named is not labelled: to call the only speaker "Voice 1" tells nobody anything.

    Returns:
        Whether there is a new current version.
    """
    said, turns = read_said(db, recording), read_turns(db, recording)
    _sum_up(db, recording, [*without(turns, said), *said])
    found = db.execute(
        "SELECT id, version, parameters FROM transcript"
        " WHERE recording_id = ? AND is_current AND kind <> 'translation'",
        [recording],
    ).fetchone()
    heard, root = _sound_tags(db, recording), joined(db, recording)
    if found is None or (not (said or turns or heard or root) and LABELS not in msgspec.json.decode(found[2])):
        return False  # nobody has told any voices apart: to read all words would take as long as to add them
    current = read_transcript(db, found[0])
    version = str(current.parameters.get(LABELS, found[1]))
    base = _stored(db, recording, version) or current
    wanted = bare = _as_joined(_without_voices(base, heard), root)
    has_own = any(segment.speaker is not None for segment in bare.segments)
    if has_own or (len({turn.label for turn in turns}) < 2 and not _is_named(db, recording)):
        turns = []
    if turns or said:
        wanted = replace(bare, segments=labelled(bare.segments, turns, said))
    if wanted != base:
        wanted = replace(wanted, parameters={**base.parameters, LABELS: version})
    if wanted == current:
        return False
    add_transcript(db, recording, wanted, created_at=at)
    return True


def with_names(db: Database, recording: int, transcript: Transcript) -> Transcript:
    """Return a transcript whose voices go by the names of the people whom somebody said they are."""
    rows = db.execute(
        "SELECT label, name FROM speaker_tag JOIN person ON person.id = person_id WHERE recording_id = ?", [recording]
    )
    names = dict(rows.fetchall())
    return replace(
        transcript,
        segments=tuple(replace(each, speaker=names.get(each.speaker, each.speaker)) for each in transcript.segments),
    )


def voices_of(db: Database, session: int) -> list[Voice]:
    """Return the voices in a session's recordings that are current, those who speak most first."""
    rows = db.query(
        "SELECT speaker_tag.id, recording_id AS recording, label, person.slug AS person, person.name, origin,"
        " talking_ms, turns, (SELECT json_array(start_ms, end_ms) FROM speaker_turn"
        " WHERE speaker_tag_id = speaker_tag.id OR speaker_tag_id IN (SELECT speaker_tag_id FROM joined_voice"
        " WHERE same_as = speaker_tag.id) ORDER BY end_ms - start_ms DESC, start_ms LIMIT 1) AS longest"
        " FROM speaker_tag JOIN recording ON recording.id = recording_id"
        f" LEFT JOIN person ON person.id = person_id WHERE session_id = ? AND {NOT_SUPERSEDED}"
        " AND (origin = 'captions' OR turns > 0) AND speaker_tag.id NOT IN (SELECT speaker_tag_id FROM joined_voice)"
        " ORDER BY recording_id, talking_ms DESC, label",
        [session],
    )
    return [
        Voice(
            **{**row, "longest": msgspec.json.decode(row["longest"], type=tuple[int, int]) if row["longest"] else None}
        )
        for row in rows
    ]


def people_named(db: Database, name: str) -> list[str]:
    """Return the slugs of the people with a slug or a name, compared by `metadata.names.name_key`."""
    people = db.execute("SELECT slug, name FROM person ORDER BY slug").fetchall()
    return [slug for slug, called in people if slug == name] or [
        slug for slug, called in people if name_key(called) == name_key(name)
    ]


class Part(NamedTuple):
    """A recording that was cut from another: its id, and from when to when it lasts there, in milliseconds."""

    recording: int
    start_ms: int
    end_ms: int


def parts_of(db: Database, recording: int) -> list[Part]:
    """Return what was cut from a recording, and has taken over what was known of its voices."""
    rows = db.execute(
        "SELECT recording_id, cut_start_ms, cut_start_ms + coalesce(duration_ms, 0) FROM recording_source"
        f" JOIN recording ON recording.id = recording_id WHERE cut_from = ? AND {NOT_SUPERSEDED} ORDER BY cut_start_ms",
        [recording],
    )
    return [Part(*row) for row in rows.fetchall()]


def voice_in_part(db: Database, tag: int, part: Part) -> int | None:
    """Return the id of the voice in a part of a recording that is one of the whole's: most of the time, both speak."""
    row = db.execute(
        "SELECT theirs.speaker_tag_id, sum(max(min(ours.end_ms - :start, theirs.end_ms)"
        " - max(ours.start_ms - :start, theirs.start_ms), 0)) AS both FROM speaker_turn AS theirs JOIN speaker_tag"
        " ON speaker_tag.id = theirs.speaker_tag_id JOIN speaker_turn AS ours ON ours.start_ms - :start < theirs.end_ms"
        " AND ours.end_ms - :start > theirs.start_ms WHERE recording_id = :part AND ours.speaker_tag_id = :tag"
        " GROUP BY theirs.speaker_tag_id HAVING 2 * both >= (SELECT sum(end_ms - start_ms) FROM speaker_turn"
        " WHERE speaker_tag_id = theirs.speaker_tag_id) ORDER BY both DESC LIMIT 1",
        {"part": part.recording, "start": part.start_ms, "tag": tag},
    ).fetchone()
    if row is None:
        return None
    joined_with = db.execute("SELECT same_as FROM joined_voice WHERE speaker_tag_id = ?", [row[0]]).fetchone()
    return int((joined_with or row)[0])


def forget_voiceprints(db: Database) -> int:
    """Delete every voiceprint, and return how many there were. The caller owns the transaction."""
    return _delete_voiceprints(db, "1 OR speaker_tag_id = ?", 0)


def forget_voiceprints_of(db: Database, person: int) -> int:
    """Delete the voiceprints of a person's voices, and return how many there were. The caller owns the transaction."""
    return _delete_voiceprints(
        db,
        "speaker_tag_id IN (SELECT id FROM speaker_tag WHERE person_id = ?1 UNION SELECT joined_voice.speaker_tag_id"
        " FROM joined_voice JOIN speaker_tag ON speaker_tag.id = same_as WHERE person_id = ?1)",
        person,
    )


def _delete_voiceprints(db: Database, which: str, value: int) -> int:
    """Delete voiceprints so that their bytes are overwritten in the file, too.

    A page may hold more than its rows: of a row that was moved, the bytes are left behind, and no deletion of a row
    overwrites them. So the table is emptied, which overwrites whole pages, and what stays is written anew.

    Source: https://sqlite.org/pragma.html#pragma_secure_delete.
    """
    gone = int(db.execute(f"SELECT count(*) FROM voiceprint WHERE {which}", [value]).fetchone()[0])
    if not gone:
        return 0
    kept = db.execute(f"SELECT speaker_tag_id, vector FROM voiceprint WHERE NOT ({which})", [value]).fetchall()
    before = db.execute("PRAGMA secure_delete").fetchone()[0]
    db.execute("PRAGMA secure_delete = ON")
    try:
        db.execute("DELETE FROM voiceprint")
        db.conn.executemany("INSERT INTO voiceprint(speaker_tag_id, vector) VALUES (?, ?)", kept)
    finally:
        db.execute(f"PRAGMA secure_delete = {before}")
    return gone


def voiceprints(db: Database) -> Mapping[int, bytes]:
    """Return the voiceprints that are kept, by the id of their voice."""
    return dict(db.execute("SELECT speaker_tag_id, vector FROM voiceprint").fetchall())


def _heard_turns(db: Database, recording: int) -> list[Turn]:
    rows = db.execute(
        "SELECT start_ms, end_ms, label FROM speaker_turn JOIN speaker_tag ON speaker_tag.id = speaker_tag_id"
        " WHERE recording_id = ? ORDER BY start_ms, end_ms",
        [recording],
    )
    return [Turn(*row) for row in rows.fetchall()]


def _as_joined(transcript: Transcript, root: Mapping[str, str]) -> Transcript:
    """Return a transcript in which voices that are one speak as that one."""
    if not any(segment.speaker in root for segment in transcript.segments):
        return transcript
    segments = (
        replace(segment, speaker=root.get(segment.speaker or "", segment.speaker)) for segment in transcript.segments
    )
    return replace(transcript, segments=tuple(segments))


def _sound_tags(db: Database, recording: int) -> dict[str, int]:
    rows = db.execute("SELECT label, id FROM speaker_tag WHERE recording_id = ? AND origin = 'sound'", [recording])
    return dict(rows.fetchall())


def _matched(turns: Iterable[tuple[int, int, int]], before: Sequence[Turn]) -> dict[int, str]:
    """Return the labels of voices that were known before: for half of the time, they speak when a known one did."""
    shared: dict[tuple[int, str], int] = {}
    spoken: dict[int, int] = {}
    for start, end, voice in turns:
        spoken[voice] = spoken.get(voice, 0) + end - start
        for turn in before:
            if turn.start_ms >= end:
                break
            if turn.end_ms > start:
                both = min(turn.end_ms, end) - max(turn.start_ms, start)
                shared[voice, turn.label] = shared.get((voice, turn.label), 0) + both
    labels: dict[int, str] = {}
    for (voice, label), both in sorted(shared.items(), key=lambda each: -each[1]):
        if voice not in labels and label not in labels.values() and 2 * both >= spoken[voice]:
            labels[voice] = label
    return labels


def _sum_up(db: Database, recording: int, turns: Iterable[Turn]) -> None:
    """Note for how long and how often each voice of the sound speaks: a turn lasts until another voice speaks."""
    lengths, often, before = Counter[str](), Counter[str](), None
    for turn in sorted(turns, key=lambda each: each.start_ms):
        lengths[turn.label] += turn.end_ms - turn.start_ms
        often[turn.label] += turn.label != before
        before = turn.label
    db.conn.executemany(
        "UPDATE speaker_tag SET talking_ms = ?, turns = ? WHERE id = ?",
        [(lengths.get(label), often.get(label), tag) for label, tag in _sound_tags(db, recording).items()],
    )


def _stored(db: Database, recording: int, version: str) -> Transcript | None:
    row = db.execute(
        "SELECT id FROM transcript WHERE recording_id = ? AND version = ?", [recording, version]
    ).fetchone()
    return read_transcript(db, row[0]) if row else None


def _without_voices(transcript: Transcript, heard: Collection[str]) -> Transcript:
    """Return a transcript without the voices of the sound, as it is to be given them anew.

    They are in it where people corrected words after it had been given voices. Captions that call somebody what a
    voice is called mean what they say.
    """
    if REVISES not in transcript.parameters:
        return transcript
    segments = (
        replace(segment, speaker=None, overlapped=UNSET) if segment.speaker in heard else segment
        for segment in transcript.segments
    )
    return replace(transcript, segments=tuple(segments))


def _is_named(db: Database, recording: int) -> bool:
    return bool(
        db.execute(
            "SELECT EXISTS (SELECT 1 FROM speaker_tag WHERE recording_id = ? AND origin = 'sound'"
            " AND turns > 0 AND person_id IS NOT NULL)",
            [recording],
        ).fetchone()[0]
    )
