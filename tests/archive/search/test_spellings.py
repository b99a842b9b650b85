"""How words are written does not decide whether they are found."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from archive.connection import transaction
from archive.index.passages import rebuild
from archive.index.verify import verify
from archive.research import Research
from archive.search.sqlite_search import SqliteSearch
from archive.sqlite import Database
from tests.archive.build import PATIENT_MS, add_event, add_session, add_transcript, blank


def archive(*texts: str, language: str = "en", title: str = "Talk", people: Sequence[str] = ()) -> Database:
    """Return an archive of one session for each text, so that each is found by itself."""
    db = blank()
    event = add_event(db)
    for number, text in enumerate(texts):
        session = add_session(db, event, f"s{number}", title=title if number == 0 else "Another", people=people)
        add_transcript(db, session, [text], language=language)
    with transaction(db):
        rebuild(db)
    assert verify(db) == []
    return db


def found(db: Database, query: str) -> dict[str, list[str]]:
    """Return what is highlighted in each text that has all words; both ways to search must find the same."""
    query = f"({query}) exact:yes"
    backend = SqliteSearch(db.conn, PATIENT_MS)
    hits = backend.search(query, limit=100).hits
    by_session = [hit for each in backend.sessions(query, limit=100).sessions for hit in each.hits]
    moments = list(Research(db.conn, PATIENT_MS).moments(query))
    marked = {hit.text: [hit.text[start:end] for start, end in hit.matches] for hit in hits}
    assert marked == {hit.text: [hit.text[start:end] for start, end in hit.matches] for hit in by_session}
    assert marked == {hit.text: [hit.text[start:end] for start, end in hit.matches] for hit in moments}
    return marked


WRITTEN = json.loads((Path(__file__).parents[2] / "cases" / "search" / "written.json").read_text(encoding="utf-8"))
"""What was said in many scripts, what finds it by all of its words, and what must not."""


@pytest.fixture(scope="module")
def tongues() -> Database:
    db = blank()
    event = add_event(db)
    for number, each in enumerate(WRITTEN):
        add_transcript(
            db, add_session(db, event, f"s{number}", title="Talk"), [each["said"]], language=each["language"]
        )
    with transaction(db):
        rebuild(db)
    return db


@pytest.mark.parametrize("number", range(len(WRITTEN)), ids=[each["said"][:24] for each in WRITTEN])
def test_what_is_said_in_any_script_is_found_as_people_type_it(tongues: Database, number: int) -> None:
    backend = SqliteSearch(tongues.conn, PATIENT_MS)
    for query, wanted in (
        *((each, True) for each in WRITTEN[number]["typed"]),
        *((each, False) for each in WRITTEN[number]["others"]),
    ):
        by_session = {each.session for each in backend.sessions(query).sessions if each.match != "some words"}
        by_moment = {hit.session for hit in backend.search(f"{query} exact:yes").hits}
        assert [f"s{number}" in found for found in (by_session, by_moment)] == [wanted] * 2, query


LETTERS = [
    ("Søren spoke", "Soren", "Søren"),
    ("Søren spoke", "SOEREN", "Søren"),
    ("Soren spoke", "Søren", "Soren"),
    ("Łukasz spoke", "Lukasz", "Łukasz"),
    ("ŁÓDŹ", "lodz", "ŁÓDŹ"),
    ("Herr Weiß spoke", "Weiss", "Weiß"),
    ("Herr Weiss spoke", "Weiß", "Weiss"),
    ("Die STRASSE nach Rom", '"Straße nach"', "STRASSE nach"),
    ("Die Straße nach Rom", '"Strasse nach"', "Straße nach"),
    ("Die Straßen", "Strass*", "Straßen"),
    ("Die Strassen", "Straß*", "Strassen"),
    ("GROẞE Straße", "grosse", "GROẞE"),
    ("Đặng spoke", "Dang", "Đặng"),
    ("Þóra spoke", "Thora", "Þóra"),
    ("Guðrún spoke", "Gudrun", "Guðrún"),
    ("Æthelred, Œuvre", "aethelred oeuvre", "Æthelred"),
    ("Işık spoke", "Isik", "Işık"),
    ("IŞIK spoke", "işik", "IŞIK"),
    ("Ħal Far", '"hal far"', "Ħal Far"),
    ("the Sámi word Ŋ and ŋuovvu", "nuovvu", "ŋuovvu"),
    ("Əliyev spoke", "Eliyev", "Əliyev"),
    ("Əliyev spoke", "Aliyev", "Əliyev"),
    ("Hausa ɗan and ƙasa", "dan kasa", "ɗan"),
    ("Novak Đoković", "Djokovic", "Đoković"),
    ("Novak Đoković", "Dokovic", "Đoković"),
    ("Herr Müller spoke", "Muller", "Müller"),
    ("Herr Müller spoke", "Mueller", "Müller"),
    ("Herr Mu\u0308ller spoke", "Mueller", "Mu\u0308ller"),
    ("Herr Mueller spoke", "Müller", "Mueller"),
    ("Herr Müller spoke", '"Herr Mueller"', "Herr Müller"),
    ("Herr Müller spoke", "Muell*", "Müller"),
    ("Herr Mueller spoke", '"Herr Müller spoke"', "Herr Mueller spoke"),
    ("in Århus today", "Aarhus", "Århus"),
    ("in Aarhus today", "Århus", "Aarhus"),
    ("Hawaiʻi", "Hawaii", "Hawaiʻi"),
    ("Hawaii", "Hawai'i", "Hawaii"),
    ("أحمد", "احمد", "أحمد"),
]


@pytest.mark.parametrize(("text", "query", "marked"), LETTERS)
def test_letters_are_found_by_what_they_are_written_with(text: str, query: str, marked: str) -> None:
    hits = found(archive(text, "nothing of that"), query)
    assert list(hits) == [text]
    assert marked in hits[text]


def test_letters_that_are_others_are_not_found() -> None:
    db = archive("a poet", "a pot", "the fuel", "Herr Müller", "moller")
    assert list(found(db, "poet")) == ["a poet"]
    assert list(found(db, "pot")) == ["a pot"]
    assert list(found(db, "Moeller")) == []


SPELLINGS = {
    "wifi": ("the Wi-Fi works", "the wifi works", "the wi fi works", "the Wi\u2011Fi works"),
    "email": ("an e-mail came", "an email came", "an E-MAIL came"),
    "doesnt": ("it doesn't matter", "it doesnt matter", "it doesn’t matter"),
    "obrien": ("Pat O'Brien", "Pat OBrien", "Pat O’Brien", "Pat O'BRIEN"),
    "1800": ("1,800 people", "1800 people", "1.800 people", "1 800 people", "1'800 people", "1\u00a0800 people"),
    "phd": ("a Ph.D. thesis", "a PhD thesis", "a Ph.D thesis"),
    "usa": ("the U.S.A. today", "the USA today"),
    "nodejs": ("in Node.js here", "in NodeJS here"),
    "tcpip": ("over TCP/IP now", "over TCPIP now"),
    "att": ("at AT&T then", "at ATT then"),
    "rocknroll": ("the rock'n'roll era", "the rocknroll era", "the rock-n-roll era"),
    "colleccio": ("la col·lecció nova", "la collecció nova"),
    "covid19": ("the COVID-19 years", "the covid19 years"),
}


@pytest.mark.parametrize("joined", SPELLINGS)
def test_every_spelling_finds_every_other(joined: str) -> None:
    texts = SPELLINGS[joined]
    db = archive(*texts, "nothing of that kind")
    queries = [next(word for word in texts[0].split() if any(not char.isalnum() for char in word)), joined]
    for query in queries:
        hits = found(db, query)
        assert set(hits) == set(texts), query
        assert all(len(marks) == 1 for marks in hits.values())


@pytest.mark.parametrize(
    ("query", "marked"),
    [
        ('"the wifi works"', "the Wi-Fi works"),
        ('"the Wi-Fi works"', "the Wi-Fi works"),
        ('"the wi fi works"', "the Wi-Fi works"),
        ("wif*", "Wi-Fi"),
        ("wi-f*", "Wi-Fi"),
        ("the near/3 wifi", "Wi-Fi"),
        ("wi fi works", "Wi"),
    ],
)
def test_phrases_and_beginnings_hold_words_in_pieces(query: str, marked: str) -> None:
    hits = found(archive("here the Wi-Fi works", "no such thing"), query)
    assert list(hits) == ["here the Wi-Fi works"]
    assert marked in hits["here the Wi-Fi works"]


def test_two_words_are_one_only_where_the_archive_says_so() -> None:
    db = archive("it may be so", "maybe not", "not able", "a notable man", "he'll", "hell", "that is well", "we'll see")
    assert list(found(db, '"may be"')) == ["it may be so"]
    assert list(found(db, "maybe")) == ["maybe not"]
    assert list(found(db, "notable")) == ["a notable man"]
    assert list(found(db, "hell")) == ["hell"]
    assert list(found(db, "well")) == ["that is well"]


def test_one_word_is_found_where_it_was_written_as_two() -> None:
    db = archive("the wi fi works", "wine and fire")
    assert found(db, "wifi") == {"the wi fi works": ["wi fi"]}


def test_two_words_are_found_where_they_were_written_as_one() -> None:
    db = archive("the wifi works", "we fight")
    assert found(db, "wi fi") == {"the wifi works": ["wifi"]}


def test_initials_are_found_and_the_pronoun_comes_after() -> None:
    db = archive("tell us more", "the U.S. economy", "the US economy")
    backend = SqliteSearch(db.conn, PATIENT_MS)
    assert [hit.text for hit in backend.search("U.S.").hits][:1] == ["the U.S. economy"]
    assert "the US economy" in [hit.text for hit in backend.search("U.S.").hits]
    assert "the U.S. economy" in [hit.text for hit in backend.search("US").hits]
    assert sorted(found(db, '"US economy"')) == ["the U.S. economy", "the US economy"]


def test_other_forms_of_a_word_in_pieces_come_after_it() -> None:
    db = archive("an e-mail", "two e-mails", "two emails", "an email")
    backend = SqliteSearch(db.conn, PATIENT_MS)
    assert {hit.text: int(hit.score) for hit in backend.search("email").hits} == {
        "an e-mail": 2,
        "an email": 2,
        "two e-mails": 1,
        "two emails": 1,
    }


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("we cooperate here", "co-operate"),
        ("we co-operate here", "cooperate"),
        ("the 3-D model", "3D"),
        ("the 3D model", "3-D"),
        ("an A.I. model", "AI"),
        ("an AI model", "A.I."),
        ("GPT-4 works", "GPT4"),
        ("Jean-Luc spoke", "Jean Luc"),
        ("Jean Luc spoke", "Jean-Luc"),
        ("10 000 people", "10000"),
        ("10000 people", '"10,000 people"'),
        ("aujourd'hui", "aujourdhui"),
        ("l'homme", "homme"),
        ("L'Oréal", "loreal"),
        ("McDonald's food", "McDonalds"),
        ("an e-mail address", '"email address"'),
        ("an email address", '"e-mail address"'),
        ("Müller-Lüdenscheidt", "Muellerluedenscheidt"),
        ("the Wi-Fis", "wifi"),
        ("rock & roll", "rock roll"),
        ("vis-à-vis", "visavis"),
        ("the web site", "website"),
        ("the website", "web site"),
        ("smørrebrød", "smoerrebroed"),
    ],
)
def test_other_members_of_the_kind(text: str, query: str) -> None:
    assert list(found(archive(text, "nothing of it", "every other line"), query)) == [text]


EVERYTHING = archive(*(text for texts in SPELLINGS.values() for text in texts), *(text for text, _, _ in LETTERS))
WORDS = sorted({word for texts in SPELLINGS.values() for text in texts for word in text.split()})
TYPED = st.lists(
    st.sampled_from([*WORDS, "OR", "-", '"', "*", "near/3", "(", ")", "C++", "colour", "speaker:", "wi", "fi"])
)


@settings(max_examples=40)
@given(TYPED.map(" ".join))
@example(" ".join(WORDS * 2))
@example(f'"{" ".join(WORDS * 2)}"')
@example(" ".join(f"{word}*" for word in WORDS))
def test_any_words_may_be_typed(text: str) -> None:
    backend = SqliteSearch(EVERYTHING.conn, PATIENT_MS)
    assert backend.search(text).complete
    assert backend.sessions(text).complete


NAMES = [
    "we use C++ here",
    "we use C# here",
    "we use C here",
    "we use .NET here",
    "we use the net here",
    "we use F# here",
]


@pytest.mark.parametrize(
    ("query", "wanted"),
    [
        ("C++", ["C++"]),
        ("c++", ["C++"]),
        ("C#", ["C#"]),
        ("C♯", ["C#"]),
        ("csharp", ["C#"]),
        ("cpp", ["C++"]),
        ("C", ["C"]),
        (".NET", [".NET"]),
        ("dotnet", [".NET"]),
        ("net", ["net"]),
        ("F#", ["F#"]),
        ('"use C++ here"', ["use C++ here"]),
        ("C++ OR C#", ["C++", "C#"]),
        ("use -C++ -C# -.NET -F# -net", ["use"]),
    ],
)
def test_names_with_signs_are_words_of_their_own(query: str, wanted: list[str]) -> None:
    assert sorted(mark for marks in found(archive(*NAMES), query).values() for mark in marks) == sorted(wanted)


def test_names_with_signs_stand_beside_others() -> None:
    db = archive("C++20 and (C#), C/C++; ASP.NET", "Notepad++ and #tag")
    assert found(db, "C++") == {"C++20 and (C#), C/C++; ASP.NET": ["C+", "C++"]}
    assert list(found(db, "20 c asp net")) == ["C++20 and (C#), C/C++; ASP.NET"]
    assert found(db, "notepad tag") == {"Notepad++ and #tag": ["Notepad", "tag"]}


def test_names_with_signs_are_found_as_they_are_said() -> None:
    db = archive("we use C plus plus here", "we use C sharp here", "dot net")
    assert found(db, "C++") == {"we use C plus plus here": ["C plus plus"]}
    assert found(db, "C#") == {"we use C sharp here": ["C sharp"]}
    assert found(db, ".NET") == {"dot net": ["dot net"]}


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ("colour", "color"),
        ("colours", "color"),
        ("organise", "organized"),
        ("analyse", "analyze"),
        ("centre", "center"),
        ("theatre", "theater"),
        ("travelling", "traveling"),
        ("modelled", "modeling"),
        ("defence", "defense"),
        ("dialogue", "dialog"),
        ("programme", "program"),
        ("grey", "gray"),
        ("behaviour", "behavioral"),
        ("paediatric", "pediatric"),
    ],
)
def test_english_is_found_in_both_spellings(here: str, there: str) -> None:
    for query, said in ((here, there), (there, here)):
        assert list(found(archive(f"the {said} of it", "nothing"), query)) == [f"the {said} of it"]
    assert list(found(archive(f"the {there} of it", "rien", language="fr"), f'"{here}"')) == []


@pytest.mark.parametrize("word", ["four", "hour", "size", "rise", "filled", "better", "enter", "wise"])
def test_english_words_that_only_look_so_have_no_other_spelling(word: str) -> None:
    others = ["for", "hor", "sise", "rize", "filed", "bettre", "entre", "wize"]
    assert list(found(archive(*others, word), word)) == [word]


def test_names_of_people_and_titles_are_found_in_any_spelling() -> None:
    db = archive("words", title="Wi-Fi für Århus", people=["Søren O'Brien", "Jürgen Weiß"])
    for query in (
        "with:soren",
        "with:OBrien",
        "with:Juergen",
        'with:"Jürgen Weiss"',
        "title:wifi",
        "aarhus",
    ):
        assert [each.session for each in SqliteSearch(db.conn, PATIENT_MS).sessions(query).sessions] == ["s0"], query
