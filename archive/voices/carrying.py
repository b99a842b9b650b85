"""What is known of who speaks, carried from a recording to one that was cut from it or takes its place.

Voices go over with when they speak, so that whoever hears the other recording knows them again; with them go their
names, what was refused, and what people said of stretches. The whole keeps all of it, too.
"""

from __future__ import annotations

from archive.catalogue.rows import touch
from archive.catalogue.speakers import label_transcript
from archive.sqlite import Database

SAME_LENGTH_MS = 2_000
"""By how much two recordings of the same minutes may differ in length: others begin elsewhere, too."""


def carry_voices(db: Database, old: int, new: int, *, start_ms: int = 0, end_ms: int | None = None, at: str) -> None:
    """Let another recording know the voices of one, where it has no voices yet. The caller owns the transaction.

    Args:
        db: the catalogue.
        old: the recording whose voices are known.
        new: the other one.
        start_ms: where in the first it begins, in milliseconds.
        end_ms: where in the first it ends; None stands for its end.
        at: when, ISO 8601.
    """
    if db.execute("SELECT 1 FROM speaker_tag WHERE recording_id = ?", [new]).fetchone():
        return
    names = {"old": old, "new": new, "start": start_ms, "end": 1 << 62 if end_ms is None else end_ms, "at": at}
    for statement in _STATEMENTS:
        db.execute(statement, names)
    label_transcript(db, new, at=at)
    touch(db)


def carry_to_successor(db: Database, old: int, new: int, *, at: str) -> None:
    """Let a recording that takes another's place know its voices, if both are of the same minutes."""
    lengths = dict(db.execute("SELECT id, duration_ms FROM recording WHERE id IN (?, ?)", [old, new]).fetchall())
    if None not in lengths.values() and abs(lengths[old] - lengths[new]) <= SAME_LENGTH_MS:
        carry_voices(db, old, new, at=at)


_INSIDE = "start_ms < :end AND end_ms > :start"
_MOVED = "max(start_ms - :start, 0), min(end_ms, :end) - :start"
_ITS = (
    "(SELECT ours.id FROM speaker_tag AS theirs JOIN speaker_tag AS ours ON ours.label = theirs.label"
    " AND ours.recording_id = :new WHERE theirs.id = {})"
)
_CAPTIONED = (
    "segment JOIN transcript ON transcript.id = transcript_id JOIN speaker_tag ON speaker_tag.id = speaker_tag_id"
    " WHERE transcript.recording_id = :old AND is_current AND transcript.kind <> 'translation' AND origin = 'captions'"
)
"""What captions say that somebody says: it is when they speak."""
_STATEMENTS = (
    (
        "INSERT INTO speaker_tag(recording_id, label, origin, person_id, named_by, named_at)"
        " SELECT :new, label, 'sound', person_id, named_by, named_at FROM speaker_tag AS tag WHERE recording_id = :old"
        f" AND (EXISTS (SELECT 1 FROM speaker_turn WHERE speaker_tag_id = tag.id AND {_INSIDE})"
        " OR EXISTS (SELECT 1 FROM attribution WHERE speaker_tag_id = tag.id AND undone_at IS NULL"
        f" AND {_INSIDE}) OR EXISTS (SELECT 1 FROM joined_voice JOIN speaker_turn"
        f" ON speaker_turn.speaker_tag_id = joined_voice.speaker_tag_id WHERE same_as = tag.id AND {_INSIDE})"
        f" OR id IN (SELECT speaker_tag_id FROM {_CAPTIONED} AND {_INSIDE})) ORDER BY id"
    ),
    (
        f"INSERT INTO speaker_turn(speaker_tag_id, start_ms, end_ms) SELECT {_ITS.format('speaker_tag_id')}, {_MOVED}"
        f" FROM {_CAPTIONED} AND {_INSIDE} AND end_ms > start_ms ORDER BY segment.position"
    ),
    (
        f"INSERT INTO speaker_turn(speaker_tag_id, start_ms, end_ms) SELECT {_ITS.format('speaker_tag_id')}, {_MOVED}"
        " FROM speaker_turn JOIN speaker_tag ON speaker_tag.id = speaker_tag_id"
        f" WHERE recording_id = :old AND {_INSIDE} ORDER BY start_ms"
    ),
    (
        "INSERT INTO attribution(recording_id, start_ms, end_ms, speaker_tag_id, before, attributed_by, attributed_at)"
        f" SELECT :new, {_MOVED}, {_ITS.format('attribution.speaker_tag_id')}, before, attributed_by, attributed_at"
        f" FROM attribution WHERE recording_id = :old AND undone_at IS NULL AND {_INSIDE} ORDER BY id"
    ),
    (
        f"INSERT INTO joined_voice(speaker_tag_id, same_as) SELECT ours, root FROM (SELECT"
        f" {_ITS.format('speaker_tag_id')} AS ours, {_ITS.format('same_as')} AS root FROM joined_voice"
        " JOIN speaker_tag ON speaker_tag.id = speaker_tag_id WHERE recording_id = :old)"
        " WHERE ours IS NOT NULL AND root IS NOT NULL"
    ),
    (
        "INSERT INTO naming(speaker_tag_id, what, person_id, decided_by, decided_at) SELECT ours, 'refused', person,"
        f" decided_by, decided_at FROM (SELECT {_ITS.format('speaker_tag_id')} AS ours, naming.person_id AS person,"
        " decided_by, decided_at, naming.id AS nth FROM naming JOIN speaker_tag ON speaker_tag.id = speaker_tag_id"
        " WHERE recording_id = :old AND what = 'refused' AND undone_at IS NULL) WHERE ours IS NOT NULL ORDER BY nth"
    ),
)
