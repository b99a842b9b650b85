import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.index.build import ROWS, Row, write_indexes
from archive.index.passages import index_session, rebuild
from archive.index.verify import verify
from archive.sqlite import sqlite3
from tests.archive.build import add_event, add_session, add_transcript, blank

MANY = 2 * ROWS + 100


def rows() -> Iterator[tuple[str, Row]]:
    for number in range(MANY):
        yield "said", (number + 1, (f"all of the {number % 50} and {number}",))
        if number % 100 == 0:
            yield "held", (number + 1, (f"session {number}", "people"))


@pytest.fixture
def conn() -> sqlite3.Connection:
    conn = sqlite3.connect(":memory:", isolation_level=None)
    options = "content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2'"
    conn.execute(f"CREATE VIRTUAL TABLE said USING fts5(text, {options})")
    conn.execute(f"CREATE VIRTUAL TABLE held USING fts5(title, people, {options})")
    conn.execute("INSERT INTO said(rowid, text) VALUES (1, 'of old')")
    return conn


def kept(conn: sqlite3.Connection, table: str) -> list[list[tuple[object, ...]]]:
    """Return every word with its places, the words of every row, and how many there are in all."""
    conn.execute(f"CREATE VIRTUAL TABLE temp.word USING fts5vocab(main, {table}, instance)")
    words = conn.execute("SELECT term, doc, col, offset FROM temp.word").fetchall()
    conn.execute("DROP TABLE temp.word")
    lengths = conn.execute(f"SELECT id, sz FROM {table}_docsize ORDER BY id").fetchall()
    return [words, lengths, conn.execute(f"SELECT block FROM {table}_data WHERE id = 1").fetchall()]


def found(conn: sqlite3.Connection, query: str) -> list[int]:
    return [number for (number,) in conn.execute("SELECT rowid FROM said WHERE said MATCH ? ORDER BY rowid", (query,))]


def test_indexes_are_as_if_rows_were_inserted(conn: sqlite3.Connection) -> None:
    write_indexes(conn, ("said", "held"), rows())
    made = [kept(conn, table) for table in ("said", "held")]
    conn.execute("INSERT INTO said(said) VALUES ('delete-all')")
    conn.execute("INSERT INTO held(held) VALUES ('delete-all')")
    conn.execute("BEGIN")
    for table, (number, texts) in rows():
        if table == "said":
            conn.execute("INSERT INTO said(rowid, text) VALUES (?, ?)", (number, *texts))
        else:
            conn.execute("INSERT INTO held(rowid, title, people) VALUES (?, ?, ?)", (number, *texts))
    conn.execute("COMMIT")
    assert [kept(conn, table) for table in ("said", "held")] == made
    assert len(made[0][1]) == MANY


def test_each_index_is_one_b_tree(conn: sqlite3.Connection) -> None:
    write_indexes(conn, ("said", "held"), rows())
    assert conn.execute("SELECT count(DISTINCT segid) FROM said_idx").fetchone() == (1,)


def test_rows_may_follow_and_go(conn: sqlite3.Connection) -> None:
    conn.execute("BEGIN")
    conn.execute("INSERT INTO said(rowid, text) VALUES (2, 'not yet written')")
    assert found(conn, "written") == [2]
    write_indexes(conn, ("said", "held"), rows())
    conn.execute("INSERT INTO said(rowid, text) VALUES (?, 'of late')", (MANY + 1,))
    conn.execute("DELETE FROM said WHERE rowid = 8")
    conn.execute("COMMIT")
    assert (found(conn, "old"), found(conn, "written"), found(conn, "late")) == ([], [], [MANY + 1])
    assert (found(conn, '"the 7 and 7"'), found(conn, '"the 7 and 57"')) == ([], [58])
    for table in ("said", "held"):
        conn.execute(f"INSERT INTO {table}({table}) VALUES ('integrity-check')")


def test_rolled_back_after_a_look(conn: sqlite3.Connection) -> None:
    conn.execute("BEGIN")
    write_indexes(conn, ("said", "held"), rows())
    assert len(found(conn, "all")) == MANY
    conn.execute("ROLLBACK")
    assert (found(conn, "all"), found(conn, "old")) == ([], [1])
    conn.execute("INSERT INTO said(said) VALUES ('integrity-check')")


def test_another_connection_sees_the_new_index(tmp_path: Path) -> None:
    first, second = (sqlite3.connect(tmp_path / "some.db", isolation_level=None) for _ in range(2))
    first.execute("CREATE VIRTUAL TABLE said USING fts5(text, content='', contentless_delete=1)")
    first.execute("INSERT INTO said(rowid, text) VALUES (1, 'of old')")
    assert found(second, "old") == [1]
    write_indexes(first, ("said",), [("said", (2, ("anew",)))])
    assert (found(second, "old"), found(second, "anew")) == ([], [2])
    first.close()
    second.close()


def test_what_breaks_off_leaves_nothing(conn: sqlite3.Connection, tmp_path: Path) -> None:
    before = threading.active_count()

    def breaking() -> Iterator[tuple[str, Row]]:
        yield from rows()
        assert len(list(tmp_path.iterdir())) == 1
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_indexes(conn, ("said", "held"), breaking(), tmp_path)
    assert (threading.active_count(), list(tmp_path.iterdir()), found(conn, "old")) == (before, [], [1])


def test_what_cannot_be_indexed_is_told(conn: sqlite3.Connection) -> None:
    before = threading.active_count()
    with pytest.raises(sqlite3.ProgrammingError, match="bindings"):
        write_indexes(conn, ("said", "held"), (("said", (1, ("two", "columns"))) for _ in range(MANY)))
    assert (threading.active_count(), found(conn, "old")) == (before, [1])


def test_rebuild_in_an_unfinished_transaction() -> None:
    """What it indexes was not committed, and it is gone on with before it is."""
    db = blank()
    db.execute("BEGIN")
    session = add_session(db, add_event(db))
    add_transcript(db, session, ["some words"] * 40)
    index_session(db, session)
    rebuild(db)
    other = add_session(db, 1, "other")
    add_transcript(db, other, ["other words"])
    index_session(db, other)
    db.execute("COMMIT")
    assert verify(db) == []
