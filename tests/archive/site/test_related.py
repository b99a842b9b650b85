"""A session's page names moments of other sessions that are like what is said in it, where there are vectors."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

from archive.connection import open_readonly
from archive.index.encoder import DIMENSIONS
from archive.site.app import create_app
from archive.sqlite import Database
from tests.archive.published_folder import publish


def alike(db: Database, _public: Path) -> None:
    """Let the beginnings of all transcripts mean the same."""
    vector = bytes([100] * DIMENSIONS)
    db.execute(
        "INSERT INTO meaning(transcript_id, first_position, last_position, encoder, vector)"
        " SELECT transcript_id, min(position), min(position) + 1, 'test', ? FROM segment GROUP BY transcript_id",
        [vector],
    )


def related(public: Path, path: str) -> list[tuple[str, str]]:
    """Return the addresses of related moments on a page, and what is shown of them."""
    site: Any = create_app(public)
    try:
        answer = asyncio.run(site.client.get(path))
        assert answer.status_code == 200
        section = re.search(r"<h2>Related moments</h2>(.*?)</section>", answer.text, re.DOTALL)
        return re.findall(r'<a href="([^"]+)">(.*?)</li>', section[1], re.DOTALL) if section else []
    finally:
        site.executor.shutdown()


def test_moments_that_are_alike_are_named_and_escaped(tmp_path: Path) -> None:
    publish(tmp_path, more=alike)
    db = open_readonly(next(tmp_path.glob("catalogue-*.db")), immutable=True)
    sessions = db.execute(
        "SELECT DISTINCT '/events/' || event.slug || '/' || session.slug FROM meaning"
        " JOIN transcript ON transcript.id = transcript_id JOIN recording ON recording.id = recording_id"
        " JOIN session ON session.id = session_id JOIN event ON event.id = event_id ORDER BY session.id"
    ).fetchall()
    db.close()
    paths = [path for (path,) in sessions]
    assert len(paths) > 2
    for path in paths:
        found = related(tmp_path, path)
        named = {address.partition("?")[0] for address, _ in found}
        assert named == set(paths) - {path}
        assert all("?t=" in address for address, _ in found)
        assert not any(re.search(r"<script|<img", text) for _, text in found)


def test_without_vectors_there_are_none(tmp_path: Path) -> None:
    publish(tmp_path)
    assert related(tmp_path, "/events") == []
