"""Moments are cited from the terminal, and looked up after the transcript was corrected."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.pipelines.cli.test_revise import archive  # a fixture
from tests.pipelines.command import rostra

__all__ = ["archive"]


def told(root: Path, *arguments: str) -> Any:
    done = rostra("cite", *arguments, "--json", "--archive", root)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def published(root: Path) -> Path:
    done = rostra("publish", "--archive", root)
    assert done.returncode == 0, done.stderr
    return root


@pytest.mark.usefixtures("archive")
def test_a_moment_is_cited_and_found_after_a_correction(archive: Path) -> None:  # the fixture
    root = published(archive)
    made = told(root, "money", "--words", "batch 32 format", "--style", "link")
    assert made["address"] == made["link"]
    assert made["address"].startswith("http://127.0.0.1:8001/cite/")
    assert "&words=batch+32+format&before=the&after=of+the+lightening+network" in made["address"]
    assert told(root, made["address"]) | {"url": ""} == {
        "state": "certain", "session": "meetup/money", "url": "", "start_ms": made["start_ms"],
        "end_ms": made["end_ms"], "cited_version": (now := told(root, made["address"]))["version"],
        "version": now["version"], "as_cited": "batch 32 format", "as_now": "batch 32 format", "differences": [],
        "notes": [],
    }  # fmt: skip

    rostra("correct", "transcript", "money", "--at", "0:00", "--from", "batch 32", "--to", "Bech32", "--archive", root)
    after = told(published(root), made["address"])
    assert (after["state"], after["as_cited"], after["as_now"]) == ("certain", "batch 32 format", "Bech32 format")
    assert after["differences"] == [{"before": "batch 32", "after": "Bech32"}]
    assert after["notes"] == ["corrected", "words"]
    assert after["cited_version"] == now["version"] != after["version"]
    shown = rostra("cite", made["address"], "--archive", root)
    assert "People have corrected the transcript since." in shown.stdout
    assert "as it stands: Bech32 format" in shown.stdout


@pytest.mark.usefixtures("archive")
def test_an_address_says_by_itself_which_moment_it_is_and_whose(archive: Path) -> None:  # the fixture
    root = published(archive)
    address = told(root, "money", "--words", "batch 32 format", "--style", "link")["address"]
    for option in ("--at", "--to", "--words"):
        done = rostra("cite", address, option, "1:00", "--archive", root)
        assert (done.returncode, "leave --at, --to and --words out" in done.stderr) == (2, True)
    assert "is not this archive's site" not in rostra("cite", address, "--archive", root).stderr
    moved = address.replace("127.0.0.1:8001", "old.example")
    done = rostra("cite", moved, "--archive", root)
    assert (done.returncode, "old.example is not this archive's site (127.0.0.1)" in done.stderr) == (0, True)


@pytest.mark.usefixtures("archive")
def test_what_cannot_be_cited_is_said(archive: Path) -> None:  # the fixture
    for arguments, says in (
        (("money",), "nothing is published"),
        (("nowhere",), "nowhere"),
        (("money", "--words", "completely other things"), "nobody says"),
        (("money", "--at", "soon"), "--at or --to"),
        (("money", "--to", "3"), "--to needs --at"),
        (("https://example.org/cite/x?t=3",), "expected …/cite/SESSION/VERSION"),
        (("https://example.org/cite/000000000000/00000000",), "needs its time"),
        (("https://example.org/cite/000000000000/00000000?t=3",), "no moment"),
    ):
        done = rostra("cite", *arguments, "--archive", archive)
        assert done.returncode == 2, (arguments, done.stdout, done.stderr)
        assert says in done.stderr.lower().replace("\n", " ") or says in done.stderr, done.stderr
        if arguments == ("money",):
            published(archive)


@pytest.mark.usefixtures("archive")
def test_a_whole_session_is_cited(archive: Path) -> None:  # the fixture
    root = published(archive)
    done = rostra("cite", "meetup/money", "--archive", root)
    assert done.returncode == 0
    assert done.stdout.startswith("Money")
    assert "/cite/" in done.stdout
    assert told(root, "money", "--style", "csl")["start_ms"] is None
