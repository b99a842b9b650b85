import itertools
import random
import re
from collections import defaultdict
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.connection import open_readonly, transaction
from archive.errors import CatalogueDamagedError
from archive.index.passages import rebuild
from archive.index.verify import verify
from archive.search import budget, by_moment, query
from archive.search import sqlite_search as search
from archive.search.cache import Kept
from archive.search.sqlite_search import Hit, Results, SqliteSearch
from archive.sqlite import Database, sqlite3
from tests.archive.build import PATIENT_MS, add_event, add_session, add_transcript, add_words, blank
from tests.corpus import CORPUS, latin, read_corpus

TALES = [
    "It was the best of",
    "times, it was the worst of times.",
    "We re-use things; others reuse them.",
    "A state-of-the-art lighthouse.",
    "Thank you for watching!",
    "Élan vital, 東京大学 and CAFÉ",
    "is the last cue",
]


@pytest.fixture
def db() -> Database:
    """Two events: one with two talks, one with a single talk in French."""
    db = blank()
    event = add_event(db, "winter-school", title="Winter School", start_date="2022-02-19")
    tales = add_session(
        db, event, "tales", title="Tales", people=["Noor Okafor"], abstract="What Dickens owes to Paris."
    )
    add_words(db, add_transcript(db, tales, TALES, doubtful=[4]), 1, " times,", " it", " was", " the", " worst")
    fog = add_session(db, event, "fog", title="Fog and light")
    add_transcript(
        db, fog, ["The lighthouse stood in fog.", *["Waves came."] * 20, "A ship was lost."], language="en-GB"
    )
    other = add_session(db, add_event(db, "rentrée", title="Rentrée"), "phare", title="Le phare", language="fr")
    add_transcript(db, other, ["Le phare, the lighthouse."], language="fr")
    with transaction(db):
        rebuild(db)
    return db


@pytest.mark.parametrize(
    "query",
    ["times", "lighthouse", "reuse", '"worst of times"', "best OR waves", "was the", "lighthouse elephant", "Dickens",
     "language:en lighthouse", "language:xyzzy fog", "waves NOT fog", "doubtful:watching", "doubtful:times", ""],
)  # fmt: skip
def test_moments_are_counted_as_they_are_returned(db: Database, query: str) -> None:
    kept = SqliteSearch(db.conn, PATIENT_MS, kept=Kept())
    for backend, slug, language in itertools.product(
        (kept, SqliteSearch(db.conn, PATIENT_MS)), ("tales", "fog"), (None, "en")
    ):
        returned = backend.within(query, "winter-school", slug, language=language).total
        assert backend.count_within(query, "winter-school", slug, language=language) == returned


def test_moments_that_there_is_no_time_to_count_have_no_number(db: Database) -> None:
    assert SqliteSearch(db.conn, 0).count_within("times", "winter-school", "tales") is None


def texts(db: Database, text: str, **options: str) -> list[str]:
    return [hit.text for hit in SqliteSearch(db.conn, PATIENT_MS).search(text, **options).hits]


def marked(hit: Hit) -> list[str]:
    return [hit.text[start:end] for start, end in hit.matches]


def test_search_gives_whole_hits(db: Database) -> None:
    found = SqliteSearch(db.conn, PATIENT_MS).search('"best of times"')
    assert [replace(hit, score=1.0) for hit in found.hits] == [
        Hit(
            event="winter-school",
            event_title="Winter School",
            session="tales",
            title="Tales",
            language="en",
            start_ms=0,
            end_ms=10_000,
            text="It was the best of times, it was the worst of times.",
            matches=((11, 24),),
            before="",
            after="We re-use things; others reuse them.",
            url="/events/winter-school/tales?t=0",
            score=1.0,
            transcript="v1",
            positions=(0, 1),
            start_at="2022-02-19",
        )
    ]
    assert replace(found, hits=()) == Results((), 1, 1, None, complete=True)


def test_search_gives_the_words_own_time(db: Database) -> None:
    add_words(db, 1, 6, "is", "the", "la", "st", "cue", spoken_ms=300)
    (hit,) = SqliteSearch(db.conn, PATIENT_MS).search("last").hits
    assert (hit.start_ms, hit.url) == (30_600, "/events/winter-school/tales?t=30.6")


def test_search_gives_the_segments_time_where_words_differ(db: Database) -> None:
    assert [hit.start_ms for hit in SqliteSearch(db.conn, PATIENT_MS).search("worst").hits] == [5_000]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("re-use", ["re-use", "reuse"]),
        ("reuse", ["re-use", "reuse"]),
        ("state-of-the-art", ["state-of-the-art"]),
        ('"state of the art"', ["state-of-the-art"]),
        ("a AND", None),
        ("OR lighthouse", None),
        ("(art", ["art"]),
        ("vital NOT fog", ["vital"]),
        ("ELAN cafe", ["Élan", "CAFÉ"]),
        ("東京", ["東京"]),
        ("大学", ["大学"]),
        ("京学", []),
        ("ｃａｆｅ", ["CAFÉ"]),
        ('"is the last cue"', ["is the last cue"]),
        ('"cafe is the"', ["CAFÉ is the"]),
        ('"lighthouse elan"', []),
        ("watching", []),
        ('"worst of times we re use"', ["worst of times. We re-use"]),
        ("vit*", ["vital"]),
        ('"best times"', []),
        ("best times -lighthouse", []),
    ],
)
def test_search_marks_what_matches(db: Database, text: str, expected: list[str] | None) -> None:
    hits = SqliteSearch(db.conn, PATIENT_MS).search(text, session="tales").hits
    if expected is not None:
        assert [mark for hit in hits for mark in marked(hit)] == expected
    else:
        assert hits


@pytest.mark.parametrize(
    "text", ["re-use", "state-of-the-art", "a AND", "OR x", "(foo", "NOT", '"', "NEAR(", "a:b", "*"]
)
def test_search_never_raises(db: Database, text: str) -> None:
    assert SqliteSearch(db.conn, PATIENT_MS).search(text).complete


def test_search_nothing(db: Database) -> None:
    assert SqliteSearch(db.conn, PATIENT_MS).search("-fog") == Results((), 0, 0, query.ONLY_NOT, complete=True)
    assert SqliteSearch(db.conn, PATIENT_MS).search("…") == Results((), 0, 0, query.NOTHING, complete=True)
    assert SqliteSearch(db.conn, PATIENT_MS).search("zeppelin") == Results((), 0, 0, None, complete=True)


def test_search_by_event_session_and_language(db: Database) -> None:
    everywhere = ["Le phare, the lighthouse.", "A state-of-the-art lighthouse.", "The lighthouse stood in fog."]
    assert sorted(texts(db, "lighthouse")) == sorted(everywhere)
    assert texts(db, "lighthouse", event="rentrée") == everywhere[:1]
    assert sorted(texts(db, "lighthouse", event="winter-school")) == sorted(everywhere[1:])
    assert texts(db, "lighthouse", session="fog") == everywhere[2:]
    assert sorted(texts(db, "lighthouse", language="english")) == sorted(everywhere[1:])
    assert texts(db, "lighthouse", language="en-GB") == everywhere[2:]
    assert texts(db, "lighthouse", event="winter-school", language="fr") == []
    assert texts(db, "lighthouse", event="no-such-event") == []
    assert texts(db, "lighthouse", session="\ud800") == []


def test_search_in_an_event_whose_passages_are_not_together(db: Database) -> None:
    with transaction(db):
        search.index_session(db, 1)
    assert texts(db, "lighthouse", event="winter-school", session="tales") == ["A state-of-the-art lighthouse."]
    assert len(texts(db, "lighthouse", event="winter-school")) == 2


def test_search_in_an_unknown_language(db: Database) -> None:
    expected = Results((), 0, 0, search.UNKNOWN_LANGUAGE, complete=True)
    assert SqliteSearch(db.conn, PATIENT_MS).search("fog", language="Klatchian") == expected


def test_search_escapes_addresses() -> None:
    db = blank()
    add_transcript(db, add_session(db, add_event(db, "50/50 ?"), "a&b"), ["words"])
    with transaction(db):
        rebuild(db)
    assert [hit.url for hit in SqliteSearch(db.conn, PATIENT_MS).search("words").hits] == [
        "/events/50%2F50%20%3F/a%26b?t=0"
    ]


def test_words_far_apart_are_found_in_their_session(db: Database) -> None:
    found = SqliteSearch(db.conn, PATIENT_MS).search("stood ship")
    assert [(hit.session, hit.text, marked(hit)) for hit in found.hits] == [
        ("fog", "The lighthouse stood in fog.", ["stood"])
    ]
    assert (found.total, found.sessions) == (1, 1)


def test_sessions_that_match_by_title_people_and_abstract(db: Database) -> None:
    for text, marks in (("dickens paris", ["Dickens", "Paris"]), ("okafor", []), ("tales", [])):
        (hit,) = SqliteSearch(db.conn, PATIENT_MS).search(text).hits
        assert (hit.session, hit.text, marked(hit)) == ("tales", "What Dickens owes to Paris.", marks)
        assert (hit.start_ms, hit.end_ms, hit.url) == (0, 0, "/events/winter-school/tales?t=0")


def test_sessions_come_after_passages(db: Database) -> None:
    add_session(db, 1, "unrecorded", title="Fog in the harbour")
    with transaction(db):
        rebuild(db)
    found = SqliteSearch(db.conn, PATIENT_MS).search("fog")
    assert [(hit.session, hit.transcript) for hit in found.hits] == [("fog", "v2"), ("unrecorded", None)]
    assert (found.total, found.sessions) == (2, 2)
    assert found.hits[0].score > found.hits[1].score


def test_pages_join_without_gap_or_repeat(db: Database) -> None:
    add_session(db, 1, "unrecorded", title="Waves")
    with transaction(db):
        rebuild(db)
    backend = SqliteSearch(db.conn, PATIENT_MS)
    whole = backend.search("waves OR lighthouse", limit=100)
    assert (len(whole.hits), whole.total, whole.sessions) == (24, 24, 4)
    pages = [backend.search("waves OR lighthouse", limit=5, offset=offset) for offset in range(0, 30, 5)]
    assert tuple(hit for page in pages for hit in page.hits) == whole.hits
    assert {(page.total, page.sessions) for page in pages} == {(24, 4)}
    scores = [hit.score for hit in whole.hits]
    assert scores == sorted(scores, reverse=True)


def test_overlapping_passages_give_a_moment_once() -> None:
    db = blank()
    add_transcript(db, add_session(db, add_event(db)), [f"cue {number} only" for number in range(60)])
    with transaction(db):
        rebuild(db)
    found = SqliteSearch(db.conn, PATIENT_MS).search('"only cue"', limit=100)
    assert sorted(hit.start_ms for hit in found.hits) == [number * 5_000 for number in range(59)]
    assert (found.total, found.sessions) == (59, 1)


def test_more_passages_than_are_listed_in_full_give_their_best() -> None:
    db = blank()
    event = add_event(db)
    for number in range(5):
        texts = ["common common words here" if at % 16 == 8 else "some common words here" for at in range(800)]
        add_transcript(db, add_session(db, event, f"talk-{number}"), texts)
    with transaction(db):
        rebuild(db)
    backend = SqliteSearch(db.conn, PATIENT_MS)
    pages = [backend.search("common", limit=50, offset=offset) for offset in range(0, 300, 50)]
    assert {(page.total, page.sessions, page.note, page.complete) for page in pages} == {(250, 5, None, True)}
    assert [len(page.hits) for page in pages] == [50, 50, 50, 50, 50, 0]
    assert {hit.text for page in pages for hit in page.hits} == {"common common words here"}
    assert len({(hit.session, hit.start_ms) for page in pages for hit in page.hits}) == 250


def test_match_in_segments_apart_shows_them_all() -> None:
    db = blank()
    add_transcript(db, add_session(db, add_event(db)), ["left here", "between", "right there", "left"])
    with transaction(db):
        rebuild(db)
    (hit,) = SqliteSearch(db.conn, PATIENT_MS).search("right left").hits
    assert (hit.text, marked(hit), hit.before) == ("right there left", ["right", "left"], "between")
    (hit,) = SqliteSearch(db.conn, PATIENT_MS).search("here there").hits
    assert (hit.text, marked(hit)) == ("left here … right there", ["here", "there"])


def test_match_in_text_that_folding_moves() -> None:
    db = blank()
    spoken = ["ﬁrst — 東京", "between", "\u0301Élan, ﬁnal"]
    add_transcript(db, add_session(db, add_event(db)), spoken)
    with transaction(db):
        rebuild(db)
    (hit,) = SqliteSearch(db.conn, PATIENT_MS).search("first final 京 elan").hits
    assert (hit.text, marked(hit)) == (f"{spoken[0]} … {spoken[2]}", ["ﬁrst", "京", "Élan", "ﬁnal"])
    (hit,) = SqliteSearch(db.conn, PATIENT_MS).search('"京 between elan"').hits
    assert (hit.text, marked(hit)) == (" ".join(spoken), ["京 between \u0301Élan"])


def test_context_is_cut_at_words() -> None:
    db = blank()
    long = " ".join(f"word{number}" for number in range(40))
    add_transcript(db, add_session(db, add_event(db)), [long, "middle", long])
    with transaction(db):
        rebuild(db)
    (hit,) = SqliteSearch(db.conn, PATIENT_MS).search("middle").hits
    assert re.fullmatch(r"…(word\d+ )+word39", hit.before)
    assert re.fullmatch(r"word0( word\d+)+…", hit.after)
    assert max(len(hit.before), len(hit.after)) <= 91


@pytest.mark.parametrize("length", [2, 17, 18, 40, 64])
def test_long_phrases_over_many_segments(length: int) -> None:
    db = blank()
    spoken = [f"w{number}" for number in range(600)]
    add_transcript(db, add_session(db, add_event(db)), [" ".join(spoken[at : at + 3]) for at in range(0, 600, 3)])
    with transaction(db):
        rebuild(db)
    backend = SqliteSearch(db.conn, PATIENT_MS)
    for start in range(0, 600 - length, 7):
        phrase = " ".join(spoken[start : start + length])
        assert [hit.start_ms for hit in backend.search(f'"{phrase}"').hits] == [start // 3 * 5_000]


def test_translation_does_not_lend_its_words_to_a_language(db: Database) -> None:
    add_transcript(db, 3, ["nothing else"], language="en")
    with transaction(db):
        rebuild(db)
    assert texts(db, "phare nothing exact:yes") == ["Le phare, the lighthouse."]
    assert texts(db, "phare nothing exact:yes", language="en") == []


class Stopwatch:
    """A clock that stands still for some looks, and then stands at another second."""

    def __init__(self, looks: int, then: float = 3600.0) -> None:
        self.looks = looks
        self.then = then

    def __call__(self) -> float:
        self.looks -= 1
        return 0.0 if self.looks >= 0 else self.then


def large() -> Database:
    db = blank()
    event = add_event(db)
    for number in range(20):
        add_transcript(db, add_session(db, event, f"talk-{number}"), ["the same words"] * 1600)
    with transaction(db):
        rebuild(db)
    return db


LARGE = large()


@pytest.mark.parametrize("looks", [0, 1, 2, 3, 5, 8, 13, 21, 34, 55])
def test_search_over_budget_gives_what_there_is(looks: int) -> None:
    found = SqliteSearch(LARGE.conn, clock=Stopwatch(looks)).search("the same words")
    if not found.complete:
        assert found.note == budget.OVER_BUDGET
    assert found.complete == (len(found.hits) == 20)


def test_search_that_ranks_too_long_gives_hits_unranked() -> None:
    found = SqliteSearch(LARGE.conn, clock=Stopwatch(3, then=0.6)).search("the same words")
    assert (len(found.hits), found.complete, found.note) == (20, False, budget.OVER_BUDGET)
    assert {hit.score for hit in found.hits} == {2.0}


def test_did_you_mean_goes_on_where_the_budget_ended_it() -> None:
    db = blank()
    spoken = [" ".join(f"word{number}" for number in range(at, at + 50)) for at in range(0, 5000, 50)]
    add_transcript(db, add_session(db, add_event(db)), [*spoken, "At the zoological garden."])
    with transaction(db):
        rebuild(db)
    kept = Kept()
    found = [SqliteSearch(db.conn, clock=Stopwatch(9), kept=kept).search("zoologicla") for _ in range(20)]
    assert (found[0].suggestion, found[0].complete) == (None, False)
    assert (found[-1].suggestion, found[-1].complete) == ("zoological", True)


def test_search_without_time() -> None:
    found = SqliteSearch(LARGE.conn, 0).search("same")
    assert (found.hits, found.complete, found.note) == ((), False, budget.OVER_BUDGET)
    assert SqliteSearch(LARGE.conn, PATIENT_MS).search("same").complete


def test_search_leaves_no_handler_behind(db: Database) -> None:
    SqliteSearch(db.conn, 0).search("fog")
    assert db.execute(
        "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n LIMIT 9999) SELECT max(i) FROM n"
    )


def test_search_over_rows_and_read_only_files(db: Database, tmp_path: Path) -> None:
    path = tmp_path / "published.db"
    db.execute("VACUUM INTO ?", [str(path)])
    published = open_readonly(path, immutable=True)
    published.conn.row_factory = sqlite3.Row
    for text in ("lighthouse", "okafor", "stood ship"):
        assert SqliteSearch(published.conn, PATIENT_MS).search(text) == SqliteSearch(db.conn, PATIENT_MS).search(text)
    published.close()


def test_search_in_a_damaged_file(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.db"
    path.write_bytes(b"no database" * 1000)
    with pytest.raises(CatalogueDamagedError):
        SqliteSearch(open_readonly(path).conn).search("fog")


LETTERS = st.sampled_from(
    ["the", "The", "re-use", "don't", "état", "e\u0301tat", "東京", "大", "का", "café", "x", "42", "…"]
)
SEGMENTS = st.lists(st.tuples(st.lists(LETTERS, max_size=6).map(" ".join), st.booleans()), min_size=1, max_size=60)


@settings(deadline=None)
@given(SEGMENTS, st.data())
def test_every_phrase_is_found_and_nothing_else(segments: list[tuple[str, bool]], data: st.DataObject) -> None:
    db = blank()
    doubtful = [at for at, (_, flagged) in enumerate(segments) if flagged]
    spoken = [text for text, _ in segments]
    add_transcript(db, add_session(db, add_event(db)), spoken, doubtful=doubtful)
    with transaction(db):
        rebuild(db)
    assert verify(db) == []
    runs = scan(spoken, set(doubtful))
    run = data.draw(st.sampled_from([run for run in runs if len(run) > 1] or [[("the", 0), ("the", 0)]]))
    start = data.draw(st.integers(0, len(run) - 2))
    phrase = [word for word, _ in run[start : start + data.draw(st.integers(2, 8))]]
    expected = {at * 5_000 for found in runs for at in occurrences(found, phrase)}
    hits = SqliteSearch(db.conn, PATIENT_MS).search(f'"{" ".join(phrase)}"', limit=1000).hits
    assert {hit.start_ms for hit in hits} == expected
    assert all(fold_all([hit.text[slice(*match)]])[: len(phrase)] == phrase for hit in hits for match in hit.matches)


def fold_all(texts: list[str]) -> list[str]:
    """The words of the alphabet above, by means other than the ones under test."""
    pieces = re.findall(r"[東京大]|का|[\w\u0301]+", " ".join(texts))
    return [piece.lower().replace("e\u0301", "e").replace("é", "e") for piece in pieces]


def scan(texts: list[str], doubtful: set[int]) -> list[list[tuple[str, int]]]:
    """Return runs of words between doubtful segments, each word with its segment."""
    runs: list[list[tuple[str, int]]] = [[]]
    for at, text in enumerate(texts):
        if at in doubtful:
            runs.append([])
        else:
            runs[-1] += [(word, at) for word in fold_all([text])]
    return runs


def occurrences(run: list[tuple[str, int]], phrase: list[str]) -> list[int]:
    words = [word for word, _ in run]
    return [at for start, (_, at) in enumerate(run) if words[start : start + len(phrase)] == phrase]


@pytest.mark.data
@pytest.mark.skipif(not CORPUS.is_dir(), reason="no corpus: set ROSTRA_TEST_DATA")
def test_phrases_of_real_text() -> None:
    """Phrases of 2–8 words, over any boundary: all that a scan finds, and nothing else."""
    corpus = read_corpus()
    db = blank()
    event = add_event(db)
    with transaction(db):
        for number, segments in enumerate(corpus):
            add_transcript(db, add_session(db, event, f"talk-{number}"), segments)
        rebuild(db)
    spoken = {f"talk-{n}": [(w, at) for at, text in enumerate(s) for w in latin(text)] for n, s in enumerate(corpus)}
    pairs: defaultdict[tuple[str, str], list[tuple[str, int]]] = defaultdict(list)
    for slug, run in spoken.items():
        for place, ((first, _), (second, _)) in enumerate(pairwise(run)):
            pairs[first, second].append((slug, place))
    backend = SqliteSearch(db.conn, 60_000)
    choose = random.Random(11)  # noqa: S311 the same phrases each time
    for _ in range(200):
        run = spoken[choose.choice([slug for slug, run in spoken.items() if len(run) > 8])]
        start, size = choose.randrange(len(run) - 8), choose.randint(2, 8)
        phrase = [word for word, _ in run[start : start + size]]
        expected = {
            (slug, spoken[slug][place][1] * 5_000)
            for slug, place in pairs[phrase[0], phrase[1]]
            if [word for word, _ in spoken[slug][place : place + size]] == phrase
        }
        found = backend.search(f'"{" ".join(phrase)}"', limit=10_000)
        hits = {(hit.session, hit.start_ms) for hit in found.hits}
        assert hits <= expected, phrase
        assert hits == expected or len(found.hits) > by_moment.ALL, phrase
