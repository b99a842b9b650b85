"""Which rows belong to a session, an event or an archive: one table, from which extracts are made.

What is withdrawn is in no extract, nor is a recording that holds minutes of what is withdrawn: the day's recording that
it was cut from, parts that were cut from it, and recordings that it took the place of. A table that is neither here nor
in `LEFT_OUT` makes a test fail.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from archive.errors import ArchiveError
from archive.publication.deciding import Subject
from archive.publication.releases import sessions
from archive.sqlite import Database
from metadata.model import ReleaseState

_E, _S, _R, _P = (f"{name}_id IN chosen_{name}" for name in ("event", "session", "recording", "person"))
_OF_TRANSCRIPT = f"transcript_id IN (SELECT id FROM transcript WHERE {_R})"
_OF_TAG = f"speaker_tag_id IN (SELECT id FROM speaker_tag WHERE {_R})"
_WHOLE = "EXISTS (SELECT 1 FROM chosen_whole)"
_PLACES = f"(SELECT place FROM provenance WHERE {_R})"


@dataclass(frozen=True, slots=True)
class Part:
    """What of a table belongs to an extract.

    Attributes:
        rows: a condition in SQL, which may use the temporary tables that `choose` fills.
        owners: the columns that say whose a row is; nothing where it stands for itself.
        key: the columns that tell a row from all others, in any archive; nothing where all of them do.
        other_key: columns that do so as well, where the first do not find it.
        ours: columns that say how things stand in one archive, and may differ in another.
        outward: columns that may refer to what is not in the extract, and then say nothing.
    """

    rows: str
    owners: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    other_key: tuple[str, ...] = ()
    ours: frozenset[str] = frozenset()
    outward: Mapping[str, str] = field(default_factory=dict)


PARTS: dict[str, Part] = {
    "series": Part(
        "id IN (SELECT series_id FROM event WHERE id IN chosen_event)"
        f" OR ({_WHOLE} AND id NOT IN (SELECT series_id FROM event WHERE series_id IS NOT NULL))",
        key=("slug",),
    ),
    "event": Part("id IN chosen_event", key=("slug",)),
    "event_language": Part(_E, ("event_id",)),
    # A place of which only others make use would tell of them.
    "place": Part(
        f"{_E} AND (id IN (SELECT place_id FROM session WHERE id IN chosen_session)"
        " OR id NOT IN (SELECT place_id FROM session WHERE place_id IS NOT NULL))",
        key=("event_id", "kind", "name", "city", "country"),
    ),
    # What names a session for good comes first, since addresses change. Extracts of older catalogues have none: it is
    # made of the first address when their rows are brought up to date, and may be another than here.
    "session": Part(
        "id IN chosen_session",
        key=("identity",),
        other_key=("event_id", "slug"),
        ours=frozenset({"updated_at", "identity"}),
    ),
    "person": Part("id IN chosen_person", key=("slug",)),
    "session_person": Part(_S, ("session_id",)),
    "portrait": Part(_P, ("person_id",)),
    "former_address": Part(f"{_E} OR {_S} OR {_P}", ("event_id", "session_id", "person_id"), ours=frozenset({"*"})),
    "person_source": Part(f"{_S} AND {_P}", ("session_id",)),
    "announcement": Part(_E, key=("event_id", "slug")),
    "attendance": Part(f"{_E} OR {_S}", ("event_id", "session_id")),
    "recording": Part(
        "id IN chosen_recording",
        key=("sha256",),
        outward={"superseded_by": "superseded_by IN chosen_recording"},
    ),
    "recording_source": Part(_R, ("recording_id",), outward={"cut_from": "cut_from IN chosen_recording"}),
    "expected_recording": Part(_S, ("session_id",)),
    "provenance": Part(_R, ("recording_id",)),
    "rendition": Part(f"{_R} AND kind IN chosen_rendition", ("recording_id",), ours=frozenset({"*"})),
    "external_id": Part(
        f"{_E} OR {_S} OR {_P} OR {_R}", ("event_id", "session_id", "person_id", "recording_id")
    ),
    "link": Part(f"{_E} OR {_S} OR {_P}", ("event_id", "session_id", "person_id")),
    "imported": Part(f"{_E} OR {_S} OR {_P}", ("event_id", "session_id", "person_id")),
    "correction": Part(f"{_E} OR {_S} OR {_P}", ("event_id", "session_id", "person_id")),
    "release": Part(f"{_S} OR {_R}", ("session_id", "recording_id")),
    "release_default": Part(_E, ("event_id",)),
    "redaction": Part(_R, ("recording_id",)),
    "transcript": Part(_R, key=("version",), ours=frozenset({"is_current"})),
    "speaker_tag": Part(_R, key=("recording_id", "label")),
    "meaning": Part(_OF_TRANSCRIPT, ("transcript_id",), ours=frozenset({"*"})),
    "attribution": Part(_R, ("recording_id",), outward={"transcript_id": "transcript_id IS NOT NULL"}),
    "speaker_turn": Part(_OF_TAG, ("speaker_tag_id",)),
    "joined_voice": Part(_OF_TAG, ("speaker_tag_id",)),
    "naming": Part(
        f"{_OF_TAG} AND (person_id IS NULL OR {_P})",
        ("speaker_tag_id",),
        outward={"person_before": "person_before IN chosen_person"},
    ),
    # A version's name is a digest of its words: they need no comparison.
    "segment": Part(_OF_TRANSCRIPT, ("transcript_id",), ours=frozenset({"*"})),
    "word": Part(
        f"segment_id IN (SELECT id FROM segment WHERE {_OF_TRANSCRIPT})", ("segment_id",), ours=frozenset({"*"})
    ),
    "revision": Part(_OF_TRANSCRIPT, ("transcript_id",)),
    "taken_back": Part(_OF_TRANSCRIPT, ("transcript_id",)),
    # Results are named by a recording's SHA-256 or by its place, and a part of one after a number sign.
    "stage_run": Part(
        "stage NOT IN ('index', 'publish') AND (substr(subject, 1, 64) IN (SELECT sha256 FROM recording"
        f" WHERE id IN chosen_recording) OR subject IN {_PLACES}"
        f" OR (instr(subject, '#') AND substr(subject, 1, instr(subject, '#') - 1) IN {_PLACES}))"
        " AND (stage <> 'render' OR NOT EXISTS (SELECT kind FROM rendition EXCEPT SELECT * FROM chosen_rendition))",
        key=("stage", "subject", "fingerprint", "started_at"),
        ours=frozenset({"*"}),
    ),
    "purge": Part(_WHOLE, key=("purged_at", "what", "sha256"), ours=frozenset({"*"})),
}  # fmt: skip
"""The tables of an extract; parents stand before children."""

LEFT_OUT: dict[str, str] = {
    "catalogue": "an archive keeps its own identity",
    "passage": "made anew",
    "passage_fts": "made anew",
    "session_fts": "made anew",
    "vocabulary": "made anew",
    "announcement_fts": "made anew",
    "seal": "made anew",
    "tombstone": "written for publications",
    "speech": "written for publications",
    "part": "written for publications",
    "part_word": "written for publications",
    "earlier_version": "written for publications",
    "heard_part": "half of a result",
    "voiceprint": "a biometric",
}
"""The tables of no extract, and why."""

RENDITIONS = ("web", "poster", "peaks", "sprite", "previews")
"""The kinds of renditions that may be chosen."""


@dataclass(frozen=True, slots=True)
class Chosen:
    """What an extract holds: ids by table of things."""

    event: frozenset[int]
    session: frozenset[int]
    recording: frozenset[int]
    person: frozenset[int]


@dataclass(frozen=True, slots=True)
class Withheld:
    """What is withdrawn: sessions, and recordings that hold anything of it."""

    sessions: frozenset[int] = frozenset()
    recordings: frozenset[int] = frozenset()


def withheld(db: Database, *, default: ReleaseState) -> Withheld:
    """Return what no extract of a catalogue may hold."""
    out = frozenset(each.id for each in sessions(db, default=default) if each.state == "withdrawn")
    rows = db.execute(
        "SELECT recording_id FROM release WHERE state = 'withdrawn' AND recording_id IS NOT NULL"
    ).fetchall()
    of = {row[0]: row[1] for row in db.execute("SELECT id, session_id FROM recording").fetchall()}
    tainted = {row[0] for row in rows} | {recording for recording, session in of.items() if session in out}
    replaced = db.execute("SELECT superseded_by, id FROM recording WHERE superseded_by IS NOT NULL").fetchall()
    cut = db.execute("SELECT cut_from, recording_id FROM recording_source WHERE cut_from IS NOT NULL").fetchall()
    while more := {old for new, old in replaced if new in tainted} | {part for whole, part in cut if whole in tainted}:
        if more <= tainted:
            break
        tainted |= more
    return Withheld(out, frozenset(tainted | {whole for whole, part in cut if part in tainted}))


def choose(db: Database, subject: Subject | None, without: Withheld, renditions: tuple[str, ...]) -> Chosen:
    """Fill the temporary tables that say what an extract holds, and return that.

    Args:
        db: a catalogue or a published database, in a transaction that reads one state of it.
        subject: a session or an event; None for all.
        without: what is withdrawn.
        renditions: the kinds that are wanted.

    Raises:
        ArchiveError: what is asked for is withdrawn, or neither a session nor an event.
    """
    if subject is not None and subject.kind not in {"session", "event"}:
        raise ArchiveError(f"{subject.label} is neither a session nor an event")
    tables = set(db.table_names())
    scope = {None: "1", "session": "session.id = :id", "event": "event_id = :id"}[subject.kind if subject else None]
    names = {"id": subject.id if subject else 0}
    wanted = {row[0] for row in db.execute(f"SELECT id FROM session WHERE {scope}", names).fetchall()}
    inside = wanted - without.sessions
    events = set(_events(db, subject, wanted, inside))
    if subject and not events:
        raise ArchiveError(f"{subject.label} is withdrawn: nothing of it leaves the archive")
    recordings = {
        row[0]
        for row in db.execute("SELECT id, session_id FROM recording").fetchall()
        if (row[1] in inside or (row[1] is None and subject is None)) and row[0] not in without.recordings
    }
    _fill(db, "whole", {1} if subject is None else set())
    _fill(db, "event", events)
    _fill(db, "session", inside)
    _fill(db, "recording", recordings)
    _fill(db, "rendition", set(renditions))
    people = set(_people(db, whole=subject is None, told="person_source" in tables))
    _fill(db, "person", people)
    return Chosen(frozenset(events), frozenset(inside), frozenset(recordings), frozenset(people))


def _events(db: Database, subject: Subject | None, wanted: set[int], inside: set[int]) -> Iterator[int]:
    """Yield the events of what is chosen: those that have sessions have one that may leave the archive."""
    if subject and subject.kind == "event" and not wanted:
        yield subject.id
    for event, session in db.execute(
        "SELECT event.id, session.id FROM event LEFT JOIN session ON event_id = event.id ORDER BY event.id"
    ).fetchall():
        if session in inside or (session is None and subject is None):
            yield event


def _people(db: Database, *, whole: bool, told: bool) -> Iterator[int]:
    rows = db.execute(
        f"SELECT person_id FROM session_person WHERE {_S} UNION SELECT person_id FROM speaker_tag"
        f" WHERE {_R} AND person_id IS NOT NULL"
    ).fetchall()
    yield from (row[0] for row in rows)
    if whole and told:  # those who have a part in nothing
        rows = db.execute("SELECT id FROM person WHERE id NOT IN (SELECT person_id FROM session_person)").fetchall()
        yield from (row[0] for row in rows)


def _fill(db: Database, name: str, values: set[int] | set[str]) -> None:
    db.execute(f"DROP TABLE IF EXISTS temp.chosen_{name}")
    db.execute(f"CREATE TEMP TABLE chosen_{name}(id PRIMARY KEY)")
    db.conn.executemany(f"INSERT INTO temp.chosen_{name} VALUES (?)", [(each,) for each in values])
