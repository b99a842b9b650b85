import random

import pytest

from archive.connection import transaction
from archive.index import stems
from archive.index.passages import rebuild
from archive.index.tokens import words
from archive.search.sqlite_search import SqliteSearch
from archive.sqlite import Database
from tests.archive.build import PATIENT_MS, add_event, add_session, add_transcript, blank

FORMS = {
    "en": ("running", "runs", "run"),
    "fr": ("élections", "election", "électionS"),
    "de": ("Häuser", "hauser", "Haus"),
    "es": ("canciones", "canción"),
    "ru": ("книгами", "книга"),
    "el": ("θάλασσας", "θάλασσα"),
    "ar": ("الكتابة", "كتابة"),
}


def test_every_algorithm_is_one_of_snowballs() -> None:
    known = stems.snowballstemmer.algorithms()
    assert [name for name in stems.ALGORITHMS.values() if name not in known] == []


def test_marks_are_words_that_no_text_has() -> None:
    assert list(stems.marks("en-GB", ["running", "run", "walks", "runs"])) == [
        "\ue001en\ue001run",
        "\ue001en\ue001walk",
    ]
    assert list(stems.marks("zh", ["running"])) == []


def test_forms_among_words() -> None:
    assert stems.forms("en", "run", {"running", "walks", "runs", "ran"}) == {"running", "runs"}
    assert stems.forms("en", "run", {"walks"}) == set()


@pytest.mark.parametrize("language", sorted(stems.SUFFIXED))
def test_only_endings_are_taken_off(language: str) -> None:
    draw = random.Random(language)  # noqa: S311  the same words each time
    letters = {"ru": "абвгдежзийклмнопрстуфхцчшщъыьэюя", "hy": "աբգդեզէըթժիլխծկհձղճմյնշոչպջռսվտրցւփքօֆ"}.get(
        language, "aabcdeefghiijklmnoopqrstuuvwxyz"
    )
    found = ["".join(draw.choices(letters, k=draw.randint(1, 12))) for _ in range(5_000)]
    found += [word for text in FORMS.get(language, ()) for word in words(text)]
    assert [word for word in found if stems.stem(language, word)[0] != word[0]] == []


@pytest.mark.parametrize("language", FORMS)
def test_forms_of_a_word_are_found_by_each_other(language: str) -> None:
    db = blank()
    session = add_session(db, add_event(db))
    add_transcript(db, session, FORMS[language], language=language)
    with transaction(db):
        rebuild(db)
    for form in FORMS[language]:
        hits = SqliteSearch(db.conn, PATIENT_MS).search(form).hits
        assert {hit.text for hit in hits} == set(FORMS[language])
        assert all(hit.matches == ((0, len(hit.text)),) for hit in hits)


@pytest.fixture
def db() -> Database:
    """Sessions that say a word, in another order than by how well they match."""
    db = blank()
    event = add_event(db)
    for slug, text in (("forms", "they ran and runs run"), ("typed", "running late"), ("other", "a quiet walk")):
        add_transcript(db, add_session(db, event, slug), [text, "…", "and nothing else of note"])
    with transaction(db):
        rebuild(db)
    return db


def test_words_as_typed_come_before_their_other_forms(db: Database) -> None:
    backend = SqliteSearch(db.conn, PATIENT_MS)
    found = backend.search("running")
    assert [(hit.session, [hit.text[slice(*match)] for match in hit.matches]) for hit in found.hits] == [
        ("typed", ["running"]),
        ("forms", ["runs", "run"]),
    ]
    assert [int(hit.score) for hit in found.hits] == [2, 1]
    assert [each.session for each in backend.sessions("running").sessions] == ["typed", "forms"]


@pytest.mark.parametrize("text", ['"running"', '"running late"', "-runs running", "late near/3 running"])
def test_what_is_quoted_left_out_or_near_is_meant_as_typed(db: Database, text: str) -> None:
    assert [hit.session for hit in SqliteSearch(db.conn, PATIENT_MS).search(text).hits] == ["typed"]


def test_forms_are_found_where_only_doubtful_segments_have_them() -> None:
    db = blank()
    add_transcript(db, add_session(db, add_event(db)), ["a run", "she runs"], doubtful=[1])
    with transaction(db):
        rebuild(db)
    backend = SqliteSearch(db.conn, PATIENT_MS)
    assert [hit.text for hit in backend.search("run").hits] == ["a run"]
    assert [hit.text for hit in backend.search("run doubtful:yes").hits] == ["she runs"]
    assert [each.hits[0].text for each in backend.sessions("run doubtful:yes").sessions] == ["she runs"]
