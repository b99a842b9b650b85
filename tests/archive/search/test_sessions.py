from dataclasses import replace

import pytest

from archive.connection import transaction
from archive.index.passages import rebuild
from archive.search import budget
from archive.search import sqlite_search as search
from archive.search.cache import Kept
from archive.search.results import SessionResult, SessionResults
from archive.search.retrieve import ORDER_CHECKED_SESSIONS
from archive.search.session_table import FacetValue
from archive.search.sqlite_search import Filters, SqliteSearch
from archive.sqlite import Database
from tests.archive.build import PATIENT_MS, add_event, add_session, add_transcript, blank


@pytest.mark.parametrize(
    "text", ["run", "running", "it run", '"it runs"', "it OR run", "run -nothing", "it near/3 run"]
)
def test_moments_are_counted_where_more_passages_match_than_are_read(text: str) -> None:
    db = blank()
    passage = ["nothing to see in this one"] * 15
    ends = ("it runs", "run", "it runs and runs", "run", "it", "running it")
    texts = [line for said in ends for line in (*passage, said)]
    for slug, times in (("short", 1), ("long", 4)):
        add_transcript(db, add_session(db, 1 if slug == "long" else add_event(db), slug), texts * times)
    with transaction(db):
        rebuild(db)
    backend = SqliteSearch(db.conn, PATIENT_MS, kept=Kept())
    for found in backend.sessions(text, count_more=True).sessions:
        exact = backend.count_within(text, found.event, found.session)
        assert exact == backend.within(text, found.event, found.session).total
        assert (found.count, found.counted) == (exact, "moments") or (found.counted, found.session) == (
            "passages",
            "long",
        )


@pytest.fixture(scope="module")
def db() -> Database:
    """Three sessions of two events; doubtful words in one, a word on its own in another."""
    db = blank()
    db.execute("INSERT INTO series(id, slug, title) VALUES (1, 'schools', 'Winter Schools')")
    winter = add_event(db, "winter-school", title="Winter School", start_date="2022-02-19")
    db.execute("UPDATE event SET series_id = 1 WHERE id = ?", [winter])
    summer = add_event(db, "summer", title="Summer University", start_date="2023-07-01")
    fog = add_session(
        db, winter, "fog", ["Noor Okafor"], title="Fog and light", kind="keynote", track="Sea",
        start_at="2022-02-19T10:00:00+00:00", start_utc="2022-02-19T10:00:00Z",
    )  # fmt: skip
    add_transcript(
        db, fog, ["The lighthouse stood in fog.", *["Waves came."] * 40, "The lighthouse again."], doubtful=[3]
    )
    lamps = add_session(db, winter, "lamps", ["Ada Levi"], title="Lamps", track="Land")
    add_transcript(db, lamps, ["A lamp is no lighthouse.", "It burns oil."], language="en-GB")
    phare = add_session(db, summer, "phare", ["Noor Okafor"], title="Le phare", language="fr")
    add_transcript(db, phare, ["Le phare éclaire la mer.", "Des vagues."], language="fr")
    with transaction(db):
        rebuild(db)
    return db


def slugs(found: SessionResults) -> list[str]:
    return [each.session for each in found.sessions]


def test_a_session_with_its_moments_and_where_they_lie(db: Database) -> None:
    found = SqliteSearch(db.conn, PATIENT_MS).sessions("lighthouse fog")
    result, other = found.sessions
    assert (found.total, found.exact, other.session, other.match) == (2, 1, "lamps", "some words")
    assert replace(result, hits=(), score=0.0) == SessionResult(
        event="winter-school",
        event_title="Winter School",
        session="fog",
        title="Fog and light",
        url="/events/winter-school/fog",
        start_at="2022-02-19T10:00:00+00:00",
        duration_ms=210_000,
        hits=(),
        count=1,
        places=((0, 5_000),),
        score=0.0,
    )
    assert [(hit.text, hit.start_ms, hit.matches) for hit in result.hits] == [
        ("The lighthouse stood in fog.", 0, ((4, 14), (24, 27)))
    ]


def test_facets_count_sessions(db: Database) -> None:
    found = SqliteSearch(db.conn, PATIENT_MS).sessions("lighthouse OR phare")
    assert found.facets == {
        "event": (FacetValue("winter-school", "Winter School", 2), FacetValue("summer", "Summer University", 1)),
        "series": (FacetValue("schools", "Winter Schools", 2),),
        "person": (
            FacetValue("Ada Levi-2", "Ada Levi", 1),
            FacetValue("Noor Okafor-1", "Noor Okafor", 1),
            FacetValue("Noor Okafor-3", "Noor Okafor", 1),
        ),
        "language": (FacetValue("en", "en", 2), FacetValue("en-GB", "en-GB", 1), FacetValue("fr", "fr", 1)),
        "track": (FacetValue("Land", "Land", 1), FacetValue("Sea", "Sea", 1)),
        "year": (FacetValue("2022", "2022", 2), FacetValue("2023", "2023", 1)),
        "kind": (FacetValue("talk", "talk", 2), FacetValue("keynote", "keynote", 1)),
    }
    assert found.total == 3
    for name, values in found.facets.items():
        for value, _, count in values:
            chosen = Filters(**{name: value})
            assert SqliteSearch(db.conn, PATIENT_MS).sessions("lighthouse OR phare", chosen).total == count


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(event="winter-school"), ["fog", "lamps"]),
        (Filters(session="lamps"), ["lamps"]),
        (Filters(series="schools"), ["fog", "lamps"]),
        (Filters(person="Ada Levi-2"), ["lamps"]),
        (Filters(language="en"), ["fog", "lamps"]),
        (Filters(language="French"), ["phare"]),
        (Filters(track="Sea"), ["fog"]),
        (Filters(year="2023"), ["phare"]),
        (Filters(kind="keynote"), ["fog"]),
        (Filters(kind="keynote", year="2023"), []),
        (Filters(event="\ud800"), []),
    ],
)
def test_filters(db: Database, filters: Filters, expected: list[str]) -> None:
    assert sorted(slugs(SqliteSearch(db.conn, PATIENT_MS).sessions("lighthouse OR phare", filters))) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("with:okafor", ["fog", "phare"]),
        ('person:"noor okafor"', ["fog", "phare"]),
        ("-with:okafor", ["lamps"]),
        ("event:winter", ["fog", "lamps"]),
        ("event:winter-school", ["fog", "lamps"]),
        ("series:schools", ["fog", "lamps"]),
        ("title:fog", ["fog"]),
        ("language:fr", ["phare"]),
        ("-language:fr", ["fog", "lamps"]),
        ("track:sea", ["fog"]),
        ("track:sea OR track:land", ["fog", "lamps"]),
        ("year:2023", ["phare"]),
        ("-year:2023", ["fog", "lamps"]),
        ("after:2022-02-20", ["phare"]),
        ("before:2022-02-20", ["fog", "lamps"]),
        ("after:2022 before:2023", ["fog", "lamps"]),
        ("kind:keynote", ["fog"]),
        ("event:nowhere", []),
    ],
)
@pytest.mark.parametrize("words", ["", "lighthouse OR phare"])
def test_fields(db: Database, words: str, text: str, expected: list[str]) -> None:
    query = f"({words}) ({text})" if words else text
    backend = SqliteSearch(db.conn, PATIENT_MS)
    assert sorted(slugs(backend.sessions(query))) == expected
    assert sorted({hit.session for hit in backend.search(query).hits}) == expected


def test_session_of_which_only_the_day_is_known_was_on_that_day() -> None:
    """Not on the first of its event, which may be in another year."""
    db = blank()
    with transaction(db):
        event = add_event(db, "turn", start_date="2022-12-31", end_date="2023-01-01")
        for slug, when in (("eve", {}), ("morning", {"day": "2023-01-01", "start_utc": "2023-01-01"})):
            add_transcript(db, add_session(db, event, slug, **when), ["Bells were rung."])
        rebuild(db)
    backend = SqliteSearch(db.conn, PATIENT_MS)
    for query in ("bells", ""):
        asked = {
            text: sorted(slugs(backend.sessions(f"{query} {text}")))
            for text in ("year:2022", "year:2023", "after:2023-01-01", "before:2023-01-01")
        }
        assert asked == dict(zip(asked, [["eve"], ["morning"], ["morning"], ["eve"]], strict=True))
    found = backend.sessions("bells", Filters(since="2023-01-01"))
    assert [(each.session, each.start_at) for each in found.sessions] == [("morning", "2023-01-01")]
    assert {each.value for each in (found.facets or {})["year"]} == {"2023"}
    assert sorted(db.execute("SELECT session, date FROM said").fetchall()) == [
        ("eve", "2022-12-31"),
        ("morning", "2023-01-01"),
    ]


def test_what_is_doubtful_is_found_only_when_asked_for(db: Database) -> None:
    backend = SqliteSearch(db.conn, PATIENT_MS)
    (hit,) = backend.search("waves doubtful:yes").hits
    assert (hit.session, hit.start_ms, hit.text, hit.matches) == ("fog", 15_000, "Waves came.", ((0, 5),))
    (session,) = backend.sessions("waves doubtful:yes").sessions
    assert (session.session, session.count, session.places) == ("fog", 1, ((15_000, 20_000),))
    assert 15_000 not in {hit.start_ms for hit in backend.search("waves", limit=100).hits}
    assert backend.search("lighthouse doubtful:yes").hits == ()


def test_words_near_each_other(db: Database) -> None:
    backend = SqliteSearch(db.conn, PATIENT_MS)
    assert slugs(backend.sessions("lamp near/2 lighthouse")) == ["lamps"]
    assert slugs(backend.sessions("lamp near/1 lighthouse")) == []
    (hit,) = backend.search("lighthouse near/2 lamp").hits
    assert hit.matches == ((2, 6), (13, 23))


def test_sort_by_date_and_pages_by_key(db: Database) -> None:
    backend = SqliteSearch(db.conn, PATIENT_MS)
    for sort, expected in (("date", ["phare", "fog", "lamps"]), ("relevance", ["lamps", "fog", "phare"])):
        seen: list[str] = []
        after = None
        for _ in range(3):
            page = backend.sessions("lighthouse OR phare", sort=sort, limit=1, after=after)  # type: ignore[arg-type]
            seen += slugs(page)
            after = page.next
        assert (sorted(seen), after) == (sorted(expected), None)
        if sort == "date":
            assert seen == expected


@pytest.mark.parametrize(
    "after", ["", "x", "[]", "[1,2]", '["a","b","c"]', "1e999", "[" * 9999, '{"a":1}', "[null,0,0]"]
)
def test_a_key_that_is_none_of_ours_gives_the_first_page(db: Database, after: str) -> None:
    backend = SqliteSearch(db.conn, PATIENT_MS)
    assert backend.sessions("lighthouse", after=after) == backend.sessions("lighthouse")


def test_did_you_mean(db: Database) -> None:
    backend = SqliteSearch(db.conn, PATIENT_MS)
    assert backend.sessions("lihgthouse foz").suggestion is None  # three letters are too few for a mistake
    assert backend.sessions("Lihgthouse Fog").suggestion == "lighthouse Fog"
    assert backend.sessions('"the lighthuose"').suggestion == '"the lighthouse"'
    assert backend.sessions("with:okafor lihgthouse").suggestion == "with:okafor lighthouse"
    assert backend.sessions("okafro").suggestion == "okafor"
    for text in ("qqqqqqq", "zeppelin", "xk", "lighthouse -lighthouse", "burns vagues exact:yes"):
        found = backend.sessions(text)
        assert (found.sessions, found.suggestion) == ((), None)


def test_did_you_mean_among_moments(db: Database) -> None:
    backend = SqliteSearch(db.conn, PATIENT_MS)
    found = backend.search("lihgthouse")
    assert ([(hit.match, hit.session) for hit in found.hits], found.suggestion) == (
        [("some words", session) for session in ("fog", "fog", "lamps")], "lighthouse",
    )  # fmt: skip
    assert backend.search("lighthouse").suggestion is None
    assert backend.search("lihgthouse", event="summer").suggestion is None  # there it would find nothing
    assert backend.search("doubtful:yes lihgthouse").suggestion is None


def test_pages_by_key_are_those_of_one_long_page_whichever_forms_they_reach() -> None:
    db = blank()
    event = add_event(db)
    for number in range(6):
        spoken = ["Lamps burn."] * (number + 1) if number % 2 else ["A lamp burns.", *["The sea."] * number]
        add_transcript(db, add_session(db, event, f"s{number}"), spoken)
    with transaction(db):
        rebuild(db)
    backend = SqliteSearch(db.conn, PATIENT_MS)
    whole = backend.sessions("lamps", limit=100)
    assert slugs(whole)[:3] == ["s5", "s3", "s1"]
    for limit in (1, 2, 3, 4):
        seen: list[SessionResult] = []
        after = None
        while len(seen) < 6:
            page = backend.sessions("lamps", limit=limit, after=after)
            assert (page.total, page.facets) == (6, whole.facets)
            seen, after = [*seen, *page.sessions], page.next
        assert (tuple(seen), after) == (whole.sessions, None)


def test_words_that_stand_together_come_before_words_that_are_said_oftener() -> None:
    db = blank()
    event = add_event(db)
    apart = ["Oil is oil.", *["The sea."] * 40, "A museum is a museum."]
    add_transcript(db, add_session(db, event, "apart"), apart)
    add_transcript(db, add_session(db, event, "together"), ["Oil in a museum.", *["The sea."] * 40, "The sea."])
    with transaction(db):
        rebuild(db)
    backend = SqliteSearch(db.conn, PATIENT_MS)
    assert slugs(backend.sessions("oil museum")) == ["together", "apart"]


def test_words_in_some_order_are_seen_in_the_text_of_few_sessions_as_in_the_index_of_many() -> None:
    db = blank()
    event = add_event(db)
    other = ["out of the way they keep oil for a time, and a lamp in that old house over there"] * 30
    for number in range(ORDER_CHECKED_SESSIONS + 1):
        texts = [*other, "a lamp of oil", *other, "a lamp with oil", *other, "a lamp of oil, lamps of oil"]
        add_transcript(db, add_session(db, event, f"s{number}"), texts)
    with transaction(db):
        rebuild(db)
    backend = SqliteSearch(db.conn, PATIENT_MS)
    for text, count in (
        ('"lamp of oil"', 2),
        ("lamp near/1 oil", 3),
        ('"lamp of oil" lamps', 2),
        ('lamps "of oil"', 2),
    ):
        many = backend.sessions(text)
        assert [each.count for each in many.sessions] == [count] * (ORDER_CHECKED_SESSIONS + 1), text
        for each in many.sessions:
            (few,) = backend.sessions(text, Filters(session=each.session)).sessions
            assert (few.count, few.places) == (count, each.places)
            assert [hit.text for hit in few.hits] == [hit.text for hit in each.hits]


def test_what_is_left_out_is_left_out_of_moments_not_of_sessions() -> None:
    db = blank()
    event = add_event(db)
    add_transcript(db, add_session(db, event, "both"), ["Oil lamps.", "A museum.", *["Waves."] * 40, "More oil lamps."])
    add_transcript(db, add_session(db, event, "never"), ["Oil lamps."])
    add_transcript(db, add_session(db, event, "beside"), ["Oil lamps in a museum."])
    with transaction(db):
        rebuild(db)
    backend = SqliteSearch(db.conn, PATIENT_MS)
    for text in ("oil -museum", "oil NOT museum", 'oil -"a museum"'):
        found = backend.sessions(text)
        assert [(each.session, [hit.text for hit in each.hits]) for each in found.sessions] == [
            ("never", ["Oil lamps."]),
            ("both", ["More oil lamps."]),
        ]


@pytest.mark.parametrize(
    ("query", "filters", "note"),
    [
        ("fog language:klingon", Filters(), "No session is in Klingon."),
        ("language:klingon", Filters(), "No session is in Klingon."),
        ("fog", Filters(language="tlh"), "No session is in Klingon."),
        ("fog event:nowhere", Filters(), "No session matches event:nowhere."),
        ('fog with:"Nobody Here"', Filters(), 'No session matches with:"nobody here".'),
        ("fog kind:panel year:1066", Filters(), "No session matches kind:panel. No session matches year:1066."),
        ("fog", Filters(event="nowhere"), "No session matches event:nowhere."),
        ("zeppelin language:en", Filters(), None),
    ],
)
def test_what_no_session_is_in_is_told(db: Database, query: str, filters: Filters, note: str | None) -> None:
    backend = SqliteSearch(db.conn, PATIENT_MS)
    found = backend.sessions(query, filters)
    assert (found.sessions, found.note) == ((), note)
    if filters.language is filters.event:
        assert backend.search(query).note == note


def test_nothing_to_search_for(db: Database) -> None:
    backend = SqliteSearch(db.conn, PATIENT_MS)
    assert backend.sessions("…") == SessionResults(note="There is no word in this search: type a word, or a"
                                                   ' "phrase" in quotes.')  # fmt: skip
    assert backend.sessions("fog", Filters(language="Klatchian")) == SessionResults(note=search.UNKNOWN_LANGUAGE)


def test_without_time_there_are_no_results_and_a_note(db: Database) -> None:
    found = SqliteSearch(db.conn, 0).sessions("lighthouse")
    assert (found.sessions, found.complete, found.note) == ((), False, budget.OVER_BUDGET)


def test_many_passages_are_looked_up_in_the_sessions_of_the_page() -> None:
    db = blank()
    event = add_event(db)
    for number in range(3):
        texts = ["common words here"] * 16 * (700 + number)
        add_transcript(db, add_session(db, event, f"talk-{number}"), texts)
    with transaction(db):
        rebuild(db)
    for text in ("common words", "comm*", "common -rare"):
        found = SqliteSearch(db.conn, 60_000).sessions(text, limit=2)
        assert (found.total, found.complete) == (3, True)
        assert [(each.count, len(each.places), len(each.hits)) for each in found.sessions] == [
            (int(each.session[-1]) + 700, 500, 3) for each in found.sessions
        ]


def test_moments_of_many_passages_are_as_typed_first() -> None:
    db = blank()
    passage = ["nothing to see in this one"] * 15
    texts = [line for said in ("it runs", "a run", "it runs", "run", "running", "run run") for line in (*passage, said)]
    add_transcript(db, add_session(db, add_event(db)), texts)
    with transaction(db):
        rebuild(db)
    (found,) = SqliteSearch(db.conn, PATIENT_MS).sessions("run").sessions
    assert (found.count, [hit.text for hit in found.hits]) == (6, ["run run", "a run", "run"])
    (found,) = SqliteSearch(db.conn, PATIENT_MS).sessions("running").sessions
    assert (found.count, found.hits[0].text, len(found.hits)) == (6, "running", 3)


@pytest.fixture(scope="module")
def interpreted() -> Database:
    """Sessions that were heard in several languages, and one in a single one."""
    db = blank()
    event = add_event(db)
    for slug, heard in (
        ("both", {"en": ["A radio tower.", "It is tall."], "fr": ["Une radio.", "Elle est haute."]}),
        ("once", {"en": ["The radio is on."], "fr": ["Elle chante.", "Le piano aussi."]}),
        ("regions", {"en": ["Nothing."], "en-GB": ["A wireless, or radio."]}),
        ("apart", {"en": ["A tower and", *["more words"] * 60, "a piano."], "fr": ["Un piano."]}),
        ("single", {"fr": ["Un piano", *["et encore"] * 60, "une radio."]}),
    ):
        session = add_session(db, event, slug, title=f"On {slug}")
        for language, texts in heard.items():
            add_transcript(db, session, texts, language=language, doubtful=[1] if slug == "both" else ())
    with transaction(db):
        rebuild(db)
    return db


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("radio", {"en": 3, "fr": 2, "en-GB": 1}),
        ("piano radio exact:yes", {"fr": 1}),
        ("tower piano exact:yes", {"en": 0}),
        ("radio -tower", {"en": 2, "fr": 2, "en-GB": 1}),
        ("a OR b OR c OR d OR e OR f OR g OR h OR piano", {"en": 3, "fr": 3, "en-GB": 1}),
        ("(est OR tall OR radio) doubtful:yes", {"en": 1, "fr": 1}),
        ("title:on", {"en": 4, "fr": 4, "en-GB": 1}),
    ],
)
def test_facets_count_the_languages_in_which_something_was_said(
    interpreted: Database, text: str, expected: dict[str, int]
) -> None:
    backend = SqliteSearch(interpreted.conn, PATIENT_MS)
    counted = {value: count for value, _, count in (backend.sessions(text).facets or {}).get("language", ())}
    chosen = {tag: backend.sessions(text, Filters(language=tag)).total for tag in ("en", "fr", "en-GB")}
    assert counted == {tag: total for tag, total in chosen.items() if total}
    assert counted == {tag: count for tag, count in expected.items() if count}
