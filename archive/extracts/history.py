"""What was done to the sessions and recordings of an extract, from what the catalogue keeps of it."""

from __future__ import annotations

from collections.abc import Iterator

from archive.sqlite import Database
from metadata.premis import Happening, Licence
from metadata.times import format_clock

_CHOSEN = "recording_id IN chosen_recording"


def happenings(db: Database, *, everything: bool) -> Iterator[Happening]:
    """Yield what was done, kind by kind; what a database does not hold is passed over.

    Args:
        db: a catalogue or a published database, in which an extract was chosen (`archive.extracts.parts.choose`).
        everything: whether what was withdrawn and deleted is told: addresses, dates and names, and no content.
    """
    tables = set(db.table_names())
    yield from _ingestions(db, with_places="provenance" in tables)
    yield from _transcriptions(db)
    if "revision" in tables:
        yield from _corrections(db)
    if "decided_by" in {column.name for column in db["redaction"].columns}:
        yield from _redactions(db)
    if everything:
        yield from _taken_back(db)
        yield from _withdrawals(db)
        yield from _deletions(db)


def licences(db: Database) -> list[Licence]:
    """Return the licences of the recordings that were chosen, with the recordings' SHA-256."""
    rows = db.execute(
        "SELECT licence, coalesce(credit, ''), sha256 FROM recording WHERE id IN chosen_recording"
        " AND licence IS NOT NULL ORDER BY 1, 2, id"
    ).fetchall()
    found: dict[tuple[str, str], list[str]] = {}
    for licence, credit, sha256 in rows:
        found.setdefault((licence, credit), []).append(f"recording {sha256}")
    return [Licence(licence, credit, tuple(objects)) for (licence, credit), objects in found.items()]


def _ingestions(db: Database, *, with_places: bool) -> Iterator[Happening]:
    said = "SELECT sha256, place, provenance.pulled_at FROM provenance JOIN recording ON recording.id = recording_id"
    if with_places:
        for sha256, place, at in db.execute(f"{said} WHERE {_CHOSEN} ORDER BY provenance.id").fetchall():
            yield Happening("ingestion", at, f"taken into the archive from {place}", "rostra", _of(sha256), "", True)
    unsaid = "AND id NOT IN (SELECT recording_id FROM provenance)" if with_places else ""
    for sha256, at in db.execute(
        f"SELECT sha256, pulled_at FROM recording WHERE id IN chosen_recording {unsaid} ORDER BY id"
    ).fetchall():
        yield Happening("ingestion", at, "taken into the archive", "rostra", _of(sha256), "", True)


def _transcriptions(db: Database) -> Iterator[Happening]:
    rows = db.execute(
        "SELECT version, sha256, transcript.kind, transcript.language, generator, generator_version, created_at,"
        " parameters ->> '$.revises' FROM transcript JOIN recording ON recording.id = recording_id"
        f" WHERE {_CHOSEN} ORDER BY transcript.id"
    ).fetchall()
    for version, sha256, kind, language, generator, number, at, revises in rows:
        if revises is not None:
            continue  # which is a correction
        name = f"{generator} {number}".strip()
        objects = (f"transcript {version}", f"recording {sha256}")
        if kind == "translation":
            yield Happening("translation", at, f"translated into {language}", name, objects, "", True)
        else:
            how = {"asr": "heard by a machine", "human": "written by people"}.get(kind, "captions that came with it")
            yield Happening("transcription", at, f"{how}, in {language}", name, objects, "", True)


def _corrections(db: Database) -> Iterator[Happening]:
    for version, base, by, at, count in db.execute(
        "SELECT made.version, base.version, revised_by, revised_at, count(*) FROM revision"
        " JOIN transcript AS made ON made.id = transcript_id JOIN transcript AS base ON base.id = base_id"
        f" WHERE made.{_CHOSEN} GROUP BY 1, 2, 3, 4 ORDER BY min(revision.id)"
    ).fetchall():
        yield Happening("correction", at, f"{count} places of the transcript {base}", by, (f"transcript {version}",))
    for label, field, by, at in db.execute(
        "SELECT coalesce('event ' || event.slug, 'person ' || person.slug, 'session ' || whole.slug || '/' ||"
        " session.slug), field, corrected_by, corrected_at FROM correction LEFT JOIN event ON event.id ="
        " correction.event_id LEFT JOIN person ON person.id = correction.person_id LEFT JOIN session ON"
        " session.id = correction.session_id LEFT JOIN event AS whole ON whole.id = session.event_id WHERE"
        " correction.event_id IN chosen_event OR correction.session_id IN chosen_session"
        " OR correction.person_id IN chosen_person ORDER BY correction.id"
    ).fetchall():
        yield Happening("correction", at, f"{field} corrected by hand", by, (label,))


def _redactions(db: Database) -> Iterator[Happening]:
    for sha256, start, end, by, at, undone_by, undone_at in db.execute(
        "SELECT sha256, start_ms, end_ms, decided_by, decided_at, undone_by, undone_at FROM redaction"
        f" JOIN recording ON recording.id = recording_id WHERE {_CHOSEN} ORDER BY redaction.id"
    ).fetchall():
        span = f"{format_clock(start)}-{format_clock(end)}"
        yield Happening("redaction", at, f"{span} taken out of everything published", by, _of(sha256))
        if undone_at is not None:
            yield Happening("redaction", undone_at, f"{span} put back", undone_by or "", _of(sha256))


def _taken_back(db: Database) -> Iterator[Happening]:
    for version, start, end, by, at in db.execute(
        "SELECT version, start_ms, end_ms, taken_by, taken_at FROM taken_back"
        " JOIN transcript ON transcript.id = transcript_id"
        f" WHERE {_CHOSEN} ORDER BY taken_back.id"
    ).fetchall():
        span = f"{format_clock(start)}-{format_clock(end)}"
        yield Happening(
            "withdrawal", at, f"words of {span} taken back: no version has them", by, (f"transcript {version}",)
        )


def _withdrawals(db: Database) -> Iterator[Happening]:
    rows = db.execute(
        "SELECT coalesce('session ' || whole.slug || '/' || session.slug, 'recording ' || sha256), decided_by,"
        " decided_at FROM release LEFT JOIN session ON session.id = release.session_id LEFT JOIN event AS whole"
        " ON whole.id = session.event_id LEFT JOIN recording ON recording.id = release.recording_id"
        " WHERE state = 'withdrawn' AND (whole.id IN chosen_event OR recording.session_id IN chosen_session)"
        " UNION ALL SELECT 'event ' || event.slug || iif(track IS NULL, '', ', a track of it'), decided_by, decided_at"
        " FROM release_default JOIN event ON event.id = event_id WHERE state = 'withdrawn' AND event.id IN chosen_event"
        " ORDER BY 3, 1"
    ).fetchall()
    for label, by, at in rows:
        yield Happening("withdrawal", at, "taken back: it is not in this extract", by or "", (label,))


def _deletions(db: Database) -> Iterator[Happening]:
    rows = db.execute(
        "SELECT what, sha256, purged_by, purged_at FROM purge WHERE EXISTS (SELECT 1 FROM chosen_whole) ORDER BY id"
    ).fetchall()
    for what, sha256, by, at in rows:
        yield Happening("deletion", at, f"a {what} was deleted for good", by, _of(sha256) if sha256 else ())


def _of(sha256: str) -> tuple[str, ...]:
    return (f"recording {sha256}",)
