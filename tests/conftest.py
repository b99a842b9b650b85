"""What tests share: a catalogue, and where real recordings are."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from archive.db import Database, create_catalogue

# How long an example takes depends on what else this machine does, and says nothing about the code.
settings.register_profile("rostra", deadline=None)
settings.load_profile("rostra")


@pytest.fixture
def catalogue(tmp_path: Path) -> Iterator[Database]:
    db = create_catalogue(tmp_path / "catalogue.db")
    yield db
    db.close()


@pytest.fixture(scope="session")
def data() -> Path:
    """Return the folder of real recordings, timetables and captions."""
    default = Path(__file__).resolve().parent.parent.parent / "shared" / "data"
    folder = Path(os.environ.get("ROSTRA_TEST_DATA", default))
    if not (folder / "MANIFEST.tsv").is_file():
        pytest.skip("no real recordings here: set ROSTRA_TEST_DATA")
    return folder
