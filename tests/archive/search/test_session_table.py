import numpy as np
import pytest

from archive.connection import transaction
from archive.index.passages import index_session, rebuild
from archive.search.query import Leaf, Phrase, Prefix, Stemmed, Word, to_fts5
from archive.search.session_table import FacetValue, Overview
from tests.archive.build import add_event, add_session, add_transcript, blank


def test_overview_of_nothing() -> None:
    db = blank()
    overview = Overview.read(db.conn)
    assert (list(overview.places(np.array([1, 2]))), overview.facets(np.zeros(0, dtype=bool))) == ([-1, -1], {})


def test_passages_belong_to_their_sessions_in_whatever_order_they_were_written() -> None:
    db = blank()
    event = add_event(db)
    sessions = [add_session(db, event, name) for name in ("one", "silent", "two")]
    for number in (sessions[0], sessions[2]):
        add_transcript(db, number, ["word"] * 40)
    with transaction(db):
        for number in sessions:
            index_session(db, number)
        index_session(db, sessions[0])  # now after those of the other
    overview = Overview.read(db.conn)
    rows = db.execute("SELECT id, session_id FROM passage ORDER BY id").fetchall()
    owners = overview.owners(np.array([number for number, _ in rows]))
    assert [int(overview.ids[place]) for place in owners] == [session for _, session in rows]
    for place, number in enumerate(sessions):
        first, last = overview.passages(place)
        assert [owner for key, owner in rows if first <= key <= last] == [number] * (3 if number != sessions[1] else 0)


def test_facets_name_the_most_frequent_first() -> None:
    db = blank()
    event = add_event(db, "school", title="School")
    for number in range(20):
        add_session(db, event, f"s{number}", [f"Person {number % 15:02}"], track="Sea" if number else None)
    overview = Overview.read(db.conn)
    chosen = np.arange(20) < 17
    facets = overview.facets(chosen)
    assert (facets["event"], facets["track"]) == (
        (FacetValue("school", "School", 17),),
        (FacetValue("Sea", "Sea", 16),),
    )
    assert len(facets["person"]) == 12
    assert facets["person"][0].label == "Person 00"


@pytest.mark.parametrize(
    "terms",
    [
        (Word("lamps"),),
        (Word("levi"), Word("sea")),
        (Stemmed("lamps", ("en", "fr")),),
        (Phrase(("the", "sea")),),
        (Phrase(("sea", "the")),),
        (Phrase(("sea", "noor")),),
        (Prefix(("lam",)),),
        (Prefix(("the", "lam")), Word("nobody")),
        (Word("nobody"),),
    ],
)
def test_names_are_weighed_as_fts5_weighs_them(terms: tuple[Leaf, ...]) -> None:
    db = blank()
    event = add_event(db)
    for title, people, said in (
        ("The sea", ["Ada Levi"], 3),
        ("A lamp at sea", ["Noor Okafor", "Ada Levi"], 40),
        ("Lamps and lamps", ["Noor Sea"], 400),
        ("Le phare", [], 1),
        ("Nothing", ["Lamar Levin"], 0),
        ("More", [], 5),
        ("Still more", [], 9),
    ):
        session = add_session(db, event, title.lower().replace(" ", "-"), people, title=title)
        add_transcript(db, session, ["The lamps of the sea."] * said, language="fr" if title == "Le phare" else "en")
    with transaction(db):
        rebuild(db)
    overview = Overview.read(db.conn)
    query = f"{{title people}} : ({' OR '.join(map(to_fts5, terms))})"
    found = dict(db.execute("SELECT rowid, -bm25(session_fts) FROM session_fts WHERE session_fts MATCH ?", [query]))
    assert overview.names.weights(terms) == pytest.approx([found.get(number, 0) for number in overview.ids.tolist()])
