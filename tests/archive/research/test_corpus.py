"""Corpora in every form, read back by the tools that people read them with."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from lxml import etree

from archive.research.corpus import FORMS, About, Selection, choose, to_zip, write_corpus
from archive.research.corpus.base import CorpusWord, Document, Folder, Part, Utterance
from archive.research.corpus.package import write_descriptor
from archive.research.corpus.reading import documents
from archive.research.corpus.tei import TEI
from archive.research.corpus.text import paragraphs
from archive.research.corpus.tokens import written
from archive.research.corpus.vertical import lines
from archive.research.subcorpus import Subcorpus, from_address
from archive.search.filters import Filters
from archive.sqlite import Database, sqlite3
from tests.archive.published_folder import FIRST_BUILD, HOSTILE, HOSTILE_SENTENCES, SENTENCES, publish

ABOUT = About(title="Talks", home="https://talks.example.org", built_at="2026-11-23T10:00:00Z")
WORDS = (
    CorpusWord(start_ms=1_000, end_ms=1_400, text="=Don't", confidence=0.9),
    CorpusWord(start_ms=1_500, end_ms=1_900, text="stop,", confidence=None),
)
EXAMPLE = Document(
    document="v1",
    event="coast",
    event_title="Coast",
    session="lights",
    title="Lights: a <talk> & more",
    date="2021-06-01",
    start_at="2021-06-01T10:00:00+02:00",
    track=None,
    room=None,
    session_kind="talk",
    language="en",
    recording="floor",
    kind="asr",
    generator="faster-whisper 1.2",
    duration_ms=62_500,
    licence="CC BY 4.0",
    credit=None,
    url="https://talks.example.org/events/coast/lights",
    people=(Part(person="ada", name="Ada", role="speaker", affiliation="@home"),),
    utterances=(
        Utterance(
            position=0,
            start_ms=1_000,
            end_ms=2_000,
            speaker="Ada",
            person="ada",
            language="en",
            text="=Don't stop,",
            confidence=0.91234,
            words=WORDS,
        ),
        Utterance(
            position=2,
            start_ms=2_000,
            end_ms=61_000,
            speaker="Voice 2",
            person=None,
            language="de",
            text="東京\x00 <b>\r\nTschüss",
            confidence=None,
            flags=("no-speech", "repetitive"),
            overlapped=True,
        ),
    ),
)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    public = tmp_path_factory.mktemp("public")
    publish(public)
    return public / f"catalogue-{FIRST_BUILD}.db"


@pytest.fixture
def conn(published: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(f"file:{published}?mode=ro&immutable=1", uri=True)) as opened:
        yield opened


def written_as(form: str, folder: Path, *told: Document) -> Folder:
    target = Folder(folder)
    FORMS[form].write(told, target, ABOUT)
    return target


def test_tables_as_csv_say_everything_and_run_nothing(tmp_path: Path) -> None:
    written_as("csv", tmp_path, EXAMPLE, EXAMPLE)
    rows = {path.stem: list(csv.DictReader(io.StringIO(path.read_text(), newline=""))) for path in tmp_path.iterdir()}
    assert rows["segments"][:2] == [
        {
            "document": "v1",
            "position": "0",
            "date": "2021-06-01",
            "event": "coast",
            "session": "lights",
            "title": "Lights: a <talk> & more",
            "speaker": "Ada",
            "person": "ada",
            "language": "en",
            "start_ms": "1000",
            "end_ms": "2000",
            "text": "'=Don't stop,",
            "confidence": "0.91234",
            "doubtful": "false",
            "flags": "",
            "overlapped": "false",
            "url": "https://talks.example.org/events/coast/lights?t=1",
        },
        {
            "document": "v1",
            "position": "2",
            "date": "2021-06-01",
            "event": "coast",
            "session": "lights",
            "title": "Lights: a <talk> & more",
            "speaker": "Voice 2",
            "person": "",
            "language": "de",
            "start_ms": "2000",
            "end_ms": "61000",
            "text": "東京\x00 <b>\nTschüss",
            "confidence": "",
            "doubtful": "true",
            "flags": "no-speech repetitive",
            "overlapped": "true",
            "url": "https://talks.example.org/events/coast/lights?t=2",
        },
    ]
    assert [(row["segment"], row["position"], row["start_ms"], row["text"]) for row in rows["words"][:2]] == [
        ("0", "0", "1000", "'=Don't"),
        ("0", "1", "1500", "stop,"),
    ]
    assert rows["people"] == [
        {
            "event": "coast",
            "session": "lights",
            "person": "ada",
            "name": "Ada",
            "role": "speaker",
            "affiliation": "'@home",
        }
    ], "who took part is told once, however many transcripts a session has"
    assert [row["licence"] for row in rows["documents"]] == ["CC BY 4.0"] * 2


def test_json_lines_and_parquet_keep_every_text_and_type(tmp_path: Path) -> None:
    written_as("jsonl", tmp_path, EXAMPLE)
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    written_as("parquet", tmp_path, EXAMPLE)
    for table in ("documents", "people", "segments", "words"):
        told = [json.loads(line) for line in (tmp_path / f"{table}.jsonl").read_text().splitlines()]
        read = pandas.read_parquet(tmp_path / f"{table}.parquet")
        if "date" in read:
            assert {type(day) for day in read["date"]} == {date}
            read["date"] = read["date"].map(str)
        assert json.loads(read.to_json(orient="records")) == told
    segments = [json.loads(line) for line in (tmp_path / "segments.jsonl").read_text().splitlines()]
    assert (segments[1]["text"], segments[1]["flags"]) == ("東京\x00 <b>\r\nTschüss", ["no-speech", "repetitive"])
    kinds = {str(kind) for kind in pandas.read_parquet(tmp_path / "words.parquet").dtypes}
    assert {"int64", "float64"} <= kinds


def test_duckdb_reads_tables(tmp_path: Path, conn: sqlite3.Connection) -> None:
    duckdb = pytest.importorskip("duckdb")
    write_corpus(conn, choose(conn, Selection()), ["csv", "parquet", "jsonl"], tmp_path, ABOUT)
    counts = {
        suffix: duckdb.sql(
            f"SELECT session, count(*), sum(end_ms - start_ms) FROM '{tmp_path}/segments.{suffix}'"
            " WHERE NOT doubtful GROUP BY ALL ORDER BY ALL"
        ).fetchall()
        for suffix in ("csv", "parquet")
    }
    assert counts["csv"] == counts["parquet"]
    assert ("what-an-archive-owes", len(SENTENCES) - 1 + 2) in [row[:2] for row in counts["csv"]]


def test_plain_text_has_a_paragraph_a_speaker_and_marks_doubt(tmp_path: Path) -> None:
    assert list(paragraphs(EXAMPLE)) == ["=Don't stop,", "[? 東京\x00 <b> Tschüss ?]"]
    folder = written_as("text", tmp_path, EXAMPLE, replace(EXAMPLE, document="v2"))
    assert sorted(folder.resources) == [
        "documents.csv",
        "people.csv",
        "text/coast/2021-06-01 Coast – Lights a talk & more.en.txt",
        "text/coast/2021-06-01 Coast – Lights a talk & more.en.v2.txt",
    ]


def test_vertical_text_has_a_word_a_line_with_its_time() -> None:
    assert list(lines(EXAMPLE)) == [
        (
            '<text id="v1" event="coast" session="lights" title="Lights: a &lt;talk&gt; &amp; more" date="2021-06-01"'
            ' year="2021" language="en" recording="floor" kind="asr"'
            ' url="https://talks.example.org/events/coast/lights">'
        ),
        (
            '<u position="0" start_ms="1000" end_ms="2000" speaker="Ada" person="ada" language="en" doubtful="no"'
            ' flags="_">'
        ),
        "=\t=\t1000\t1400\t90",
        "Don't\tdon't\t1000\t1400\t90",
        "stop\tstop\t1500\t1900\t_",
        ",\t,\t1500\t1900\t_",
        "</u>",
        (
            '<u position="2" start_ms="2000" end_ms="61000" speaker="Voice 2" person="_" language="de" doubtful="yes"'
            ' flags="no-speech repetitive">'
        ),
        "東\t東\t_\t_\t_",
        "京\t京\t_\t_\t_",
        "&lt;\t&lt;\t_\t_\t_",
        "b\tb\t_\t_\t_",
        "&gt;\t&gt;\t_\t_\t_",
        "Tschüss\ttschuss\t_\t_\t_",
        "</u>",
        "</text>",
    ]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", []),
        ("…", ["…"]),
        ("Wi-Fi, rock'n'roll", ["Wi-Fi", ",", "rock'n'roll"]),
        ("C++ and .NET", ["C++", "and", ".NET"]),
        ("'quoted' - dash", ["'", "quoted", "'", "-", "dash"]),
        ("no\x00thing\N{ZERO WIDTH SPACE}", ["no", "thing"]),
    ],
)
def test_words_and_signs(text: str, tokens: list[str]) -> None:
    assert [each.text for each in written(text)] == tokens


def test_tei_says_who_said_what_when(tmp_path: Path) -> None:
    written_as("tei", tmp_path, EXAMPLE)
    (path,) = tmp_path.rglob("*.xml")
    root = etree.parse(path).getroot()
    names = {"t": TEI}
    points = {each.get("{http://www.w3.org/XML/1998/namespace}id"): each for each in root.iterfind(".//t:when", names)}
    people = {
        f"#{each.get('{http://www.w3.org/XML/1998/namespace}id')}": each.findtext("t:persName", None, names)
        for each in root.iterfind(".//t:person", names)
    }

    def at(point: str | None) -> int:
        return int(points[(point or "").removeprefix("#")].get("interval") or 0)

    said = [
        (people[u.get("who")], at(u.get("start")), at(u.get("end")), u.get("cert"), "".join(u.itertext()))
        for u in root.iterfind(".//t:u", names)
    ]
    assert said == [("Ada", 1_000, 2_000, "0.912", "=Don'tstop,"), ("Voice 2", 2_000, 61_000, None, "東京<b>Tschüss")]
    assert [u.get("trans") for u in root.iterfind(".//t:u", names)] == [None, "overlap"]
    words = [(w.text, at(w.get("synch")), w.get("cert")) for w in root.iterfind(".//t:u[1]//t:w", names)]
    assert words == [("Don't", 1_000, "0.9"), ("stop", 1_500, None)]
    (unclear,) = root.iterfind(".//t:unclear", names)
    assert unclear.get("reason") == "no-speech repetitive"


def test_every_form_of_what_is_published(tmp_path: Path, conn: sqlite3.Connection) -> None:
    seen: list[str] = []
    chosen = choose(conn, Selection(translations=True))
    files = write_corpus(conn, chosen, FORMS, tmp_path, ABOUT, lambda form, _document: seen.append(form))
    assert sorted(files) == sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    assert seen == [name for name in FORMS for _ in chosen.transcripts]
    package = json.loads((tmp_path / "datapackage.json").read_text())
    tables = [each for each in package["resources"] if each["path"].endswith((".csv", ".jsonl", ".parquet"))]
    assert len(tables) == 12
    assert all(each["schema"]["fields"] for each in tables)
    units = {each["name"]: each.get("unit") for each in tables[-1]["schema"]["fields"]}
    assert units["start_ms"] == "ms"
    vertical = (tmp_path / "corpus.vrt").read_text().splitlines()
    assert {line.count("\t") for line in vertical if not line.startswith("<")} == {4}
    everything = "".join(path.read_text() for path in (tmp_path / "text").rglob("*.txt"))
    assert all(text in everything for _, _, text in HOSTILE_SENTENCES)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("told", ["publication", "example"])
def test_descriptor_agrees_with_the_files(tmp_path: Path, conn: sqlite3.Connection, form: str, told: str) -> None:
    frictionless = pytest.importorskip("frictionless")
    pytest.importorskip("jsonlines")
    if told == "publication":  # whose words have no times
        write_corpus(conn, choose(conn, Selection()), [form], tmp_path, ABOUT)
    else:
        write_descriptor(written_as(form, tmp_path, EXAMPLE), ABOUT, ["CC BY 4.0"])
    report = frictionless.validate(tmp_path / "datapackage.json")
    assert report.valid, report.flatten(["name", "type", "message"])
    rows = {task.name: task.stats.get("rows") for task in report.tasks}
    tables = {"csv", "jsonl", "parquet"} & {form}
    assert [rows[f"segments.{each}"] for each in tables] == [17 if told == "publication" else 2] * len(tables)


@pytest.mark.parametrize(("file", "wrong"), [("segments.csv", b"v9,0\n"), ("words.jsonl", b'{"document": 1}\n')])
def test_descriptor_tells_of_files_that_somebody_changed(tmp_path: Path, file: str, wrong: bytes) -> None:
    frictionless = pytest.importorskip("frictionless")
    pytest.importorskip("jsonlines")
    write_descriptor(written_as(file.rpartition(".")[2], tmp_path, EXAMPLE), ABOUT, [])
    with (tmp_path / file).open("ab") as opened:
        opened.write(wrong)
    assert not frictionless.validate(tmp_path / "datapackage.json").valid


def test_the_same_publication_gives_the_same_bytes(tmp_path: Path, conn: sqlite3.Connection) -> None:
    packed = []
    for number in range(2):
        folder = tmp_path / str(number)
        folder.mkdir()
        files = write_corpus(conn, choose(conn, Selection()), FORMS, folder, ABOUT)
        to_zip(folder, files, tmp_path / f"{number}.zip")
        packed.append((tmp_path / f"{number}.zip").read_bytes())
    assert packed[0] == packed[1]
    with zipfile.ZipFile(io.BytesIO(packed[0])) as file:
        assert file.testzip() is None
        assert file.namelist() == list(files)


def chosen_by(conn: sqlite3.Connection, selection: Selection) -> list[tuple[str, str, list[str]]]:
    read = documents(conn, choose(conn, selection), ABOUT.home)
    return [(each.session, each.language, [said.text for said in each.utterances]) for each in read]


def test_what_is_chosen(conn: sqlite3.Connection) -> None:
    everything = chosen_by(conn, Selection())
    assert [row[:2] for row in everything] == sorted([row[:2] for row in everything], key=[
        ("the-launch", "en"), ("what-an-archive-owes", "en"), ("what-an-archive-owes", "es"), ("arabic", "ar"),
        ("hostile", "en"),
    ].index)  # fmt: skip
    by_query = chosen_by(conn, Selection(query='"table of contents"'))
    assert {row[0] for row in by_query} == {"what-an-archive-owes"}
    assert chosen_by(conn, Selection(filters=Filters(language="ar")))[0][:2] == ("arabic", "ar")
    assert chosen_by(conn, Selection(filters=Filters(event="hostile"))) == [
        ("hostile", "en", [text for _, _, text in HOSTILE_SENTENCES])
    ]
    assert chosen_by(conn, Selection(filters=Filters(event="nowhere"))) == []
    assert chosen_by(conn, Selection(filters=Filters(language="klatchian"))) == []
    assert chosen_by(conn, Selection(query="language:klatchian lamp")) == []


def test_of_a_speaker_only_what_they_said(published: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    copy.write_bytes(published.read_bytes())
    db = Database(sqlite3.connect(copy))
    person = db.execute("SELECT id FROM person WHERE slug = 'noor-okafor'").fetchone()[0]
    transcript, recording = db.execute(
        "SELECT transcript.id, recording_id FROM transcript JOIN segment ON transcript_id = transcript.id"
        " WHERE segment.text = ?",
        [SENTENCES[0][2]],
    ).fetchone()
    db.execute(
        "INSERT INTO speaker_tag(id, recording_id, label, person_id) VALUES (77, ?, 'N', ?)", [recording, person]
    )
    db.execute("UPDATE segment SET speaker_tag_id = 77 WHERE transcript_id = ? AND position IN (1, 3)", [transcript])
    ((session, _, said),) = chosen_by(db.conn, Selection(filters=Filters(speaker="noor-okafor")))
    assert (session, said) == ("what-an-archive-owes", [SENTENCES[1][2], SENTENCES[3][2]])
    db.close()


@pytest.mark.parametrize(
    "part",
    [
        Subcorpus(Selection()),
        Subcorpus(Selection(query='tide "the sea" -fog', translations=True), "Tides & more"),
        Subcorpus(Selection(filters=Filters(event="coast", speaker="ada", since="2021-01-01", year="2021")), "ünï"),
        Subcorpus(Selection(filters=Filters(event="coast", session="lights", track="A/B & C", language="pt-BR"))),
    ],
)
def test_an_address_means_its_part_of_the_archive(part: Subcorpus) -> None:
    assert from_address(part.url) == part == from_address(f"https://talks.example.org{part.url}")


def test_an_address_of_anything_means_something() -> None:
    assert from_address("/corpus?since=yesterday&unknown=1&name=+a++b+&q=+&event=") == Subcorpus(Selection(), "a b")
    assert from_address("") == Subcorpus(Selection())
    assert HOSTILE  # what names hold is told in the tests of pages
