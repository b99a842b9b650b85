"""Notebooks, run over an example: what they find in files and on the site is the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from archive.research.corpus import About, Selection, choose, write_corpus
from archive.sqlite import Database, sqlite3
from tests.archive.published_folder import FIRST_BUILD, publish
from tests.archive.served import serving
from tests.notebooks import she_said_it
from tests.notebooks.she_said_it import Asked

ASKED = Asked("lighthouse", "noor-okafor", "2021-05-01", "2022-07-31", "coast")
SPOKEN = (
    ("2021-04-30", ("Too early for a lighthouse.",)),
    ("2021-05-01", ("A lighthouse, the lighthouse!", "Nobody is at sea.", "Every lighthouse burns oil.")),
    ("2023-01-01", ("Too late, lighthouse.", *["The keeper of the lighthouse burns oil."] * 12)),
)
"""What Noor Okafor said, and on which day."""


def more(db: Database, _media: Path) -> None:
    """Add an event over three years, of which one person says all."""
    db["event"].insert({"id": 50, "slug": "coast", "title": "Coast", "mode": "online"})
    for number, (day, texts) in enumerate(SPOKEN, start=50):
        start = f"{day}T10:00:00+00:00"
        db["session"].insert(
            {"id": number, "event_id": 50, "slug": f"day-{number}", "title": f"Day {number}", "kind": "talk",
             "start_at": start, "start_utc": start, "identity": f"{number:012d}"}
        )  # fmt: skip
        db["recording"].insert(
            {"id": number, "session_id": number, "sha256": f"{number:064x}", "kind": "audio", "duration_ms": 3_600_000,
             "bytes": 1, "media_type": "audio/flac", "suffix": ".flac", "pulled_at": "2026-11-01T00:00:00Z"}
        )  # fmt: skip
        db["transcript"].insert(
            {"id": number, "recording_id": number, "version": f"v{number}", "language": "en", "kind": "human",
             "generator": "people", "parameters_hash": "", "duration_ms": 3_600_000, "is_current": 1,
             "created_at": "2026-11-01T00:00:00Z"}
        )  # fmt: skip
        db["speaker_tag"].insert({"id": number, "recording_id": number, "label": "Noor Okafor", "person_id": 1})
        db["segment"].insert_all(
            {"transcript_id": number, "position": at, "start_ms": at * 5_000, "end_ms": (at + 1) * 5_000, "text": text,
             "speaker_tag_id": number}
            for at, text in enumerate(texts)
        )  # fmt: skip


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("pandas")
    pytest.importorskip("duckdb")
    public = tmp_path_factory.mktemp("archive") / "public"
    publish(public, more=more)
    folder = public.parent / "corpus"
    folder.mkdir()
    conn = sqlite3.connect(f"file:{public}/catalogue-{FIRST_BUILD}.db?mode=ro&immutable=1", uri=True)
    about = About(title="Talks", home="https://talks.example.org", built_at="2026-11-23T10:00:00Z")
    write_corpus(conn, choose(conn, Selection()), ["csv", "parquet"], folder, about)
    conn.close()
    return folder


@pytest.fixture(scope="module")
def site(corpus: Path) -> Iterator[str]:
    with serving(corpus.parent / "public") as address:
        yield address


def test_every_time_she_said_it_between_two_dates(corpus: Path, site: str) -> None:
    expected = [
        ("2021-05-01", "Noor Okafor", 0, "A lighthouse, the lighthouse!"),
        ("2021-05-01", "Noor Okafor", 10_000, "Every lighthouse burns oil."),
    ]
    assert she_said_it.every_time_in_files(corpus, ASKED) == expected
    assert she_said_it.every_time_on_site(site, ASKED) == expected
    assert she_said_it.every_time_in_sql(site, ASKED) == expected


def test_how_often_by_year_and_by_speaker(corpus: Path, site: str) -> None:
    by_year = she_said_it.an_hour_by_year_in_files(corpus, ASKED)
    assert {year: by_year[year] for year in ("2021", "2023")} == {"2021": (4, 2.0), "2023": (13, 13.0)}
    on_site = she_said_it.an_hour_by_year_on_site(site, ASKED)
    assert {year: times for year, (times, _) in on_site.items()} == {
        year: times for year, (times, _) in by_year.items()
    }
    assert {year: on_site[year] for year in ("2021", "2023")} == {year: by_year[year] for year in ("2021", "2023")}
    said = she_said_it.by_speaker_in_files(corpus, ASKED)
    assert said == she_said_it.by_speaker_on_site(site, ASKED) == {"noor-okafor": 17}


def test_what_an_event_says_more_than_others(corpus: Path, site: str) -> None:
    from_files = she_said_it.keywords_in_files(corpus, ASKED)
    assert {"lighthouse", "keeper", "oil"} <= set(from_files)
    on_site = she_said_it.keywords_on_site(site, ASKED)
    assert set(on_site) == set(from_files)
    # What is said once elsewhere is in no list of the publication.
    assert all(abs(on_site[word] - score) <= 0.1 * score for word, score in from_files.items())


def test_all_cells_run(corpus: Path, site: str, capsys: pytest.CaptureFixture[str]) -> None:
    she_said_it.main(corpus, site, ASKED)
    assert "A lighthouse, the lighthouse!" in capsys.readouterr().out
