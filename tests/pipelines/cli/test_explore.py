"""``rostra explore``: the same figures as on the site, from the command line."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.archive.published_folder import SENTENCES, publish
from tests.archive.site.test_research import speakers
from tests.pipelines.command import rostra

EVENT = "summer-university-2022"


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("published")
    publish(folder, more=speakers)
    return folder


def explored(public: Path, *arguments: str) -> list[dict[str, Any]]:
    done = rostra("explore", *arguments, "--json", "--archive", public)
    assert done.returncode == 0, done.stderr
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return rows


def test_figures_as_json_on_the_screen_and_as_a_file(public: Path, tmp_path: Path) -> None:
    rows = explored(public, "frequency", "debt", "lamp", "--by", "speaker")
    assert [(row["query"], row["speaker"], row["occurrences"]) for row in rows if row["occurrences"]] == [
        ("debt", "jonas-lindqvist", 1),
        ("debt", "noor-okafor", 2),
        ("lamp", "noor-okafor", 1),
    ]
    done = rostra("explore", "frequency", "debt", "--by", "speaker", "--archive", public)
    assert "Noor Okafor" in done.stdout
    file = tmp_path / "lines.csv"
    done = rostra("explore", "concordance", "debt", "--sample", "2", "--seed", "4", "--csv", file, "--archive", public)
    assert done.returncode == 0, done.stderr
    lines = list(csv.DictReader(io.StringIO(file.read_text(), newline="")))
    assert [(line["match"], line["date"]) for line in lines] == [("debt", "2022-07-23")] * 2


@pytest.mark.parametrize("option", ["--event", "--series", "--speaker", "--person", "--language", "--track", "--year"])
def test_a_name_of_nothing_is_an_error_that_says_what_there_is(public: Path, option: str) -> None:
    done = rostra("explore", "frequency", "debt", option, "klingon", "--archive", public)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"{option} klingon: no session has it, but " in " ".join(done.stderr.replace("│", " ").split())


def test_what_is_named_wrongly_is_told_with_what_there_is(public: Path) -> None:
    for options in (["--event", "summer"], ["--than", "event=summer"]):
        done = rostra("explore", "keywords", *options, "--archive", public)
        assert (done.returncode, EVENT in done.stderr) == (2, True)
    assert explored(public, "frequency", "debt", "--since", "2099-01-01") == []


def test_who_spoke_and_what_they_say_more(public: Path) -> None:
    found = explored(public, "speakers", "--event", EVENT, "--speaker", "jonas-lindqvist")
    assert [(row["name"], row["words"]) for row in found] == [("Jonas Lindqvist", len(SENTENCES[4][2].split()))]
    assert explored(public, "keywords", "--event", EVENT, "--than", "event=hostile") == []
    assert explored(public, "dispersion", "debt")[0]["found_in"] == 1
    assert explored(public, "collocates", "zeppelin") == []
    done = rostra("explore", "keywords", "--than", "nothing", "--archive", public)
    assert (done.returncode, "such as event=SLUG" in done.stderr) == (2, True)
