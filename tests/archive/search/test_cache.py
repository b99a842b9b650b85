from pathlib import Path

from archive.catalogue.database import create_catalogue
from archive.connection import open_readonly, transaction
from archive.index.passages import index_session, remove_session
from archive.search.cache import KeptUntilChanged
from archive.sqlite import sqlite3
from tests.archive.build import add_event, add_session, add_transcript


def test_kept_is_read_again_when_the_database_changes(tmp_path: Path) -> None:
    db = create_catalogue(tmp_path / "catalogue.db")
    with transaction(db):
        event = add_event(db)
        add_session(db, event, "one")
    reader = open_readonly(tmp_path / "catalogue.db")
    ours, theirs = KeptUntilChanged(), KeptUntilChanged()

    def held(kept: KeptUntilChanged, conn: sqlite3.Connection) -> tuple[int, str | None]:
        now = kept.of(conn)
        now.vocabulary.read(conn)
        return len(now.overview(conn).ids), now.vocabulary.nearest("lihgthouse")

    assert (held(ours, db.conn), held(theirs, reader.conn)) == ((1, None), (1, None))
    assert ours.of(db.conn).overview(db.conn) is ours.of(db.conn).overview(db.conn)
    with transaction(db):
        session = add_session(db, event, "two")
        add_transcript(db, session, ["A lighthouse."])
        index_session(db, session)
    assert (held(ours, db.conn), held(theirs, reader.conn)) == ((2, "lighthouse"), (2, "lighthouse"))
    db.conn.execute("BEGIN")
    remove_session(db, session)
    db.conn.execute("DELETE FROM session WHERE id = ?", (session,))
    assert held(ours, db.conn) == (1, None)
    db.conn.execute("ROLLBACK")
    assert (held(ours, db.conn), held(theirs, reader.conn)) == ((2, "lighthouse"), (2, "lighthouse"))
