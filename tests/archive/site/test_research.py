"""What researchers find on the site: the schema, queries to begin with, parts of the archive and files of them."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from archive.catalogue.migrations import catalogue_migrations
from archive.publication.documentation import TABLES, unit_of
from archive.publication.folder import CORPORA, corpus_file
from archive.publication.rules import DERIVED, MADE, RULES, VIEWS, create_schema
from archive.research.corpus import FORMS
from archive.research.frequency import INSTANCES
from archive.site.research.canned import QUERIES
from archive.sqlite import Database, sqlite3
from tests.archive.published_folder import DOUBTFUL, FIRST_BUILD, SENTENCES, publish
from tests.archive.site.test_pages import Site, read, squeezed

EVENT = "summer-university-2022"


def speakers(db: Database, _media: Path) -> None:
    """Have Noor Okafor say all of her talk but one sentence, which the chair says."""
    recording, transcript = db.execute(
        "SELECT recording_id, transcript_id FROM segment JOIN transcript ON transcript.id = transcript_id"
        " WHERE text = ?",
        [SENTENCES[0][2]],
    ).fetchone()
    for tag, person in ((1, 1), (2, 2)):
        name = db.execute("SELECT name FROM person WHERE id = ?", [person]).fetchone()[0]
        db["speaker_tag"].insert({"id": tag, "recording_id": recording, "label": name, "person_id": person})
    db.execute("UPDATE segment SET speaker_tag_id = iif(position = 4, 2, 1) WHERE transcript_id = ?", [transcript])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    public = tmp_path_factory.mktemp("public")
    publish(public, more=speakers)
    made = Site(public, url="https://talks.example.org")
    yield made
    made.datasette.executor.shutdown()


def rows(site: Site, query: str, **values: str) -> list[dict[str, Any]]:
    given = dict.fromkeys(("event", "word", "person", "since", "until", "from_year", "to_year", "kind", "value"), "")
    answer = site.get(f"/data/{query}.json", params={"_shape": "array", **given, **values})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()
    return found


def test_everything_public_is_documented_and_nothing_else() -> None:
    catalogue = Database(sqlite3.connect("file:documented?mode=memory&cache=shared", uri=True))
    catalogue_migrations.apply(catalogue)
    conn = sqlite3.connect(":memory:", uri=True)
    conn.execute("ATTACH 'file:documented?mode=memory&cache=shared' AS source")
    create_schema(conn, "source")
    public = (*RULES, *DERIVED, *MADE, *VIEWS)
    assert {name: list(known.columns) for name, known in TABLES.items()} == {
        name: [row[1] for row in conn.execute(f"PRAGMA table_info({name})")] for name in TABLES
    }
    assert set(TABLES) == set(public)
    for known in TABLES.values():
        assert set(known.facets) | {known.label} | {known.sort.removeprefix("-")} <= {*known.columns, ""}
    assert {unit_of(column) for known in TABLES.values() for column in known.columns if column.endswith("_ms")} == {
        "ms"
    }
    conn.close()
    catalogue.close()


def test_schema_tells_of_every_table_and_column(site: Site) -> None:
    text = squeezed(read(site, "/schema").text)
    for name, known in TABLES.items():
        assert name in text
        assert squeezed(known.about) in text
        assert all(squeezed(about) in text for about in known.columns.values())
    assert "3 rows" in text
    page = site.get("/schema").text
    assert all(f'href="/data/{name}"' in page for name in (*TABLES, *QUERIES))


@pytest.mark.parametrize("table", TABLES)
def test_datasette_says_what_a_table_holds(site: Site, table: str) -> None:
    page = site.get(f"/data/{table}")
    assert page.status_code == 200
    text = squeezed(read(site, f"/data/{table}").text)
    assert squeezed(TABLES[table].about) in text
    assert all(squeezed(about) in text for about in TABLES[table].columns.values())


def test_a_table_is_narrowed_down_by_facets_and_units(site: Site) -> None:
    text = squeezed(read(site, "/data/session").text)
    assert "kind" in text
    assert site.get("/data/segment.json?start_ms__gt=50000&_shape=array").json()
    assert site.get("/data/said.json?person=noor-okafor&_shape=array&_col=text&_size=1").status_code == 200


def test_twelve_queries_to_begin_with(site: Site) -> None:
    assert len(QUERIES) == 12
    # Datasette 1.0 shows the first of them there, and all on a page of their own.
    page = squeezed(read(site, "/data").text + site.get("/data/-/queries").text)
    for name, query in QUERIES.items():
        assert query.title in page
        shown = read(site, f"/data/{name}?" + "&".join(f"{each}=" for each in ("event", "word", "kind", "value")))
        assert squeezed(query.about) in squeezed(shown.text)
        rows(site, name)
        saved = site.get(f"/data/{name}.csv?event=&word=&person=&since=&until=&from_year=&to_year=&kind=&value=")
        assert saved.status_code == 200


def test_who_spoke_how_long(site: Site) -> None:
    found = rows(site, "who-spoke-how-long", event=EVENT)
    assert [(row["person"], row["sessions"], row["words"]) for row in found] == [
        (
            "noor-okafor",
            1,
            sum(len(text.split()) for at, (*_, text) in enumerate(SENTENCES) if at not in (4, DOUBTFUL)),
        ),
        (found[1]["person"], 1, len(SENTENCES[4][2].split())),
    ]
    assert rows(site, "who-spoke-how-long", event="launch") == []


def test_every_time_somebody_said_something_between_two_dates(site: Site) -> None:
    found = rows(
        site, "every-time-it-was-said", word="debt", person="noor-okafor", since="2022-07-01", until="2022-07-31"
    )
    assert [(row["time"], row["text"], row["url"]) for row in found] == [
        ("0:00:17", SENTENCES[3][2], f"/events/{EVENT}/what-an-archive-owes?t=17"),
        ("0:00:41", SENTENCES[7][2], f"/events/{EVENT}/what-an-archive-owes?t=41"),
    ]
    assert len(rows(site, "every-time-it-was-said", word="debt")) == 3
    assert rows(site, "every-time-it-was-said", word="debt", since="2022-08-01") == []
    assert rows(site, "every-time-it-was-said", word='"" OR (') == []


def test_longest_turns_and_shares(site: Site) -> None:
    turns = rows(site, "longest-quotes", event=EVENT)
    assert [(row["minutes"], row["words"]) for row in turns][:2] == [(0.5, 15 + 14 + 14 + 10), (0.4, 8 + 11 + 12 + 13)]
    shares = rows(site, "share-of-speech", event=EVENT)
    by_voice = {row["voice"]: row["percent"] for row in shares if row["title"].startswith("What an archive")}
    assert round(sum(by_voice.values())) == 100


def test_words_of_parts(site: Site) -> None:
    found = {row["word"]: row for row in rows(site, "words-of-a-part", kind="event", value=EVENT)}
    assert found["the"]["times_here"] >= 3
    assert {row["word"] for row in rows(site, "words-said-nowhere-else", event=EVENT)} >= {"debt", "recording"}
    assert rows(site, "growth-by-year")[-1]["sessions"]
    (doubtful,) = rows(site, "heard-with-doubt")
    assert (doubtful["doubtful"], doubtful["segments"]) == (1, len(SENTENCES))


def table(site: Site, name: str, query: str) -> list[dict[str, str]]:
    answer = site.get(f"/api/1/{name}.csv?{query}")
    assert answer.status_code == 200
    assert answer.headers["rostra-complete"] == "yes"
    return list(csv.DictReader(io.StringIO(answer.text)))


def test_several_terms_on_one_chart(site: Site) -> None:
    page = read(site, "/explore?q=debt&compare=lighthouse,+lamp,,%22an+archive%22&by=event")
    text = squeezed(page.text)
    assert "hoursdebtlighthouselamp" in text.replace(" ", "")
    found = table(site, "frequency", "q=debt&compare=lighthouse,debt&by=event")
    assert {(row["query"], row["event"]): row["occurrences"] for row in found if row["event"] == EVENT} == {
        ("debt", EVENT): "3",
        ("lighthouse", EVENT): "1",
    }
    by_year = site.get("/explore?q=debt&compare=lantern&by=year").text
    assert "<polyline" not in by_year, "a single year makes no line"


def test_words_near_a_word_on_a_side(site: Site) -> None:
    assert 'id="collocates"' not in site.get("/explore?q=the&window=1&side=right").text, "nothing stands there often"
    assert table(site, "collocates", "q=debt&window=2&side=left") == []


def test_lines_drawn_at_random_are_the_same_for_a_seed(site: Site) -> None:
    whole = table(site, "concordance", "q=the")
    some = table(site, "concordance", "q=the&sample=4&seed=3")
    assert len(some) == 4
    assert [row for row in whole if row in some] == some
    assert some == table(site, "concordance", "q=the&sample=4&seed=3")
    assert len({str(table(site, "concordance", f"q=the&sample=4&seed={seed}")) for seed in range(5)}) > 1
    assert {*some[0]} >= {"speaker", "start_at", "left", "match", "right", "url"}


def test_a_part_of_the_archive_has_an_address(site: Site) -> None:
    address = f"/corpus?name=Debts+%26+lamps&event={EVENT}&speaker=noor-okafor"
    text = squeezed(read(site, address).text)
    assert "Debts & lamps" in text
    assert "1 session · 97 words" in text
    assert "Noor Okafor" in text
    page = site.get(address).text
    assert address.replace("&", "&amp;") in page, "its own address, for good"
    assert f"/corpus.zip?name=Debts+%26+lamps&amp;event={EVENT}&amp;speaker=noor-okafor&amp;form=tei" in page
    assert table(site, "speakers", f"event={EVENT}&speaker=noor-okafor")[0]["words"] == "97"
    compared = site.get(f"/corpus?event={EVENT}&vs_event=hostile")
    assert "What it says more than another part" in compared.text
    assert {row["word"]: row["count"] for row in table(site, "vocabulary", f"event={EVENT}")}["debt"] == "3"


@pytest.mark.parametrize("form", FORMS)
def test_a_part_of_the_archive_is_taken_away(site: Site, form: str) -> None:
    answer = site.get(f"/corpus.zip?form={form}&event={EVENT}&name=Debts")
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == f'attachment; filename="2026-11-23-Debts-{form}.zip"'
    assert answer.content == site.get(f"/corpus.zip?form={form}&event={EVENT}&name=Debts").content
    with zipfile.ZipFile(io.BytesIO(answer.content)) as packed:
        about = json.loads(packed.read("datapackage.json"))
        for each in about["resources"]:
            assert f"sha256:{hashlib.sha256(packed.read(each['path'])).hexdigest()}" == each["hash"]
    assert about["homepage"] == f"https://talks.example.org/corpus?name=Debts&event={EVENT}"


@pytest.mark.parametrize(
    ("query", "status"), [("form=telepathy", 400), ("event=nowhere", 404), ("form=csv&language=klatchian", 404)]
)
def test_a_corpus_of_nothing_says_so(site: Site, query: str, status: int) -> None:
    answer = site.get(f"/corpus.zip?{query}")
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")


def test_downloads_offer_the_database_only_where_it_may_be_had(site: Site) -> None:
    page = site.get("/downloads").text
    assert "/data.db" not in page
    assert site.get("/data.db").status_code in {403, 404}
    assert all(f"/corpus.zip?form={form}" in page for form in FORMS)
    assert site.get("/corpora/csv.zip").status_code == 404
    open_site = Site(site.public, database=True)
    try:
        assert 'href="/data.db"' in open_site.get("/downloads").text
        answer = open_site.get("/data.db")
        assert answer.status_code == 200
        assert answer.content == next(site.public.glob("catalogue-*.db")).read_bytes()
    finally:
        open_site.datasette.executor.shutdown()


def test_what_was_packed_for_a_publication_is_offered_for_that_one_alone(site: Site) -> None:
    folder = site.public / CORPORA
    folder.mkdir()
    (folder / corpus_file("catalogue-0000000000000000.db", "csv")).write_bytes(b"of another publication")
    assert site.get("/corpora/csv.zip").status_code == 404
    (folder / corpus_file(f"catalogue-{FIRST_BUILD}.db", "csv")).write_bytes(b"packed")
    answer = site.get("/corpora/csv.zip")
    assert (answer.status_code, answer.content) == (200, b"packed")
    assert "/corpora/csv.zip" in site.get("/downloads").text


def test_table_for_counting_stands_before_none_that_is_published(tmp_path: Path) -> None:
    publish(tmp_path)
    conn = sqlite3.connect(tmp_path / f"catalogue-{FIRST_BUILD}.db")
    conn.execute(INSTANCES)
    made, published = ({name for (name,) in conn.execute(f"SELECT name FROM {schema}.sqlite_master")}
                       for schema in ("temp", "main"))  # fmt: skip
    conn.close()
    assert (len(made), made & published, "said" in published) == (1, set(), True)


def test_a_concordance_says_who_speaks_and_is_sorted_by_that(site: Site) -> None:
    page = site.get("/explore?q=the&order=speaker").text
    lines = re.findall(r'<tr lang="en">.*?</tr>', page, re.DOTALL)
    said = [re.findall(r'<td><bdi lang="">(.*?)</bdi></td>', line) for line in lines]
    assert len(said) == len(lines)
    names = [name for [name] in said]
    spoken = [name for name in names if name]
    assert len(set(spoken)) > 1
    assert spoken == sorted(spoken)
    assert names == [*spoken, *[""] * (len(names) - len(spoken))]
    rows_ = list(csv.DictReader(io.StringIO(site.get("/api/1/concordance.csv?q=the&order=speaker").text)))
    assert [row["speaker"] for row in rows_][: len(names)] == names
