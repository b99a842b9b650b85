from __future__ import annotations

import pytest

from archive.connection import transaction
from archive.index.encoder import installed_encoder
from archive.index.meanings import pack, read_windows, unpack
from archive.index.passages import rebuild
from archive.search.by_meaning import NO_WORDS, sentences, telling
from archive.search.cache import Kept
from archive.search.filters import Filters
from archive.search.hits import Passage, moment_hits
from archive.search.query import Word
from archive.search.results import ABOUT
from archive.search.sqlite_search import SqliteSearch
from archive.sqlite import Database
from tests.archive.build import PATIENT_MS, SEGMENT_MS, add_event, add_session, add_transcript, blank
from tests.archive.encoders import FakeEncoder, embed

OTHER = ["Many boats went out with the tide."] * 12
ENCODER = FakeEncoder()


@pytest.fixture(scope="module")
def db() -> Database:
    """Talks, of which two are about what the questions ask in other words."""
    db = blank()
    event = add_event(db, start_date="2022-02-19")
    for slug, texts in {
        "tower": [*OTHER, "The lighthouse keeper slept.", *OTHER[:11], *OTHER],
        "charts": ["They drew maps.", *OTHER],
        "sea": OTHER,
    }.items():
        session = add_session(db, event, slug, title=slug.title(), kind="keynote" if slug == "charts" else "talk")
        add_transcript(db, session, texts)
    with transaction(db):
        rebuild(db)
    embed(db, ENCODER)
    return db


def search(db: Database, encoder: FakeEncoder | None = ENCODER) -> SqliteSearch:
    return SqliteSearch(db.conn, PATIENT_MS, kept=Kept(encoder))


def test_what_means_the_same_is_found_and_says_so(db: Database) -> None:
    found = search(db).sessions("Leuchtturm Wärter")
    assert [(each.session, each.match) for each in found.sessions] == [("tower", "about this")]
    assert (found.total, found.exact, found.note) == (1, 0, ABOUT)
    [hit] = found.sessions[0].hits
    assert (hit.match, hit.matches, hit.start_ms) == ("about this", (), 12 * SEGMENT_MS)
    assert (hit.text, hit.positions) == ("The lighthouse keeper slept.", (12,))
    assert found.sessions[0].places == ((hit.start_ms, hit.end_ms),)


def test_moments_that_mean_the_same_are_found(db: Database) -> None:
    found = search(db).search("Leuchtturm Wärter")
    assert [(hit.session, hit.match, hit.start_ms) for hit in found.hits] == [("tower", "about this", 60_000)]
    assert (found.total, found.note) == (1, ABOUT)
    assert search(db).search("Leuchtturm Wärter", limit=1, offset=1).hits == ()


TOLD = {
    "": "Many boats went out with the tide.",
    "zeppelin": "Many boats went out with the tide.",
    "slow": "Its keeper was slow and tired.",
    "tide maps counted": "He drew maps and counted ships until the morning.",
    "ships": "He drew maps and counted ships until the morning.",
    "tide ships": "Many boats went out with the tide.",
}


@pytest.mark.parametrize("words", TOLD)
def test_what_is_about_this_is_told_by_the_sentence_that_has_most_of_the_words(words: str) -> None:
    db = blank()
    session = add_session(db, add_event(db), "tower")
    said = ["Many boats went out", "with the tide.", "Its keeper was slow and tired.", "He drew maps and counted"]
    transcript = add_transcript(db, session, [*said, "ships until the morning."])
    window = Passage(session, transcript, 0, 4, 0.0)
    found = telling(db.conn, [window], {Word(word): 1.0 for word in words.split()})
    assert [hit.text for hit in moment_hits(db.conn, found, NO_WORDS, match="about this")] == [TOLD[words]]


def test_a_long_sentence_is_parted_between_segments_and_never_in_a_word() -> None:
    texts = ["word " * 20 + "and"] * 7 + ["x" * 400, "end.", 'He said "no."', "だ。", "last"]
    parts = list(sentences(texts))
    assert parts == [(0, 1), (2, 3), (4, 5), (6,), (7,), (8,), (9,), (10,), (11,)]


def test_without_an_encoder_there_is_no_third_tier(db: Database) -> None:
    assert search(db, None).sessions("Leuchtturm Wärter").sessions == ()
    assert search(db, FakeEncoder("another/1")).sessions("Leuchtturm Wärter").sessions == ()
    assert SqliteSearch(db.conn, PATIENT_MS).search("Leuchtturm Wärter").hits == ()


@pytest.mark.parametrize(
    "query",
    [
        "Leuchtturm Wärter exact:yes",
        "Leuchtturm",
        '"Leuchtturm Wärter"',
        'Leuchtturm "Wärter"',
        "Leuchtturm near/3 Wärter",
        "Leuchtturm Wärter -sea",
        "Leuchtturm Wärt*",
        "Leuchtturm Wärter doubtful:yes",
        "Leuchtturm Wärter kind:keynote",
        "Leuchtturm Wärter speaker:nobody",
        "Leuchtturm Wärter language:de",
        "!! ??",
    ],
)
def test_what_is_meant_as_it_stands_is_not_found_in_other_words(db: Database, query: str) -> None:
    assert [each.match for each in search(db).sessions(query).sessions] == []
    assert [hit.match for hit in search(db).search(query).hits] == []


@pytest.mark.parametrize(
    ("query", "filters", "expected"),
    [
        ("Leuchtturm Wärter kind:talk", Filters(), ["tower"]),
        ("Leuchtturm Wärter", Filters(kind="talk"), ["tower"]),
        ("Leuchtturm Wärter", Filters(kind="keynote"), []),
        ("Leuchtturm Wärter", Filters(session="sea"), []),
        ("Leuchtturm Wärter language:en", Filters(), ["tower"]),
    ],
)
def test_filters_hold(db: Database, query: str, filters: Filters, expected: list[str]) -> None:
    assert [each.session for each in search(db).sessions(query, filters).sessions] == expected


def test_words_come_first_and_are_not_replaced(db: Database) -> None:
    # All words; the words lead where most of them stand together; and what words do not know follows.
    exact = search(db).sessions("lighthouse keeper")
    assert [(each.session, each.match) for each in exact.sessions] == [("tower", "all words")]
    found = search(db).sessions("lighthouse keeper slept charts Karten")
    assert [(each.session, each.match) for each in found.sessions] == [
        ("tower", "some words"),
        ("charts", "some words"),
    ]
    assert search(db, None).sessions("lighthouse keeper").sessions == exact.sessions


def test_a_window_that_words_are_found_in_is_shown_once(db: Database) -> None:
    [tower] = search(db).sessions("keeper Leuchtturm beacon Wärter").sessions
    assert [(hit.match, hit.start_ms) for hit in tower.hits] == [("some words", 60_000)]
    hits = search(db).search("keeper Leuchtturm beacon Wärter").hits
    assert [(hit.match, hit.start_ms) for hit in hits] == [("some words", 60_000)]


def test_moments_of_other_sessions_that_are_alike_are_related() -> None:
    db = blank()
    event = add_event(db)
    talks = {
        "one": ["The lighthouse keeper slept."], "two": ["A storm.", *["Quite other things are said."] * 11,
        "The lighthouse keeper slept long."], "three": ["Sourdough bread needs patience and flour."],
    }  # fmt: skip
    numbers = {slug: add_session(db, event, slug) for slug in talks}
    for slug, texts in talks.items():
        add_transcript(db, numbers[slug], texts)
    with transaction(db):
        rebuild(db)
    embed(db, ENCODER)
    for encoder in (ENCODER, None):
        backend = search(db, encoder)
        found = [(hit.session, hit.start_ms, hit.text, hit.match) for hit in backend.related(numbers["one"])]
        assert found == [("two", 60_000, "The lighthouse keeper slept long.", "about this")]
        assert backend.related(numbers["three"]) == ()
        assert backend.related(99) == ()
    db.execute("DELETE FROM meaning")
    assert search(db).related(numbers["one"]) == ()


def test_a_search_within_a_session_is_for_words(db: Database) -> None:
    assert search(db).within("Leuchtturm Wärter", "gathering", "tower").hits == ()


def test_fields_are_not_what_is_asked() -> None:
    encoder = FakeEncoder()
    db = blank()
    session = add_session(db, add_event(db), "talk")
    add_transcript(db, session, ["The lighthouse keeper slept."])
    with transaction(db):
        rebuild(db)
    embed(db, encoder)
    encoder.seen.clear()
    search(db, encoder).sessions('(Leuchtturm OR Wärter) title:"a b" since:2020 event:x')
    assert encoder.seen in ([], ["Leuchtturm Wärter"])


def test_windows_last_a_minute_and_leave_out_what_is_hidden() -> None:
    db = blank()
    session = add_session(db, add_event(db), "talk")
    texts = [f"one two three {number}" for number in range(30)]
    texts[20] = "see https://example.org/?token=abc please do"
    texts[29] = "ah"
    number = add_transcript(db, session, texts, doubtful=(3, 28))
    windows = read_windows(db.conn, number)
    assert [(each.first, each.last) for each in windows] == [(0, 2), (4, 15), (16, 19), (21, 27)]
    assert windows[0].text == "one two three 0 one two three 1 one two three 2"


def test_vectors_keep_their_direction() -> None:
    vectors = ENCODER.encode(["a b c", "a b", ""])
    packed = unpack(pack(vectors), vectors.shape[1]).astype(float)
    assert [row.max() for row in packed] == [127, 127, 0]
    cosine = packed[0] @ packed[1] / (packed[0] @ packed[0]) ** 0.5 / (packed[1] @ packed[1]) ** 0.5
    assert cosine == pytest.approx(float(vectors[0] @ vectors[1]), abs=0.01)


@pytest.mark.skipif(installed_encoder() is None, reason="needs rostra[meaning]")
def test_the_real_encoder_knows_what_means_the_same_in_another_language() -> None:
    encoder = installed_encoder()
    assert encoder is not None
    texts = ["The keeper of the lighthouse mended the lamp.", "Die Aktienkurse fielen gestern stark.",
             "Der Wärter hat die Lampe des Leuchtturms repariert."]  # fmt: skip
    lighthouse, shares, same = encoder.encode(texts)
    assert lighthouse @ same > 0.6 > 0.3 > lighthouse @ shares
    assert encoder.encode([]).shape == (0, 512)


def shore() -> Database:
    """Talks of which one says most of the words, and another means the rest."""
    db = blank()
    event = add_event(db)
    for slug, texts in {
        "pilot": [
            "The pilot boat brought the harbour master.",
            "Fog ice wind rain hail snow mist sleet cloud.",
        ],
        **{f"tower-{number}": ["Lighthouse keeper."] for number in range(15)},
    }.items():
        add_transcript(db, add_session(db, event, slug, title=slug.title()), texts)
    with transaction(db):
        rebuild(db)
    embed(db, ENCODER)
    return db


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("pilot harbour boat master Leuchtturm keeper", "pilot"),
        ("pilott harbour boat master brought Leuchtturm keeper", "pilot"),  # one is misspelt
        ("pilot harbour Leuchtturm Wärter keeper", "tower-0"),  # nobody says half of what these words count
    ],
)
def test_what_means_the_same_follows_what_words_found_well(query: str, first: str) -> None:
    db = shore()
    found = search(db).sessions(query).sessions
    hits = search(db).search(query).hits
    assert (found[0].session, hits[0].session) == (first, first)
