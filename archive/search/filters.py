"""Where to search: from fields and filters to conditions on the rows of both indexes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace

from archive.catalogue.current import CURRENT
from archive.index.spellings import in_one_piece, with_digraphs
from archive.index.tokens import words
from archive.search.query import And, Field, Node, Not, Or, Phrase, Word, to_fts5
from archive.search.spellings import spelled
from archive.sqlite import sqlite3

LISTED_SESSIONS = 100
"""Sessions of which all passages are listed to search in."""
COMPARED_SESSIONS = 500
"""Sessions beyond which nobody looks whether their passages lie together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """What sessions must be, each None for whatever: slugs, or values as the catalogue has them.

    Attributes:
        event, session, series: slugs.
        person: the slug of somebody who took part.
        speaker: the slug of somebody who spoke: what others said is not searched.
        language: of transcripts, BCP-47; ``en`` includes ``en-GB``.
        track, kind: as they are written.
        year: four digits, of the session's start or its event's.
        since, until: the first and the last day, ISO 8601, likewise.
    """

    event: str | None = None
    session: str | None = None
    series: str | None = None
    person: str | None = None
    speaker: str | None = None
    language: str | None = None
    track: str | None = None
    year: str | None = None
    kind: str | None = None
    since: str | None = None
    until: str | None = None

    def chosen(self) -> dict[str, str]:
        """Return those that say something."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None}


EVERYWHERE = Filters()


@dataclass(frozen=True, slots=True)
class Scope:
    """Conditions on rowids, and what they name.

    Attributes:
        passages: of ``passage_fts``.
        spoken: of ``passage_fts``, where its session is known to be one of these.
        sessions: of ``session_fts``.
        rows: of ``session``.
        segments: of ``segment``: whose words are searched; "" for all.
        said_by: of ``segment``: whose words are shown of a session, also where a query has no words; "" for all.
        language: of transcripts, BCP-47; None for all.
        values: what the conditions name.
    """

    passages: str
    spoken: str
    sessions: str
    rows: str
    segments: str
    said_by: str
    language: str | None
    values: dict[str, int | str | float]


STARTED = "coalesce(session.start_at, session.day, (SELECT start_date FROM event WHERE event.id = session.event_id))"
"""When a session began, on the clocks of its event: ISO 8601, at least a date, which may be its event's."""

_SPEAKS = (
    "EXISTS (SELECT 1 FROM segment JOIN transcript ON transcript.id = transcript_id"
    f" WHERE speaker_tag_id = speaker_tag.id AND {CURRENT})"
)
SPEAKERS = (
    "SELECT speaker_tag.id, session_id, coalesce(person.slug, '') AS slug, coalesce(person.name, label) AS name,"
    " label || ' / ' || coalesce(person.name, '') AS called"
    " FROM speaker_tag JOIN recording ON recording.id = recording_id LEFT JOIN person ON person.id = person_id"
    f" WHERE session_id IS NOT NULL AND {_SPEAKS}"
)
"""SQL for who speaks in which session: the speaker's tag, the session, the person's slug and name, and both names."""
_SAID_BY = (
    " AND EXISTS (SELECT 1 FROM passage JOIN segment ON segment.transcript_id = passage.transcript_id"
    " AND segment.position BETWEEN first_position AND last_position WHERE passage.id = passage_fts.rowid{})"
)

_CONDITIONS = {
    "event": "session.event_id = (SELECT id FROM event WHERE slug = :{})",
    "session": "session.slug = :{}",
    "series": "session.event_id IN (SELECT event.id FROM event JOIN series ON series.id = series_id"
    " WHERE series.slug = :{})",
    "person": "session.id IN (SELECT session_id FROM session_person JOIN person ON person.id = person_id"
    " WHERE person.slug = :{})",
    "speaker": "session.id IN (SELECT session_id FROM recording JOIN speaker_tag ON recording_id = recording.id"
    " JOIN person ON person.id = person_id WHERE person.slug = :{} AND " + _SPEAKS + ")",
    "in_sessions": "session.id IN (SELECT value FROM json_each(:{}))",
    "track": "session.track = :{}",
    "year": f"substr({STARTED}, 1, 4) = :{{}}",
    "after": f"substr({STARTED}, 1, 10) >= :{{}}",
    "since": f"substr({STARTED}, 1, 10) >= :{{}}",
    "until": f"substr({STARTED}, 1, 10) <= :{{}}",
    "before": f"substr({STARTED}, 1, 10) < :{{}}",
    "kind": "session.kind = :{}",
    "in_language": "EXISTS (SELECT 1 FROM recording JOIN transcript ON recording_id = recording.id"
    f" WHERE recording.session_id = session.id AND {CURRENT}"
    " AND (transcript.language = :{0} OR transcript.language LIKE :{0} || '-%'))",
    "in_index": "session.id IN (SELECT rowid FROM session_fts WHERE session_fts MATCH :{})",
    "in_events": "session.event_id IN (SELECT value FROM json_each(:{}))",
    "in_tracks": "session.track IN (SELECT value FROM json_each(:{}))",
}
IN_LANGUAGE = "(transcript.language = :language OR transcript.language LIKE :language || '-%')"
_OF_PASSAGE = (
    " AND EXISTS (SELECT 1 FROM passage JOIN transcript ON transcript.id = transcript_id"
    " WHERE passage.id = passage_fts.rowid AND {})"
)
_TRANSCRIPTS = (
    "SELECT 1 FROM recording JOIN transcript ON recording_id = recording.id"
    f" WHERE recording.session_id = {{}} AND {CURRENT} AND "
)
_ONLY_IN_LANGUAGE = f" AND EXISTS ({_TRANSCRIPTS}{IN_LANGUAGE}) AND NOT EXISTS ({_TRANSCRIPTS} NOT {IN_LANGUAGE})"


def read_scope(conn: sqlite3.Connection, filters: Filters, where: Node | None, *, words: bool = True) -> Scope:
    """Return the conditions of a search. What does not exist has no rows to search.

    Args:
        conn: the database.
        filters: what sessions must be.
        where: the same, as fields of the query.
        words: whether words are looked for: then those that somebody does not say may stand in a session of theirs.
    """
    named = {name: _encodable(value) for name, value in filters.chosen().items()}
    language = named.pop("language", None)
    values: dict[str, int | str | float] = dict(named)
    conditions = [_CONDITIONS[name].format(name) for name in named]
    if where is not None:
        conditions.append(_condition(conn, _of_sessions(where) if words else where, values))
    passages = spoken = sessions = rows = ""
    if conditions:
        found = conn.execute(f"SELECT id FROM session WHERE {' AND '.join(conditions)}", values).fetchall()
        values = {"owners": json.dumps([number for (number,) in found])}
        owned = "SELECT value FROM json_each(:owners)"
        # The plus keeps SQLite from asking the index once for each of these sessions.
        sessions, rows = f" AND +session_fts.rowid IN ({owned})", f" AND session.id IN ({owned})"
        together = False
        if len(found) <= COMPARED_SESSIONS:
            values["first"], values["last"] = conn.execute(
                f"SELECT coalesce(min(id), 1), coalesce(max(id), 0) FROM passage WHERE session_id IN ({owned})", values
            ).fetchone()
            passages = " AND passage_fts.rowid BETWEEN :first AND :last"
            (together,) = conn.execute(
                "SELECT NOT EXISTS (SELECT 1 FROM passage WHERE id BETWEEN :first AND :last"
                f" AND session_id NOT IN ({owned}))",
                values,
            ).fetchone()
        if not together and len(found) <= LISTED_SESSIONS:
            # To look whose each passage is takes five times as long as to see whether it is one of these.
            passages += f" AND +passage_fts.rowid IN (SELECT id FROM passage WHERE session_id IN ({owned}))"
        elif not together:
            passages += _OF_PASSAGE.format(f"passage.session_id IN ({owned})")
    if language is not None:
        values["language"] = language
        spoken = _OF_PASSAGE.format(IN_LANGUAGE)
        sessions += _ONLY_IN_LANGUAGE.format("session_fts.rowid", "session_fts.rowid")
        rows += f" AND EXISTS ({_TRANSCRIPTS.format('session.id')}{IN_LANGUAGE})"
    said_by = _segments(conn, filters, where, values) if where or filters.speaker else ""
    segments = said_by if words else ""
    if segments:
        passages += _SAID_BY.format(segments)
    return Scope(passages + spoken, spoken, sessions, rows, segments, said_by, language, values)


def unmatched(conn: sqlite3.Connection, filters: Filters, where: Node | None) -> dict[str, str]:
    """Return those filters and fields, by name, that no session matches even by itself.

    Args:
        conn: the database.
        filters: what sessions must be.
        where: the same, as fields of the query.
    """
    chosen = {name: _encodable(value) for name, value in filters.chosen().items()}
    conditions: dict[tuple[str, str], tuple[str, dict[str, int | str | float]]] = {
        (name, value): (_CONDITIONS["in_language" if name == "language" else name].format("value"), {"value": value})
        for name, value in chosen.items()
    }
    for node in where.nodes if isinstance(where, And) else (where,):
        if isinstance(node, Field):
            values: dict[str, int | str | float] = {}
            conditions[node.name, node.value] = _condition(conn, node, values), values
    return {
        name: value
        for (name, value), (condition, values) in conditions.items()
        if not conn.execute(f"SELECT 1 FROM session WHERE {condition} LIMIT 1", values).fetchone()
    }


def _of_sessions(where: Node) -> Node:
    """Return what fields say of sessions, not of moments in them."""
    match where:
        case And(nodes) | Or(nodes):
            return replace(where, nodes=tuple(map(_of_sessions, nodes)))
        case Not(Field("speaker")):
            return Not(Field("speaker", ""))
        case _:
            return where


def _segments(
    conn: sqlite3.Connection, filters: Filters, where: Node | None, values: dict[str, int | str | float]
) -> str:
    """Return the condition on the segments that are searched: by some speakers, or not by some."""
    names = list(_speakers(where, wanted=True)) if where else []
    others = list(_speakers(where, wanted=False)) if where else []
    if not (names or others or filters.speaker):
        return ""
    said = conn.execute(SPEAKERS).fetchall()

    def tags(values: list[str]) -> set[int]:
        return {tag for tag, *_, name in said for value in values if _is_named(value, name)}

    conditions = ""
    if names or filters.speaker:
        slug = {tag for tag, _, slug, *_ in said if slug == filters.speaker}
        chosen = tags(names) if not filters.speaker else slug & tags(names) if names else slug
        values["said_by"] = json.dumps(sorted(chosen))
        conditions += " AND segment.speaker_tag_id IN (SELECT value FROM json_each(:said_by))"
    if others:
        values["said_by_others"] = json.dumps(sorted(tags(others)))
        conditions += " AND ifnull(segment.speaker_tag_id, 0) NOT IN (SELECT value FROM json_each(:said_by_others))"
    return conditions


def _speakers(where: Node, *, wanted: bool) -> Iterator[str]:
    """Yield the names of those whose words are wanted, or are not."""
    match where:
        case And(nodes) | Or(nodes):
            for node in nodes:
                yield from _speakers(node, wanted=wanted)
        case Not(node):
            yield from _speakers(node, wanted=not wanted)
        case Field("speaker", value) if wanted:
            yield value


def _condition(conn: sqlite3.Connection, where: Node, values: dict[str, int | str | float]) -> str:
    """Return a tree of fields as SQL over ``session``; what it names is put into ``values``."""
    match where:
        case And(nodes):
            return f"({' AND '.join([_condition(conn, node, values) for node in nodes])})"
        case Or(nodes):
            return f"({' OR '.join([_condition(conn, node, values) for node in nodes])})"
        case Not(node):
            return f"NOT {_condition(conn, node, values)}"
        case Field(name, value):
            kind, wanted = _looked_up(conn, name, value)
            number = f"field{len(values)}"
            values[number] = wanted
            return f"ifnull({_CONDITIONS[kind].format(number)}, 0)"
        case _:
            raise TypeError("words are no condition on a session")


def _looked_up(conn: sqlite3.Connection, name: str, value: str) -> tuple[str, str]:
    """Return the condition that a field stands for, and its value."""
    match name:
        case "speaker":
            said = conn.execute(SPEAKERS).fetchall()
            return "in_sessions", json.dumps([session for _, session, *_, name in said if _is_named(value, name)])
        case "with" | "person":
            return "in_index", f"people : {to_fts5(spelled(conn, Phrase(tuple(value.split()))))}"
        case "title":
            return "in_index", f"title : ({' AND '.join(to_fts5(spelled(conn, Word(word))) for word in value.split())})"
        case "event":
            return "in_events", _named(value, conn.execute("SELECT id, title || ' / ' || slug FROM event"))
        case "series":
            titles = (
                "SELECT event.id, series.title || ' / ' || series.slug FROM event JOIN series ON series.id = series_id"
            )
            return "in_events", _named(value, conn.execute(titles))
        case "track":
            tracks = "SELECT DISTINCT track, track FROM session WHERE track IS NOT NULL"
            return "in_tracks", _named(value, conn.execute(tracks))
        case "language":
            return "in_language", value
        case "doubtful" | "exact":
            return "kind", ""  # stands where it has no meaning, as in an OR: true of nothing
        case _:
            return name, value


def _named(value: str, rows: Iterable[tuple[object, str]]) -> str:
    """Return the keys, as JSON, of the rows in whose names these folded words follow each other."""
    return json.dumps([key for key, title in rows if _is_named(value, title)])


def _is_named(value: str, title: str) -> bool:
    """Whether folded words follow each other in a name."""
    return bool(value) and any(f" {value} " in f" {each} " for each in _ways(title))


def _ways(title: str) -> set[str]:
    """Return a folded title as it is written, and with its words in one piece, or with two letters for one."""
    return {" ".join(words(each)) for each in (title, in_one_piece(title), with_digraphs(title))}


def _encodable(text: str) -> str:
    return text.encode(errors="replace").decode()
