import pytest

from archive.connection import transaction
from archive.index.passages import rebuild
from archive.index.stems import ALGORITHMS
from archive.search.filters import Filters
from archive.search.function_words import function_words, list_of, lists
from archive.search.partial import LISTED, OTHERWISE, PIECES, Parts, Term, take_apart
from archive.search.query import And, Near, Not, Or, Phrase, Prefix, Word, parse_query
from archive.search.results import FEWER, PARTLY, SessionResults
from archive.search.sessions import CHANCE_TERMS
from archive.search.sqlite_search import SqliteSearch
from archive.sqlite import Database
from tests.archive.build import PATIENT_MS, add_event, add_session, add_transcript, blank

OTHER = ["The boats went out with the tide."] * 40


@pytest.fixture(scope="module")
def db() -> Database:
    """Talks at a harbour, with much else around them."""
    return _archive(
        {
            "keeper": ["The keeper of the lighthouse mended the lantern at night.", *OTHER],
            "lantern": ["We bought a lantern.", *OTHER, "A lighthouse is high."],
            "harbour": [*OTHER, "The harbour master wrote a schedule for the ferries.", *OTHER],
            "ferry": ["The ferry has no schedule.", *OTHER],
            "database": ["They keep a database of wrecks.", *OTHER],
            "graphql": ["Okafor said that GraphQL is a mistake.", *OTHER],
            "sea": OTHER,
        }
    )


def _archive(talks: dict[str, list[str]], language: str = "en") -> Database:
    db = blank()
    event = add_event(db, start_date="2022-02-19")
    for number, (slug, texts) in enumerate(talks.items()):
        session = add_session(db, event, slug, title=f"Talk {number}", kind="keynote" if slug == "lantern" else "talk")
        add_transcript(db, session, texts, language=language)
    with transaction(db):
        rebuild(db)
    return db


def found(db: Database, query: str, filters: Filters | None = None) -> list[tuple[str, str]]:
    results = SqliteSearch(db.conn, PATIENT_MS).sessions(query, filters or Filters())
    return [(each.session, each.match) for each in results.sessions]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("keeper", ["keeper: all"]),
        ("lighthouse lantern", ["keeper: all", "lantern: all"]),
        ("lighthouse keeper lantern", ["keeper: all", "lantern: some"]),
        # Near each other first, and what is rare before what is not.
        ("lighthouse lantern zeppelin", ["keeper: some", "lantern: some"]),
        ("keeper schedule lighthouse", ["keeper: some", "lantern: some", "harbour: some", "ferry: some"]),
        # An apostrophe, a hyphen, more than eight words.
        ("what is Okafor's complaint about GraphQL", ["graphql: some"]),
        ("light-house keeper zeppelin", ["keeper: some", "lantern: some"]),
        ("one two three five six seven eight nine keeper", ["keeper: some"]),
        # Mistakes, with the right word beside them or alone; in a word that nobody said, and in one that few did.
        ("lihgthouse keepr", ["keeper: some", "lantern: some", "database: some"]),
        ("shedule ferries", ["harbour: some", "ferry: some"]),
        ("grapqhl", ["graphql: some"]),
        # In two words or in one, and with another ending.
        ("data base wrecks airship", ["database: some"]),
        ("harbourmaster airship", ["harbour: some"]),
        ("bookkeeper lanterns zeppelin", ["keeper: some", "lantern: some"]),
        # A phrase stays one, and so does what is to be near.
        ('"lighthouse keeper" lantern', []),
        ('"the lighthouse" zeppelin', ["keeper: some"]),
        ('"the lighthouse" "the schedule" "a lantern"', ["keeper: some", "lantern: some"]),
        ('"lihgthouse"', []),
        ("keeper near/2 lighthouse zeppelin", ["keeper: some"]),
        ("keeper near/1 lighthouse", []),
        # What is left out stays left out.
        ("lighthouse lantern zeppelin -keeper", ["lantern: some"]),
        ("zeppelin schedule NOT ferry", ["harbour: some"]),
        ('zeppelin schedule -"no schedule"', ["harbour: some"]),
        # Fields.
        ("lighthouse zeppelin kind:keynote", ["lantern: some"]),
        ("lighthouse zeppelin -kind:keynote", ["keeper: some"]),
        ("lighthouse zeppelin exact:yes", []),
        ("lighthouse zeppelin exact:no", ["keeper: some", "lantern: some"]),
        ("lighthouse zeppelin doubtful:yes", []),
        # Either of two.
        ("zeppelin (keeper OR ferries)", ["keeper: some", "harbour: some", "ferry: some"]),
        ("(zeppelin keeper) OR (airship ferries)", ["keeper: some", "harbour: some", "ferry: some"]),
        ("keeper OR zeppelin", ["keeper: all"]),
        ("zeppelin airship", []),
        ("zeppel*", []),
    ],
)
def test_sessions_with_most_of_a_query_follow_those_with_all(db: Database, query: str, expected: list[str]) -> None:
    assert [f"{session}: {match.removesuffix(' words')}" for session, match in found(db, query)] == expected


def test_filters_hold_for_what_has_some_words(db: Database) -> None:
    assert found(db, "lighthouse zeppelin", Filters(kind="keynote")) == [("lantern", "some words")]
    assert found(db, "lighthouse zeppelin", Filters(session="sea")) == []
    assert found(db, "lighthouse zeppelin", Filters(language="de")) == []


def test_a_session_with_some_words_shows_the_moments_that_have_them(db: Database) -> None:
    results = SqliteSearch(db.conn, PATIENT_MS).sessions("lantern lighthouse zeppelin")
    assert (results.total, results.exact, results.note) == (2, 0, PARTLY)
    first, second = results.sessions
    assert [(hit.text, hit.matches, hit.match) for hit in first.hits] == [
        ("The keeper of the lighthouse mended the lantern at night.", ((18, 28), (40, 47)), "some words")
    ]
    assert (first.count, first.places) == (1, ((0, 5_000),))
    assert [(hit.text, hit.start_ms) for hit in second.hits] == [
        ("We bought a lantern.", 0),
        ("A lighthouse is high.", 205_000),
    ]
    assert first.score > second.score > 0.0
    assert {facet.value: facet.sessions for facet in (results.facets or {})["kind"]} == {"keynote": 1, "talk": 1}


def test_moments_with_some_words_follow_those_with_all(db: Database) -> None:
    backend = SqliteSearch(db.conn, PATIENT_MS)
    results = backend.search("lighthouse lantern keeper")
    assert [(hit.session, hit.start_ms, hit.match) for hit in results.hits] == [
        ("keeper", 0, "all words"),
        ("lantern", 0, "some words"),
        ("lantern", 205_000, "some words"),
    ]
    assert (results.total, results.sessions, results.note) == (3, 2, None)
    assert [hit.score for hit in results.hits] == sorted([hit.score for hit in results.hits], reverse=True)
    pages = [backend.search("lighthouse lantern keeper", limit=1, offset=at) for at in range(4)]
    assert [page.hits for page in pages] == [*((hit,) for hit in results.hits), ()]
    assert {page.total for page in pages} == {3}
    only = backend.search("lantern zeppelin", session="lantern")
    assert ([hit.text for hit in only.hits], only.note) == (["We bought a lantern."], PARTLY)
    assert backend.search("lantern zeppelin exact:yes").hits == ()


def test_there_is_a_suggestion_beside_what_has_some_words(db: Database) -> None:
    results = SqliteSearch(db.conn, PATIENT_MS).sessions("lihgthouse keeper")
    assert results.suggestion == "lighthouse keeper"
    assert [each.session for each in results.sessions] == ["keeper", "lantern"]
    assert SqliteSearch(db.conn, PATIENT_MS).sessions("lighthouse keeper lantern").suggestion is None


def test_of_a_long_query_the_words_are_to_stand_together() -> None:
    words = ["amber", "basil", "cedar", "delta", "ember"]
    assert len(words) > CHANCE_TERMS
    db = _archive(
        {
            "apart": [line for word in words for line in (f"A {word}.", *OTHER)],
            "nearly": [*OTHER, "Some amber and basil, cedar, delta."],
            "together": [*OTHER, "Some amber and basil, cedar, delta, ember."],
        }
    )
    assert found(db, " ".join(words)) == [
        ("together", "all words"), ("nearly", "some words"), ("apart", "some words"),
    ]  # fmt: skip
    assert found(db, " ".join(words[:CHANCE_TERMS])) == [
        ("nearly", "all words"), ("together", "all words"), ("apart", "all words"),
    ]  # fmt: skip


def test_nobody_looks_for_some_words_where_enough_sessions_have_all() -> None:
    talks = {f"t{number}": ["amber and basil", *OTHER] for number in range(FEWER)}
    assert found(_archive(talks | {"some": ["amber"]}), "amber basil") == [(slug, "all words") for slug in talks]


def test_pages_by_key_go_on_from_all_words_to_some(db: Database) -> None:
    talks = {f"all{number}": ["amber and basil", *OTHER] for number in range(3)}
    talks |= {f"some{number}": [*["amber"] * (number + 1), *OTHER] for number in range(LISTED + 3)}
    backend = SqliteSearch(_archive(talks).conn, PATIENT_MS)
    for sort in ("relevance", "date"):
        whole = backend.sessions("amber basil", sort=sort, limit=100)  # type: ignore[arg-type]
        assert (whole.total, whole.exact, len(whole.sessions)) == (LISTED + 3, 3, LISTED + 3)
        assert [each.match for each in whole.sessions] == ["all words"] * 3 + ["some words"] * LISTED
        seen: list[SessionResults] = []
        after = None
        while len(seen) < 11:
            seen.append(backend.sessions("amber basil", sort=sort, limit=5, after=after))  # type: ignore[arg-type]
            after = seen[-1].next
        assert after is None
        assert tuple(each for page in seen for each in page.sessions) == whole.sessions


def test_function_words_of_another_language_decide_nothing() -> None:
    db = _archive(
        {
            "harbour": ["The harbour is deep.", *OTHER],
            "german": ["Das ist der Leuchtturm, und das ist nicht die See.", *OTHER],
        }
    )
    assert [session for session, _ in found(db, "das ist nicht der harbour und die Kneipe")] == ["harbour"]


@pytest.mark.parametrize(
    ("language", "query", "answer", "chatter", "other"),
    [
        (
            "en",
            "what did somebody say about lighthouses and maps",
            "A lighthouse stands there.",
            "What did they do about it, and what did somebody else do?",
            "The boats went out with the tide.",
        ),
        (
            "en",
            "what's it that doesn't work with lighthouses near maps",
            "A lighthouse stands there.",
            "What's that? It doesn't go with this, it's near.",
            "Boats went out.",
        ),
        ("en", "about lighthouses", "A lighthouse stands there.", "About, about.", "Boats went out."),
        (
            "de",
            "was hat man denn über Leuchttürme und Karten gesagt",
            "Ein Leuchtturm steht dort.",
            "Was hat man denn über uns und über euch?",
            "Boote fuhren hinaus.",
        ),
        (
            "fr",
            "qu'est-ce que l'on a dit sur les phares et les cartes",
            "Un phare est loin.",
            "Qu'est-ce que l'on a sur les uns et sur les autres ?",
            "Bateaux partis.",
        ),
        (
            "fi",
            "mitä hän sanoi siitä kun majakka ja kartta",
            "Majakka seisoo.",
            "Mitä hän ja siitä kun ei mitään ja hän.",
            "Veneet lähtivät.",
        ),
        ("et", "mida ta ütles selle kohta et majakas", "Majakas seisab.", "Mida ta selle kohta et.", "Paadid läksid."),
        ("lt", "ką jis sakė apie tai kad švyturys", "Švyturys stovi.", "Ką jis apie tai kad.", "Valtys išplaukė."),
        ("sr", "шта је он рекао о томе где је светионик", "Светионик стоји.", "Шта је он о где је.", "Чамци отишли."),
        ("eo", "kion li diris pri tio ke lumturo", "Lumturo staras.", "Kion li pri tio ke.", "Boatoj foriris."),
        ("ru", "что он сказал про то где маяк", "Маяк стоит.", "Что он про то где.", "Лодки ушли."),
        ("fa", "او درباره این چه گفت که فانوس", "فانوس روشن", "او درباره این چه که", "قایق رفت"),
    ],
)  # fmt: skip
def test_function_words_decide_nothing_in_a_small_archive(
    language: str, query: str, answer: str, chatter: str, other: str
) -> None:
    db = _archive({"chatter": [chatter, *[other] * 40], "answer": [*[other] * 40, answer]}, language)
    assert found(db, query)[0] == ("answer", "some words")


@pytest.mark.parametrize(
    ("asked", "spoken", "expected"),
    [
        (["warum", "ist", "das", "bitcoin"], "en", ("de", {"warum", "ist", "das"})),
        # One word is enough in the language that an archive speaks, of whatever country, and in no other.
        (["das", "bitcoin"], "en", ("", set())),
        (["das", "bitcoin"], "de-AT", ("de", {"das"})),
        (["hva", "bitcoin"], "nn", ("nb", {"hva"})),
        # As many words in two languages: it is the archive's.
        (["die", "in"], "de", ("de", {"die", "in"})),
        (["in", "die"], "nl", ("nl", {"die", "in"})),
        # Written apart from the rest of its word.
        (["qu", "est", "ce", "phare"], "fr", ("fr", {"qu", "est", "ce"})),
        (["didn", "you", "lighthouse"], "und", ("en", {"didn", "you"})),
        ([], "en", ("", set())),
        (["bitcoin"], "tlh", ("", set())),
    ],
)
def test_a_language_is_told_by_its_function_words(
    asked: list[str], spoken: str, expected: tuple[str, set[str]]
) -> None:
    assert function_words(asked, spoken) == expected


@pytest.mark.parametrize("language", sorted(ALGORITHMS))
def test_every_language_that_is_stemmed_has_function_words(language: str) -> None:
    # Longer lists than that have words that mean something.
    assert 40 <= len(lists()[list_of(language)]) <= 700


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a b", Parts((Term(Word("a")), Term(Word("b"))), ())),
        ('a "b c" -d', Parts((Term(Word("a")), Term(Phrase(("b", "c")), demanded=True)), (Word("d"),))),
        ('"a"', Parts((Term(Phrase(("a",)), demanded=True),), ())),
        ("noor's", Parts((Term(Phrase(("noor", "s")), ((Word("noor"), PIECES),)),), ())),
        (
            "re-use",
            Parts(
                (
                    Term(
                        Or((Phrase(("re", "use")), Word("reuse"))),
                        ((And((Word("re"), Word("use"))), PIECES),),
                    ),
                ),
                (),
            ),
        ),
        ("a OR (b c)", Parts((Term(Word("a")), Term(Word("b")), Term(Word("c"))), ())),
        ("a OR b", Parts((Term(Or((Word("a"), Word("b")))),), ())),
        ("a near/3 b", Parts((Term(Near((Word("a"), Word("b")), 3), demanded=True),), ())),
        ("stat*", Parts((Term(Prefix(("stat",))),), ())),
        ("a (b -c)", Parts((Term(Word("a")), Term(Word("b"))), (Word("c"),))),
        ("東京", Parts((Term(Phrase(("東", "京"))),), ())),
    ],
)
def test_a_query_is_taken_apart(text: str, expected: Parts) -> None:
    node = parse_query(text).node
    assert node is not None
    assert not isinstance(node, Not)
    assert take_apart(node) == expected


def test_a_mistake_counts_less_than_the_word_itself() -> None:
    assert 0 < OTHERWISE < PIECES < 1
    db = _archive(
        {"mistake": ["They recieved a lantern.", *OTHER], **{f"t{n}": ["They received it."] for n in range(30)}}
    )
    assert found(db, "recieved zeppelin")[0] == ("mistake", "some words")
    assert SqliteSearch(db.conn, PATIENT_MS).sessions("recieved zeppelin").total == 31
