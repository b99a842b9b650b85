import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from archive.catalogue.migrations import catalogue_migrations
from archive.index.passages import LONGEST_PHRASE
from archive.search import query
from archive.search.query import (
    And,
    Field,
    Near,
    Not,
    Or,
    Phrase,
    Prefix,
    Query,
    Word,
    parse_query,
    to_fts5,
    with_stems,
)
from tests.archive.build import blank

A, B, C = Word("a"), Word("b"), Word("c")


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("Hello", Word("hello")),
        ("a b", And((A, B))),
        ("a AND b", And((A, B))),
        ("a a", A),
        ('"a b"', Phrase(("a", "b"))),
        ("“a b”", Phrase(("a", "b"))),
        ('"a"', Phrase(("a",))),
        ("a OR b", Or((A, B))),
        ("a b OR c", Or((And((A, B)), C))),
        ("a (b OR c)", And((A, Or((B, C))))),
        ("a -b", And((A, Not(B)))),
        ("a NOT b", And((A, Not(B)))),
        ("NOT b a", And((Not(B), A))),
        ("a AND NOT b", And((A, Not(B)))),
        ('a -"b c"', And((A, Not(Phrase(("b", "c")))))),
        ("a -(b OR c)", And((A, Not(Or((B, C)))))),
        ("a (-b -c)", And((A, Not(Or((B, C)))))),
        ("a -(-b)", And((A, B))),
        ("a not b", And((A, Word("not"), B))),
        ("a or b", And((A, Word("or"), B))),
        ("ANDROID ORE NOTE", And((Word("android"), Word("ore"), Word("note")))),
        ("sta*", Prefix(("sta",))),
        ("re-use", Or((Phrase(("re", "use")), Word("reuse")))),
        ("re-use*", Or((Prefix(("re", "use")), Prefix(("reuse",))))),
        ('"old arc"*', Prefix(("old", "arc"))),
        ('"東京"*', Phrase(("東", "京"))),
        ("state-of-the-art", Or((Phrase(("state", "of", "the", "art")), Word("stateoftheart")))),
        ("a -re-use", And((A, Not(Or((Phrase(("re", "use")), Word("reuse"))))))),
        ("don't", Or((Phrase(("don", "t")), Word("dont")))),
        ("it's", Phrase(("it", "s"))),
        ("1,800", Or((Phrase(("1", "800")), Word("1800")))),
        ("Ph.D.", Or((Phrase(("ph", "d")), Word("phd")))),
        ("U.S.", Phrase(("u", "s"))),
        ("U.S.A.", Or((Phrase(("u", "s", "a")), Word("usa")))),
        ("10-20", Phrase(("10", "20"))),
        ('"the Wi-Fi"', Or((Phrase(("the", "wi", "fi")), Phrase(("the", "wifi"))))),
        ('"the Wi-Fi"*', Prefix(("the", "wifi"))),
        ("wi-f*", Prefix(("wif",))),
        ("Müller", Or((Word("muller"), Word("mueller")))),
        ("Müller*", Or((Prefix(("muller",)), Prefix(("mueller",))))),
        ("-O'Brien a", And((Not(Or((Phrase(("o", "brien")), Word("obrien")))), A))),
        ("C++", Word("c\ue002")),
        ("C# OR .NET", Or((Word("c\ue003"), Word("net\ue004")))),
        ("--verbose", Word("verbose")),
        ("a - b & c", And((A, B, C))),
        ("東京", Phrase(("東", "京"))),
        ("b:noor", Phrase(("b", "noor"))),
        ("a near/3 b", Near((A, B), 3)),
        ("a NEAR/3 b near/7 c", Near((A, B, C), 7)),
        ('a near/3 "b c" d', And((Near((A, Phrase(("b", "c"))), 3), Word("d")))),
        ("a near/3 re-use", Or((Near((A, Phrase(("re", "use"))), 3), Near((A, Word("reuse")), 3)))),
        ("near a", And((Word("near"), A))),
        ("near/x a", And((Phrase(("near", "x")), A))),
        ("a\x00b\ud800c", And((A, B, C))),
    ],
)
def test_parse(text: str, node: query.Node) -> None:
    assert parse_query(text) == Query(node)


@pytest.mark.parametrize(
    ("text", "node", "reason"),
    [
        ("a AND", A, "nothing stands at the end"),
        ("OR a", A, "nothing stands before OR"),
        ("a OR", A, "nothing stands at the end"),
        ("a NOT", A, "nothing stands at the end"),
        ("(a", A, "a ( is not closed"),
        ("a)", A, "a ) too many"),
        ("a ()", A, "nothing stands before )"),
        ('"a b', And((A, B)), "a quote is not closed"),
        ("(" * 40 + "a" + ")" * 40, A, "it is nested too deeply"),
        ("NOT", Word("not"), "it is operators alone"),
        ("near/2", And((Word("near"), Word("2"))), "it is operators alone"),
        ("near/2 a", A, "nothing stands before near/2"),
        ("a near/2", A, "nothing stands at the end"),
        ("a near/2 (b c)", And((A, B, C)), "near/ stands between words and phrases alone"),
        ("a near/2 -b", And((A, B)), "near/ stands between words and phrases alone"),
        ("AND OR", And((Word("and"), Word("or"))), "it is operators alone"),
    ],
)
def test_parse_what_is_no_query(text: str, node: query.Node, reason: str) -> None:
    assert parse_query(text) == Query(node, query.PLAIN.format(reason))


@pytest.mark.parametrize("text", ["-a", "-a -b", "NOT a", '-"a b"', "-(a OR b)", "-a OR -b"])
def test_parse_only_negation(text: str) -> None:
    assert parse_query(text) == Query(None, query.ONLY_NOT)


@pytest.mark.parametrize("text", ["", " \t\n", '"', '""', "()", "—", "* - + ^ : ~", "👍", "\x00", "\ud800"])
def test_parse_nothing(text: str) -> None:
    assert parse_query(text) == Query(None, query.NOTHING)


NOOR = Field("speaker", "noor okafor")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('a speaker:"Noor Okafor"', Query(A, where=NOOR)),
        ('SPEAKER:"Noor Okafor"', Query(None, where=NOOR)),
        ("a -kind:QA", Query(A, where=Not(Field("kind", "qa")))),
        ("a (year:2021 OR year:2022)", Query(A, where=Or((Field("year", "2021"), Field("year", "2022"))))),
        (
            "after:2022 a before:2022-7",
            Query(A, where=And((Field("after", "2022-01-01"), Field("before", "2022-07-01")))),
        ),
        ("a event:winter", Query(A, where=Field("event", "winter"))),
        (
            "a event:Winter-School",
            Query(A, where=Or((Field("event", "winter school"), Field("event", "winterschool")))),
        ),
        ("a speaker:Müller", Query(A, where=Or((Field("speaker", "muller"), Field("speaker", "mueller"))))),
        ("a language:german", Query(A, language="de")),
        ("a language:de language:en", Query(A, where=Field("language", "en"), language="de")),
        ("a doubtful:yes", Query(A, doubtful=True)),
        ("a doubtful:no", Query(A)),
        ("-a kind:qa", Query(None, query.ONLY_NOT_WITH_FIELDS, where=Field("kind", "qa"))),
        ("a kind:Panel,qa", Query(A, where=Or((Field("kind", "panel"), Field("kind", "qa"))))),
        ("a -kind:panel,qa", Query(A, where=Not(Or((Field("kind", "panel"), Field("kind", "qa")))))),
        ("a language:en,german", Query(A, where=Or((Field("language", "en"), Field("language", "de"))))),
        ("a speaker:okafor,,levi,", Query(A, where=Or((Field("speaker", "okafor"), Field("speaker", "levi"))))),
        ("a speaker:okafor،levi", Query(A, where=Or((Field("speaker", "okafor"), Field("speaker", "levi"))))),
        ('a event:"Paris, Texas"', Query(A, where=Field("event", "paris texas"))),
    ],
)
def test_parse_fields(text: str, expected: Query) -> None:
    assert parse_query(text) == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("year:soon", ("year", "soon")),
        ("after:2022-13", ("after", "2022", "13")),
        ("before:99999", ("before", "99999")),
        ("language:klatchian", ("language", "klatchian")),
        ("kind:seminar", ("kind", "seminar")),
        ("kind:panel,seminar", ("kind", "panel", "seminar")),
        ('language:"en,de"', ("language", "en", "de")),
        ("doubtful:yes,no", ("doubtful", "yes", "no")),
        ("doubtful:perhaps", ("doubtful", "perhaps")),
    ],
)
def test_parse_field_without_a_value_of_its_kind(text: str, words: tuple[str, ...]) -> None:
    name = words[0]
    assert parse_query(text) == Query(Phrase(words), query.NOT_A_VALUE.format(name, query.FIELDS[name]))


@pytest.mark.parametrize("text", ["year:", "year: a", "year:(a)"])
def test_parse_field_without_a_value(text: str) -> None:
    found = Word("year") if text == "year:" else And((Word("year"), A))
    assert parse_query(text) == Query(found, query.NOT_A_VALUE.format("year", query.FIELDS["year"]))


def test_parse_field_beside_or() -> None:
    expected = Or((A, Phrase(("year", "2022"))))
    assert parse_query("a OR year:2022") == Query(expected, query.FIELD_IN_OR.format("year"))


def test_parse_near_over_too_many_words() -> None:
    for distance in (99, 1000, 999_999_999):
        assert parse_query(f"a near/{distance} b") == Query(Near((A, B), query.MAX_NEAR), query.FAR)


def test_near_reaches_no_further_than_passages_overlap() -> None:
    assert query.MAX_NEAR + 2 == LONGEST_PHRASE


def test_stems_are_for_plain_words_alone() -> None:
    node = parse_query('running "running" -running a near/2 running').node
    assert node is not None
    terms = '("running" OR "run" OR "\ue001en\ue001run")'
    expected = f'(({terms} AND "running" AND NEAR("a" "running", 2)) NOT ("running"))'
    assert to_fts5(with_stems(node, ["en-GB", "zh"])) == expected
    assert with_stems(node, ["zh"]) is node


def test_parse_negation_beside_or() -> None:
    assert parse_query("a OR -b") == Query(A, query.NOT_IN_OR)


def test_parse_short_prefix() -> None:
    assert parse_query("st*") == Query(Word("st"), query.SHORT_PREFIX)
    assert parse_query('"a st"*') == Query(Phrase(("a", "st")), query.SHORT_PREFIX)


@pytest.mark.parametrize("text", ["near/", "NEAR/"])
def test_near_without_a_number_says_so(text: str) -> None:
    assert parse_query(f"old {text} archive").note == query.BARE_NEAR


def test_parse_prefix_where_characters_are_words() -> None:
    assert parse_query("東京*") == Query(Phrase(("東", "京")))


def test_parse_many_words() -> None:
    numbers = [f"w{number}" for number in range(query.MAX_WORDS + 1)]
    expected = tuple(map(Word, numbers[:-1]))
    assert parse_query(" ".join(numbers)) == Query(And(expected), query.TOO_LONG)
    phrase = Phrase(tuple(numbers[:-1]))
    assert parse_query(f'"{" ".join(numbers)}"') == Query(phrase, query.TOO_LONG)


def test_parse_very_long_word() -> None:
    assert parse_query("a" * 100_000) == Query(Word("a" * query.MAX_CHARACTERS), query.TOO_LONG)


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (A, '"a"'),
        (Phrase(("a", "b")), '"a b"'),
        (Prefix(("a", "bcd")), '"a bcd" *'),
        (And((A, Or((B, C)))), '("a" AND ("b" OR "c"))'),
        (And((A, Not(B), Not(C))), '(("a") NOT ("b" OR "c"))'),
        (Near((A, Phrase(("b", "c")), Prefix(("def",))), 4), 'NEAR("a" "b c" "def" *, 4)'),
    ],
)
def test_to_fts5(node: query.Node, expected: str) -> None:
    assert to_fts5(node) == expected


@pytest.mark.parametrize(
    ("node", "expected"),
    [
        (A, A),
        (Phrase(("a",)), Phrase(("a",))),
        (Phrase(("a", "b")), And((A, B))),
        (Prefix(("a", "bcd")), And((A, Prefix(("bcd",))))),
        (And((A, Or((B, Near((A, Phrase(("b", "c"))), 4))))), And((A, Or((B, And((A, And((B, C))))))))),
    ],
)
def test_in_any_order(node: query.Node, expected: query.Node) -> None:
    assert query.in_any_order(node) == expected


def test_to_fts5_of_negation_alone() -> None:
    with pytest.raises(TypeError, match="only what is not there"):
        to_fts5(Not(A))


SYNTAX = (
    *"\"'()*^:+-{};%_“",
    "OR",
    "AND",
    "NOT",
    "NEAR(",
    "--",
    "\\",
    "text:",
    "near/3",
    "year:",
    "title:",
    "-kind:qa",
)
PIECES = st.sampled_from([*SYNTAX, *"ab東é \n\x00\ud800\u200b\U000f0000", "bcd", "re-use", " ", " "])
ANY_TEXT = st.one_of(st.text(st.characters()), st.lists(PIECES).map("".join))

INDEX = blank()
catalogue_migrations.apply(INDEX)


@given(ANY_TEXT)
@example("(" * 5_000 + '"')
@example("NOT " * 5_000 + "a")
@example(" ".join(["a OR (b AND"] * 60))
@example(" OR ".join(f'("{number} a" -b*)' for number in range(40)))
def test_any_text_is_a_query(text: str) -> None:
    understood = parse_query(text)
    assert understood.node or understood.note or understood.where or understood.language or "doubtful" in text.lower()
    if understood.node:
        matching = "SELECT count(*) FROM passage_fts WHERE passage_fts MATCH ?"
        for node in (understood.node, with_stems(understood.node, ["en", "fr"])):
            assert INDEX.execute(matching, [to_fts5(node)]).fetchone() == (0,)
