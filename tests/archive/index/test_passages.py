import pytest

from archive.connection import transaction
from archive.index.passages import GAP, index_session, rebuild, remove_session
from archive.index.verify import verify
from archive.sqlite import Database
from tests.archive.build import add_event, add_session, add_transcript, blank


def spans(db: Database, session: int) -> list[tuple[int, int]]:
    rows = db.execute("SELECT first_position, last_position FROM passage WHERE session_id = ? ORDER BY id", [session])
    return rows.fetchall()


def found(db: Database, phrase: str) -> list[int]:
    rows = db.execute("SELECT rowid FROM passage_fts WHERE passage_fts MATCH ? ORDER BY rowid", [f'"{phrase}"'])
    return [number for (number,) in rows]


@pytest.fixture
def db() -> Database:
    return blank()


@pytest.fixture
def session(db: Database) -> int:
    return add_session(db, add_event(db))


def test_passages_overlap_by_one_long_segment(db: Database, session: int) -> None:
    add_transcript(db, session, ["one " * 16] * 40)
    with transaction(db):
        assert index_session(db, session) == 3
    assert spans(db, session) == [(0, 15), (15, 31), (31, 39)]


def test_passages_overlap_by_many_short_segments(db: Database, session: int) -> None:
    add_transcript(db, session, ["one"] * 20 + ["one two three four five"] * 20)
    with transaction(db):
        index_session(db, session)
    assert spans(db, session) == [(0, 15), (0, 31), (28, 39)]


def test_passages_of_one_segment(db: Database, session: int) -> None:
    add_transcript(db, session, ["The only cue."])
    with transaction(db):
        assert index_session(db, session) == 1
    assert (spans(db, session), found(db, "the only cue"), verify(db)) == ([(0, 0)], [1], [])


@pytest.mark.parametrize("count", [1, 15, 16, 17, 31, 32, 33, 64])
def test_last_segment_is_indexed(db: Database, session: int, count: int) -> None:
    add_transcript(db, session, [*(f"cue {number} of it" for number in range(count - 1)), "the very last"])
    with transaction(db):
        index_session(db, session)
    assert found(db, "the very last") == [-(-count // 16)]


def test_doubtful_and_silent_segments_keep_their_position(db: Database, session: int) -> None:
    texts = ["♪", "thanks for watching", *(f"word{number} " * 16 for number in range(17)), "thanks", "…"]
    add_transcript(db, session, texts, doubtful=[1, 19])
    with transaction(db):
        index_session(db, session)
    assert spans(db, session) == [(2, 17), (17, 18)]
    assert found(db, "thanks") == []


def test_no_phrase_reaches_across_a_doubtful_segment(db: Database, session: int) -> None:
    add_transcript(db, session, ["left", "invented", "right"], doubtful=[1])
    with transaction(db):
        index_session(db, session)
    assert (found(db, "left"), found(db, "right"), found(db, "left right")) == ([1], [1], [])


def test_session_without_words_is_indexed_by_title(db: Database, session: int) -> None:
    with transaction(db):
        assert index_session(db, session) == 0
    assert db.execute("SELECT rowid FROM session_fts WHERE session_fts MATCH 'title:talk'").fetchall() == [(session,)]


def test_index_session_replaces(db: Database, session: int) -> None:
    old = add_transcript(db, session, ["old words"])
    with transaction(db):
        index_session(db, session)
        db.execute("UPDATE transcript SET is_current = 0 WHERE id = ?", [old])
        add_transcript(db, session, ["new words"], recording=1)
    assert verify(db) == [
        "passage 1 is not of a current transcript of its session",
        f"session {session} has other passages than its transcripts (1 for 1)",
    ]
    with transaction(db):
        index_session(db, session)
    assert (found(db, "old"), found(db, "new words"), verify(db)) == ([], [1], [])


def test_index_session_leaves_others(db: Database) -> None:
    event = add_event(db)
    first, second = add_session(db, event, "first"), add_session(db, event, "second")
    add_transcript(db, first, ["first words"])
    add_transcript(db, second, ["second words"])
    with transaction(db):
        index_session(db, first)
        index_session(db, second)
        index_session(db, first)
    assert (found(db, "first"), found(db, "second"), verify(db)) == ([2 * GAP + 3], [GAP + 2], [])


def test_remove_session(db: Database, session: int) -> None:
    add_transcript(db, session, ["some words"])
    with transaction(db):
        index_session(db, session)
        remove_session(db, session)
    assert (found(db, "some words"), spans(db, session)) == ([], [])
    assert verify(db)[0] == f"session {session} is not indexed"


def test_deleting_without_removing_is_reported_and_mended(db: Database, session: int) -> None:
    add_transcript(db, session, ["some words"])
    other = add_session(db, 1, "other")
    with transaction(db):
        index_session(db, session)
        db.execute("DELETE FROM session WHERE id = ?", [session])
        index_session(db, other)
    assert verify(db) == ["indexed text 1 belongs to no passage", f"indexed session {session} does not exist"]
    add_transcript(db, other, ["other words"])
    with transaction(db):
        index_session(db, other)
    assert (found(db, "some"), found(db, "other words")) == ([], [1])


def test_rebuild_orders_by_date(db: Database) -> None:
    undated = add_event(db, "undated")
    late, early = add_event(db, "late", start_date="2022-07-23"), add_event(db, "early", start_date="2022-01-15")
    order = [
        add_session(db, early, "early"),
        add_session(db, late, "opening", start_utc="2022-07-23T10:00:00Z", position=2),
        add_session(db, late, "closing", start_utc="2022-07-23T18:00:00Z", position=1),
        add_session(db, undated, "undated"),
    ]
    for session in reversed(order):
        add_transcript(db, session, ["words " * 20] * 20)
    with transaction(db):
        rebuild(db)
    rows = db.execute("SELECT session_id FROM passage ORDER BY id").fetchall()
    assert [session for (session,) in rows] == [session for session in order for _ in range(2)]
    assert verify(db) == []


def test_rebuild_equals_indexing_by_session(db: Database) -> None:
    event = add_event(db)
    for number in range(3):
        session = add_session(db, event, f"talk-{number}", people=["Noor Okafor"], abstract="About words.")
        add_transcript(db, session, [f"segment {position} of talk {number}" for position in range(40)])
        with transaction(db):
            index_session(db, session)
    state = "SELECT * FROM passage ORDER BY id"
    before = db.execute(state).fetchall(), found(db, "of talk 1 segment")
    with transaction(db):
        rebuild(db)
    assert (db.execute(state).fetchall(), found(db, "of talk 1 segment")) == before


def test_all_current_transcripts_of_a_session_are_indexed(db: Database, session: int) -> None:
    add_transcript(db, session, ["welcome everybody"])
    add_transcript(db, session, ["bienvenue à tous"], language="fr")
    with transaction(db):
        assert index_session(db, session) == 2
    assert (found(db, "welcome"), found(db, "a tous")) == ([1], [2])
