"""The site as files: what its pages lead to is there, and what they are served with."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urljoin, urlsplit

import pytest

from archive.publication.folder import SiteNames
from archive.site.frozen.walk import CITATIONS
from archive.sqlite import Database
from tests.archive.published_folder import publish
from tests.archive.written_site import write

pytest.importorskip("pagefind", reason="no Pagefind: pip install 'rostra[static]'")
URL = "https://files.example.org/talks"
ELSEWHERE = "/events/launch/the-launch"
"""A session of which only the words are here."""
NAMED = re.compile(
    r' (?:href|src|action|poster|data-(?:words|page|peaks|citations|script))="([^"]*)"'
    r"|>(https://files\.example\.org[^<]*)<|\"(https://files\.example\.org[^\"]*)\""
)
NAMES_ONLY = "/canvas/"
"""Part of names of things in manifests, which lead nowhere."""


class Written(NamedTuple):
    root: Path
    folder: Path


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    public, root = tmp_path_factory.mktemp("public"), tmp_path_factory.mktemp("www")

    def add(db: Database, _media: Path) -> None:
        db["recording"].insert(
            {
                "id": 50, "session_id": 4, "sha256": "e" * 64, "kind": "video", "role": "floor", "bytes": 0,
                "media_type": "video/mp4", "suffix": ".mp4", "duration_ms": 60_000, "language": "en",
                "pulled_at": "2026-11-23T09:00:00Z",
            }
        )  # fmt: skip
        db["transcript"].insert(
            {
                "id": 50, "recording_id": 50, "version": "50" * 8, "language": "en", "kind": "human",
                "generator": "WebVTT", "parameters_hash": "-", "duration_ms": 60_000, "is_current": 1,
                "created_at": "2026-11-23T09:00:00Z",
            }
        )  # fmt: skip
        db["segment"].insert(
            {"id": 5000, "transcript_id": 50, "position": 0, "start_ms": 0, "end_ms": 4_000, "text": "It is out."}
        )

    publish(public, more=add)
    folder = root / "talks"
    write(public, folder, SiteNames(title="Files", url=URL), gone=("/events/launch/gone",))
    return Written(root, folder)


def links(file: Path, here: str) -> Iterator[str]:
    """Yield the paths to which a file leads on its own site."""
    for found in NAMED.finditer(file.read_text(encoding="utf-8")):
        address = urlsplit(urljoin(here, html.unescape(next(filter(None, found.groups()), ""))))
        if address.netloc == "files.example.org" and NAMES_ONLY not in address.path:
            yield unquote(address.path)


def test_whatever_files_lead_to_is_there(written: Written) -> None:
    """As any server of files answers: a file at its path, or the page of a folder."""
    missing, checked = set[tuple[str, str]](), 0
    for file in written.folder.rglob("*"):
        if file.suffix not in {".html", ".xml", ".atom", ".rss", ".json"} or {*file.parts} & {"pagefind", CITATIONS}:
            continue  # citations are texts
        name = file.relative_to(written.root).as_posix()
        for path in links(file, f"https://files.example.org/{name.removesuffix('index.html')}"):
            there = written.root / path.lstrip("/")
            checked += 1
            if not (there / "index.html" if there.is_dir() else there).is_file():
                missing.add((name, path))
    assert checked > 1_000
    assert missing == set()


def test_words_that_are_here_alone_can_be_cited(written: Written) -> None:
    page = (written.folder / ELSEWHERE.lstrip("/") / "index.html").read_text()
    assert "It is out." in page
    assert (written.folder / ELSEWHERE.lstrip("/") / "cite.json").is_file()
