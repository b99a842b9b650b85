"""``rostra export corpus``: what is published, whole or not at all."""

from __future__ import annotations

import csv
import errno
import io
import json
import os
import zipfile
from pathlib import Path

import pytest

from pipelines.cli import obey
from tests.archive.published_folder import SENTENCES, publish
from tests.pipelines.command import rostra


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("published")
    publish(folder)
    return folder


def said(text: str) -> list[str]:
    return [row["text"] for row in csv.DictReader(io.StringIO(text, newline=""))]


def test_a_part_of_what_is_published_as_a_folder_and_packed(public: Path, tmp_path: Path) -> None:
    told = (
        "--event",
        "summer-university-2022",
        "--query",
        '"table of contents"',
        "--language",
        "en",
        "--name",
        "Debts",
    )
    done = rostra("export", "corpus", tmp_path / "corpus", *told, "--json", "--archive", public)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["files"] == ["documents.csv", "people.csv", "segments.csv", "words.csv", "datapackage.json"]
    assert (answer["transcripts"], answer["segments"]) == (1, len(SENTENCES))
    assert said((tmp_path / "corpus" / "segments.csv").read_text()) == [text for _, _, text in SENTENCES]
    about = json.loads((tmp_path / "corpus" / "datapackage.json").read_text())
    assert about["title"] == "Debts"
    assert about["homepage"].endswith(answer["part"])
    # The same by its address, again over what is there, and packed.
    for target in (tmp_path / "corpus", tmp_path / "corpus.zip"):
        done = rostra("export", "corpus", target, "--part", about["homepage"], "--archive", public)
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
        assert "1 transcript, 10 segments in 5 files" in done.stderr
    with zipfile.ZipFile(tmp_path / "corpus.zip") as packed:
        assert {name: packed.read(name) for name in packed.namelist()} == {
            path.name: path.read_bytes() for path in (tmp_path / "corpus").iterdir()
        }
    assert sorted(path.name for path in tmp_path.iterdir()) == ["corpus", "corpus.zip"]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("--event", "nowhere"), "no transcript is in what was chosen"),
        (("--part", "/corpus?q=lamp", "--year", "2022"), "leave out the other options"),
        (("--form", "telepathy"), "'telepathy' is not one of"),
        (("--since", "yesterday"), "does not match the format"),
    ],
)
def test_what_cannot_be_exported_leaves_nothing(
    public: Path, tmp_path: Path, arguments: tuple[str, ...], problem: str
) -> None:
    done = rostra("export", "corpus", tmp_path / "corpus", *arguments, "--archive", public)
    assert done.returncode == 2
    assert problem in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_corpus_is_left_alone(public: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("two years of work")
    (tmp_path / "notes.txt").write_text("more")
    for target in ("mine", "notes.txt"):
        done = rostra("export", "corpus", tmp_path / target, "--archive", public)
        assert done.returncode == 2
        assert "name a folder" in done.stderr
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "two years of work"
    assert (tmp_path / "notes.txt").read_text() == "more"


def test_where_nothing_is_published(tmp_path: Path) -> None:
    done = rostra("export", "corpus", tmp_path / "corpus", "--archive", tmp_path)
    assert done.returncode == 2
    assert "rostra publish" in done.stderr


@pytest.mark.parametrize("inside", ["media/corpus", "corpora/mine.zip"])
def test_nothing_is_written_among_what_is_published(public: Path, inside: str) -> None:
    done = rostra("export", "corpus", public / inside, "--archive", public)
    assert (done.returncode, done.stdout) == (2, "")
    assert "among what Rostra keeps" in done.stderr
    assert not (public / inside).exists()


@pytest.mark.parametrize("address", ["javascript:alert(1)", "https://example.org/", "/corpus?room=1"])
def test_an_address_of_no_part_does_not_mean_all_of_it(public: Path, tmp_path: Path, address: str) -> None:
    done = rostra("export", "corpus", tmp_path / "corpus", "--part", address, "--archive", public)
    assert (done.returncode, done.stdout) == (2, "")
    assert "copy the address of a corpus from the site" in done.stderr
    assert not (tmp_path / "corpus").exists()


@pytest.mark.parametrize(("number", "advice"), [(errno.ENOSPC, "make some"), (errno.EROFS, "mount it for writing")])
def test_disk_that_takes_nothing_is_told_with_what_to_do(
    number: int, advice: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def write() -> None:
        raise OSError(number, os.strerror(number))

    with pytest.raises(SystemExit) as ended:
        obey(write)
    assert ended.value.code == 2
    assert advice in " ".join(capsys.readouterr().err.split())
