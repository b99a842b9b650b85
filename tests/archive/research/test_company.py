from __future__ import annotations

import math
from collections import Counter

import pytest

from archive.connection import transaction
from archive.index.passages import rebuild
from archive.research import Research
from archive.research.concordance import drawn
from archive.research.measures import Dispersion, dispersion, log_likelihood, log_ratio
from archive.research.vocabulary import write_counts
from archive.search.filters import Filters
from archive.sqlite import Database
from tests.archive.build import add_event, add_session, add_transcript, blank

OTHER = "some words of other things that people say"
KEEPER = "every night a lighthouse keeper burns oil"


def say(db: Database, transcript: int, name: str, *positions: int) -> None:
    """Have somebody of a session's people say some segments of its transcript."""
    recording, session = db.execute(
        "SELECT recording.id, session_id FROM transcript JOIN recording ON recording.id = recording_id"
        " WHERE transcript.id = ?",
        [transcript],
    ).fetchone()
    tag = db.execute(
        "INSERT INTO speaker_tag(recording_id, label, person_id) SELECT ?, name, person.id FROM person"
        " JOIN session_person ON person_id = person.id WHERE session_id = ? AND name = ? RETURNING id",
        [recording, session, name],
    ).fetchone()[0]
    for position in positions:
        db.execute(
            "UPDATE segment SET speaker_tag_id = ? WHERE transcript_id = ? AND position = ?",
            [tag, transcript, position],
        )


@pytest.fixture(params=[False, True], ids=["counted now", "counted before"])
def db(request: pytest.FixtureRequest) -> Database:
    """Two events: one that speaks of lighthouses, and one that does not; some of it in doubt."""
    db = blank()
    coast = add_session(db, add_event(db, "coast", start_date="2021-06-01"), "lights", ["Ada", "Bo"])
    lights = add_transcript(db, coast, [KEEPER, KEEPER, OTHER] * 20 + ["lighthouse lighthouse"], doubtful=[60])
    town = add_event(db, "town", start_date="2022-06-01")
    add_transcript(db, add_session(db, town, "streets", ["Cy"]), [OTHER] * 40 + ["a lighthouse"])
    add_transcript(db, add_session(db, town, "roofs"), [OTHER] * 10, language="en-GB")
    say(db, lights, "Ada", *(at for at in range(60) if at % 3 < 2))
    say(db, lights, "Bo", *range(2, 61, 3), 60)
    with transaction(db):
        rebuild(db)
        if request.param:
            write_counts(db.conn)
    return db


def test_words_beside_a_word_by_side_and_window(db: Database) -> None:
    research = Research(db.conn)
    near = {each.word: each for each in research.collocates("lighthouse", window=2)}
    assert {word: (each.near, each.in_all) for word, each in near.items()} == {
        "night": (40, 40),
        "a": (41, 41),
        "keeper": (40, 40),
        "burns": (40, 40),
    }
    assert research.complete
    assert {each.word for each in research.collocates("lighthouse", window=1, side="left")} == {"a"}
    assert {each.word for each in research.collocates("lighthouse", window=1, side="right")} == {"keeper"}
    assert {each.word for each in research.collocates('"lighthouse keeper"', window=2, side="right")} == {
        "burns",
        "oil",
    }
    # A million words on a side are no more than the most that there may be.
    assert research.collocates("lighthouse", window=10**6) == research.collocates("lighthouse", window=20)


def test_collocates_do_not_reach_over_what_was_heard_with_doubt() -> None:
    db = blank()
    texts = ["the old lamp", "thanks for watching", "burns bright", *[OTHER] * 9] * 20
    add_transcript(db, add_session(db, add_event(db)), texts, doubtful=range(1, len(texts), 12))
    with transaction(db):
        rebuild(db)
    found = Research(db.conn).collocates("lamp")
    assert [each.word for each in found if each.word not in OTHER.split()] == ["old", "the"]


def test_what_a_part_says_more_than_the_rest(db: Database) -> None:
    research = Research(db.conn)
    size, other = 40 * 7 + 20 * 8, 50 * 8 + 2
    found = {each.word: each for each in research.keywords(Filters(event="coast"))}
    assert {"night", "keeper", "burns", "oil", "every", "lighthouse", "a"} == set(found)
    lamp = found["lighthouse"]
    assert (lamp.here, lamp.there) in {(40, 1), (40, 0)}, "what is said once in a part may not be in its list"
    assert lamp.here_per_million == round(1e6 * 40 / size, 1)
    assert found["oil"].likelihood == round(log_likelihood(40, size, 0, other), 1)
    assert found["oil"].log_ratio == round(math.log2((40 / size) / (0.5 / other)), 2)
    fewer = research.keywords(Filters(event="coast"), rarer=True)
    assert {each.word for each in fewer} == set(OTHER.split())
    assert all(each.log_ratio < 0 for each in fewer)


def test_what_one_part_says_more_than_another(db: Database) -> None:
    research = Research(db.conn)
    by_name = research.keywords(Filters(speaker="Ada-1"), Filters(event="town"))
    assert {each.word for each in by_name} == set(KEEPER.split())
    assert {each.word for each in research.keywords(Filters(year="2022"), Filters(year="2021"))} == set(OTHER.split())
    assert research.keywords(Filters(language="en"), Filters(language="English")) == []
    assert research.keywords(Filters(language="klatchian")) == []
    both = Filters(event="coast", year="2021")  # was counted by nobody
    assert research.keywords(both, Filters(event="town")) == research.keywords(
        Filters(event="coast"), Filters(event="town")
    )


def test_dispersion_over_sessions(db: Database) -> None:
    sizes = [40 * 7 + 20 * 8, 40 * 8 + 2, 80]
    assert Research(db.conn).dispersion("lighthouse") == dispersion([40, 1, 0], sizes)
    assert Research(db.conn).dispersion('"lighthouse keeper"', Filters(event="coast")).parts == 1
    assert Research(db.conn).dispersion("zeppelin") == Dispersion(3, 0, 0.0, 0.0, 0.0)


def test_frequency_by_speaker_counts_what_they_said(db: Database) -> None:
    rates = Research(db.conn).frequency("keeper", "speaker")
    assert [(rate.label, rate.occurrences, rate.hours) for rate in rates] == [("Ada", 40, 0.056), ("Bo", 0, 0.028)]


def test_the_same_seed_draws_the_same_lines(db: Database) -> None:
    research = Research(db.conn)
    everything = research.concordance("things")
    some = research.concordance("things", sample=10, seed=7)
    assert some == research.concordance("things", sample=10, seed=7) != research.concordance("things", sample=10)
    assert len(some) == 10
    assert [line for line in everything if line in some] == some
    assert research.concordance("things", sample=10**6) == everything


def test_every_item_is_drawn_as_often() -> None:
    counts = Counter(item for seed in range(3_000) for item in drawn(iter(range(10)), 3, seed))
    assert set(counts) == set(range(10))
    # Three deviations of a binomial of 3,000 draws with a chance of 0.3.
    assert all(abs(count - 900) < 3 * math.sqrt(3_000 * 0.3 * 0.7) for count in counts.values())


def test_measures() -> None:
    # Both rates are 20 in 11,000: 2 (10 ln 5.5 + 10 ln 0.55).
    assert round(log_likelihood(10, 1_000, 10, 10_000), 2) == round(20 * (math.log(5.5) + math.log(0.55)), 2) == 22.14
    assert log_likelihood(5, 100, 50, 1_000) == pytest.approx(0)
    assert log_likelihood(0, 0, 0, 0) == 0
    assert log_ratio(8, 1_000, 2, 1_000) == 2
    assert log_ratio(4, 1_000, 0, 1_000) == 3
    # Gries' own example: five parts as large as each other, with 1, 2, 3, 4 and 5 (2008, section 3.1).
    assert dispersion([1, 2, 3, 4, 5], [9, 10, 10, 10, 11]).dp == 0.18
    assert dispersion([], []) == Dispersion(0, 0, 0.0, 0.0, 0.0)


def test_counts_of_parts() -> None:
    db = blank()
    session = add_session(db, add_event(db, "early", start_date="2021-01-01"), "first", ["Ada"])
    spoken = add_transcript(db, session, ["C++ and C++ and tea", "and nothing", "and doubtful"], doubtful=[2])
    add_transcript(db, add_session(db, 1, "second"), ["Tee und Tee"], language="de")
    say(db, spoken, "Ada", 0)
    with transaction(db):
        rebuild(db)
        write_counts(db.conn)
    parts = db.conn.execute("SELECT kind, value, sessions, words, different FROM part ORDER BY kind, value").fetchall()
    assert [tuple(row) for row in parts] == [
        ("all", "", 2, 10, 6),
        ("event", "early", 2, 10, 6),
        ("language", "de", 1, 3, 2),
        ("language", "en", 1, 7, 4),
        ("speaker", "Ada-1", 1, 5, 3),
        ("year", "2021", 2, 10, 6),
    ]
    words = db.conn.execute("SELECT word, count FROM part_word JOIN part ON id = part_id WHERE kind = 'speaker'")
    assert [tuple(row) for row in words] == [("and", 2), ("c++", 2)]
    said = db.conn.execute("SELECT transcript_id, speaker_tag_id, segments, words, spoken_ms FROM speech ORDER BY id")
    assert [tuple(row) for row in said] == [(1, None, 1, 2, 5_000), (1, 1, 1, 5, 5_000), (2, None, 1, 3, 5_000)]
