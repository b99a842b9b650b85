"""The indexes of a publication, made of those of the one before: only sessions that changed are indexed again.

The index keeps no text, so what is taken out of it is told again from the last publication. In the end both indexes are
merged into one b-tree each (https://sqlite.org/fts5.html#the_optimize_command): words that nobody says any more are
then in none of their pages.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from archive.errors import NotCarriedOverError
from archive.index.passages import GAP, IN_ORDER, INDEXES, SPANS, Indexed, to_index, write_passages
from archive.index.verify import numbers
from archive.sqlite import sqlite3

END = 1 << 62
"""After all ids."""


def carry_over(conn: sqlite3.Connection, before: sqlite3.Connection, sessions: Collection[int]) -> None:
    """Index some sessions as they are now. The caller owns the transaction, and calls `merge` after it.

    Passages keep their order of event and time: those of a session that is new stand where `GAP` left room for them.

    Args:
        conn: a copy of the last publication, whose rows are those of the next.
        before: the last publication.
        sessions: those that changed.

    Raises:
        NotCarriedOverError: there is no room, or the last publication is indexed with other words than it has.
    """
    indexed = {session: to_index(conn, session) for session in sorted(sessions)}
    places = _places(conn, {session: len(now.passages) for session, now in indexed.items()})
    coming: list[tuple[int, int | None, Indexed]] = []
    for session, now in indexed.items():
        then, place = to_index(before, session), places.get(session)
        ids = [number for (number,) in conn.execute(_PASSAGES, (session,))]
        if (then.passages, then.texts) == (now.passages, now.texts) and (not ids or place == ids[0]):
            place = None
        else:
            _take_out(conn, session, ids, then)
        if then.columns != now.columns:
            _take_row_out(conn, session, then.columns)
        else:
            now = now._replace(columns=None)  # noqa: PLW2901  what stays need not be written
        coming.append((session, place, now))
    for session, place, now in coming:
        if place is not None:
            write_passages(conn, session, now.passages, place)
            conn.executemany("INSERT INTO passage_fts(rowid, text) VALUES (?, ?)", enumerate(now.texts, place))
        if now.columns is not None:
            conn.execute(
                "INSERT INTO session_fts(rowid, title, people, abstract, text) VALUES (?, ?, ?, ?, ?)",
                (session, *now.columns),
            )


def merge(conn: sqlite3.Connection) -> None:
    """Write each index into one b-tree, which has nothing of what was taken out."""
    for table in INDEXES:
        conn.execute(f"INSERT INTO {table}({table}) VALUES ('optimize')")


_PASSAGES = "SELECT id FROM passage WHERE session_id = ? ORDER BY id"


def _places(conn: sqlite3.Connection, sizes: Mapping[int, int]) -> dict[int, int]:
    """Return the id of the first passage of each session that changed: where it was, or in a gap.

    ``sizes`` are of those sessions: how many passages each has now; of none, no place is returned.
    """
    spans = {each[0]: (each[1], each[2]) for each in conn.execute(SPANS)}
    order = [number for (number,) in conn.execute(IN_ORDER)]
    following, after = END, []
    for session in reversed(order):
        after.append(following)
        if session in spans and session not in sizes:
            following = spans[session][0]
    places: dict[int, int] = {}
    last = 0
    for session, end in zip(order, reversed(after), strict=True):
        size = sizes.get(session, 0)
        first, final = spans.get(session, (0, 0))
        if session not in sizes:
            if first and first <= last:
                raise NotCarriedOverError("sessions are in another order")
            last = final or last
        elif size:
            free = end - last - 1 - size
            if free < 0:
                raise NotCarriedOverError("there is no room in the index between two sessions")
            places[session] = first if last < first <= end - size else last + 1 + min(GAP, free // 2)
            last = places[session] + size - 1
    return places


def _take_out(conn: sqlite3.Connection, session: int, ids: Sequence[int], then: Indexed) -> None:
    """Take the passages of a session out, as they were."""
    sizes = [numbers(size) for (size,) in conn.execute(_SIZES, (session,))]
    if sizes != [[len(text.split())] for text in then.texts]:
        raise NotCarriedOverError("the last publication is not indexed as it should be")
    conn.executemany(
        "INSERT INTO passage_fts(passage_fts, rowid, text) VALUES ('delete', ?, ?)", zip(ids, then.texts, strict=True)
    )
    conn.execute("DELETE FROM passage WHERE session_id = ?", (session,))


_SIZES = "SELECT sz FROM passage JOIN passage_fts_docsize USING (id) WHERE session_id = ? ORDER BY id"


def _take_row_out(conn: sqlite3.Connection, session: int, columns: tuple[str, str, str, str] | None) -> None:
    """Take a session's own row out, as it was."""
    if columns is None:
        return
    size = conn.execute("SELECT sz FROM session_fts_docsize WHERE id = ?", (session,)).fetchone()
    if size is None or numbers(size[0]) != [len(text.split()) for text in columns]:
        raise NotCarriedOverError("the last publication is not indexed as it should be")
    conn.execute(
        "INSERT INTO session_fts(session_fts, rowid, title, people, abstract, text) VALUES ('delete', ?, ?, ?, ?, ?)",
        (session, *columns),
    )
