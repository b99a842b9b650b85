"""Who said it: ``speaker:``, facets, hits, exports and frequencies go by segment; ``with:`` by who took part."""

import csv
import io
from dataclasses import replace

import pytest

from archive.connection import transaction
from archive.index.passages import rebuild
from archive.research import Research
from archive.research.frequency import Rate
from archive.search.exports import moments_to_csv
from archive.search.filters import Filters
from archive.search.query import FIELDS, NO_FIELD, NO_FIELD_LIKE_IT, parse_query
from archive.search.sqlite_search import SqliteSearch
from archive.sqlite import Database
from tests.archive.build import PATIENT_MS, add_event, add_session, add_transcript, blank

NOOR, ADA, SOMEBODY, NOBODY = "Noor Okafor", "Ada Levi", "Speaker 3", None
PANEL = [
    (NOOR, "Technical debt is what an archive owes."),
    (ADA, "Nobody pays technical debt."),
    (NOOR, "Somebody must, and it is"),
    (ADA, "the readers who do."),
    (SOMEBODY, "A question: is debt bad?"),
    (NOBODY, "Thank you for the debt."),
]
TALK = (
    [(ADA, "Lanterns are a debt to the dark.")] + [(ADA, "The sea is wide.")] * 20 + [(NOOR, "A question on lanterns.")]
)


@pytest.fixture(scope="module")
def db() -> Database:
    """A panel of two people and somebody in the audience, a talk with a question, and one of which nobody said who."""
    db = blank()
    event = add_event(db, start_date="2022-02-19")
    ids = {}
    for slug, spoken in (("panel", PANEL), ("talk", TALK), ("unknown", [(NOBODY, "Debt and lanterns.")])):
        session = add_session(db, event, slug, start_at=f"2022-02-19T1{len(ids)}:00:00+00:00")
        ids[slug] = session
        transcript = add_transcript(db, session, [text for _, text in spoken])
        (recording,) = db.execute("SELECT recording_id FROM transcript WHERE id = ?", [transcript]).fetchone()
        for position, (name, _) in enumerate(spoken):
            if name:
                _speaks(db, recording, transcript, position, name)
    for name in (NOOR, ADA):
        db.execute(
            "INSERT INTO session_person(session_id, person_id) SELECT ?, id FROM person WHERE name = ?",
            [ids["unknown"], name],
        )
    with transaction(db):
        rebuild(db)
    return db


def _speaks(db: Database, recording: int, transcript: int, position: int, name: str) -> None:
    if name != SOMEBODY:
        db.execute("INSERT OR IGNORE INTO person(slug, name) VALUES (?, ?)", [name.lower().replace(" ", "-"), name])
    db.execute(
        "INSERT OR IGNORE INTO speaker_tag(recording_id, label, person_id)"
        " VALUES (?, ?, (SELECT id FROM person WHERE name = ?))",
        [recording, name, name],
    )
    db.execute(
        "UPDATE segment SET speaker_tag_id = (SELECT id FROM speaker_tag WHERE recording_id = ? AND label = ?)"
        " WHERE transcript_id = ? AND position = ?",
        [recording, name, transcript, position],
    )


def moments(db: Database, query: str, filters: Filters | None = None) -> list[tuple[str, str, str | None]]:
    """Return the moments of a query; all ways to search must find the same."""
    query = f"{query} exact:yes"
    filters = filters or Filters()
    backend = SqliteSearch(db.conn, PATIENT_MS)
    by_session = [hit for each in backend.sessions(query, filters).sessions for hit in each.hits]
    all_of_them = list(Research(db.conn, PATIENT_MS).moments(query, filters))
    assert sorted(hit.text for hit in by_session) == sorted(hit.text for hit in all_of_them)
    if not filters.chosen():
        hits = backend.search(query).hits
        assert sorted(hit.text for hit in hits) == sorted(hit.text for hit in all_of_them)
    return [(hit.session, hit.text, hit.speaker) for hit in all_of_them]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("debt speaker:okafor", [("panel", PANEL[0][1], NOOR)]),
        ('"technical debt" speaker:"ada levi"', [("panel", PANEL[1][1], ADA)]),
        ("debt speaker:levi", [("panel", PANEL[1][1], ADA), ("talk", TALK[0][1], ADA)]),
        (
            "debt (speaker:levi OR speaker:okafor)",
            [("panel", PANEL[0][1], NOOR), ("panel", PANEL[1][1], ADA), ("talk", TALK[0][1], ADA)],
        ),
        (
            "debt speaker:levi,okafor",
            [("panel", PANEL[0][1], NOOR), ("panel", PANEL[1][1], ADA), ("talk", TALK[0][1], ADA)],
        ),
        ("lanterns speaker:okafor", [("talk", TALK[-1][1], NOOR)]),
        ("lanterns -speaker:levi", [("talk", TALK[-1][1], NOOR), ("unknown", "Debt and lanterns.", None)]),
        ('debt speaker:"speaker 3"', [("panel", PANEL[4][1], SOMEBODY)]),
        ("debt speaker:nobody", []),
        # Not from one speaker to the next, nor far apart by two.
        ('"it is the readers"', [("panel", f"{PANEL[2][1]} {PANEL[3][1]}", NOOR)]),
        ('"it is the readers" speaker:okafor', []),
        ("archive readers speaker:okafor", []),
        ("question lanterns speaker:okafor", [("talk", TALK[-1][1], NOOR)]),
        ("debt -technical speaker:levi", [("talk", TALK[0][1], ADA)]),
        # Who took part.
        ("lanterns with:okafor", [("unknown", "Debt and lanterns.", None)]),
        ("lanterns person:levi", [("unknown", "Debt and lanterns.", None)]),
        ("lanterns -with:okafor", [("talk", TALK[0][1], ADA), ("talk", TALK[-1][1], NOOR)]),
    ],
)
def test_moments_are_of_those_who_spoke(db: Database, query: str, expected: list[tuple[str, str, str | None]]) -> None:
    assert moments(db, query) == expected


def test_a_filter_by_speaker_is_by_segment_too(db: Database) -> None:
    assert moments(db, "debt", Filters(speaker="noor-okafor")) == [("panel", PANEL[0][1], NOOR)]
    assert moments(db, "debt", Filters(speaker="nobody")) == []
    assert moments(db, "lanterns", Filters(person="noor-okafor")) == [("unknown", "Debt and lanterns.", None)]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("speaker:okafor", ["panel", "talk"]),
        ('speaker:"speaker 3"', ["panel"]),
        ("-speaker:okafor", ["unknown"]),
        ("speaker:okafor -speaker:levi", []),
        ("with:okafor", ["unknown"]),
        ("-person:levi", ["panel", "talk"]),
    ],
)
def test_without_words_a_speaker_is_of_sessions(db: Database, query: str, expected: list[str]) -> None:
    backend = SqliteSearch(db.conn, PATIENT_MS)
    assert sorted(each.session for each in backend.sessions(query).sessions) == expected
    assert sorted(hit.session for hit in backend.search(query).hits) == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("speaker:okafor", {"panel": (PANEL[0][1], NOOR), "talk": (TALK[-1][1], NOOR)}),
        ('speaker:"speaker 3"', {"panel": (PANEL[4][1], SOMEBODY)}),
        ("with:okafor", {"unknown": ("Unknown", None)}),
    ],
)
def test_without_words_a_session_is_shown_by_what_the_speaker_says_in_it(
    db: Database, query: str, expected: dict[str, tuple[str, str | None]]
) -> None:
    backend = SqliteSearch(db.conn, PATIENT_MS)
    hits = backend.search(query).hits
    assert {hit.session: (hit.text, hit.speaker) for hit in hits} == expected
    shown = [replace(hit, score=0.0) for each in backend.sessions(query).sessions for hit in each.hits]
    assert sorted(shown, key=str) == sorted((replace(hit, score=0.0) for hit in hits), key=str)
    assert all(hit.url.endswith(f"?t={hit.start_ms // 1000}") for hit in hits if hit.speaker)


def test_most_of_the_words_are_of_those_who_spoke(db: Database) -> None:
    backend = SqliteSearch(db.conn, PATIENT_MS)
    results = backend.sessions("lanterns zeppelin speaker:okafor")
    assert [(each.session, each.match, [hit.text for hit in each.hits]) for each in results.sessions] == [
        ("talk", "some words", [TALK[-1][1]])
    ]
    hits = backend.search("lanterns zeppelin speaker:okafor").hits
    assert [(hit.text, hit.match, hit.speaker) for hit in hits] == [(TALK[-1][1], "some words", NOOR)]


def test_facets_have_who_spoke_and_who_took_part(db: Database) -> None:
    facets = SqliteSearch(db.conn, PATIENT_MS).sessions("debt").facets or {}
    assert [tuple(each) for each in facets["speaker"]] == [
        ("ada-levi", "Ada Levi", 2),
        ("noor-okafor", "Noor Okafor", 2),
    ]
    assert [tuple(each) for each in facets["person"]] == [
        ("ada-levi", "Ada Levi", 1),
        ("noor-okafor", "Noor Okafor", 1),
    ]


def test_hits_and_exports_say_who_and_when(db: Database) -> None:
    found = list(Research(db.conn, PATIENT_MS).moments("debt"))
    assert [(hit.speaker, hit.start_at) for hit in found] == [
        (NOOR, "2022-02-19T10:00:00+00:00"),
        (ADA, "2022-02-19T10:00:00+00:00"),
        (SOMEBODY, "2022-02-19T10:00:00+00:00"),
        (None, "2022-02-19T10:00:00+00:00"),
        (ADA, "2022-02-19T11:00:00+00:00"),
        (None, "2022-02-19T12:00:00+00:00"),
    ]
    rows = list(csv.DictReader(io.StringIO(moments_to_csv(found))))
    assert [(row["speaker"], row["start_at"]) for row in rows[2:4]] == [
        (SOMEBODY, "2022-02-19T10:00:00+00:00"),
        ("", "2022-02-19T10:00:00+00:00"),
    ]


def test_frequency_by_speaker_counts_the_time_in_which_somebody_speaks(db: Database) -> None:
    hour = 3_600_000 / 5_000  # segments of an hour
    research = Research(db.conn, PATIENT_MS)
    assert research.frequency("debt", "speaker") == [
        Rate("noor-okafor", NOOR, 1, round(3 / hour, 3), round(hour / 3, 3)),
        Rate("ada-levi", ADA, 2, round(23 / hour, 3), round(2 * hour / 23, 3)),
    ]
    assert research.complete
    assert [(rate.value, rate.occurrences) for rate in research.frequency("debt", "person")] == [
        ("ada-levi", 1),
        ("noor-okafor", 1),
    ]
    assert [rate.occurrences for rate in research.frequency("debt speaker:levi", "year")] == [2]


@pytest.mark.parametrize(
    ("text", "name", "meant"),
    [
        ("lang:en fog", "lang", "language"),
        ("fog -lang:en", "lang", "language"),
        ('by:"noor okafor" fog', "by", "speaker"),
        ("speeker:okafor fog", "speeker", "speaker"),
        ("since:2022 fog", "since", "after"),
        ("people:okafor", "people", "person"),
    ],
)
def test_an_unknown_field_says_so_and_what_was_meant(text: str, name: str, meant: str) -> None:
    assert parse_query(text).note == NO_FIELD.format(name, meant, ", ".join(FIELDS))


def test_an_unknown_field_like_no_other_says_which_there_are() -> None:
    assert parse_query("zzz:en").note == NO_FIELD_LIKE_IT.format("zzz", ", ".join(FIELDS))


@pytest.mark.parametrize(
    "text", ["10:30", "std::vector", "https://example.org/a", "note: this", "Re:Zero", "C:x", "speaker:okafor"]
)
def test_what_only_looks_like_a_field_is_no_mistake(text: str) -> None:
    assert parse_query(text).note is None
