"""How far a query travels through the code, from the view to the rows: the fewer stops, the easier to follow."""

from __future__ import annotations

import asyncio
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

import archive
from archive.index.encoder import installed_encoder
from archive.site.app import create_app
from tests.archive.published_folder import publish

ROOT = str(Path(str(archive.__file__)).parent)
MOST_FUNCTIONS, MOST_MODULES, DEEPEST = 225, 26, 17
"""Functions that ``/search`` calls, the modules that they stand in, and how many of them call each other."""


@dataclass
class Journey:
    """What one request calls: functions as ``(file, name)``, and the longest chain of calls."""

    functions: set[tuple[str, str]] = field(default_factory=set)
    deepest: int = 0

    def note(self, frame: FrameType) -> None:
        code = frame.f_code
        if not is_ours(frame) or code.co_name.startswith("<"):
            return
        self.functions.add((code.co_filename, code.co_qualname))
        depth, below = 0, frame
        while below is not None:
            depth += is_ours(below)
            below = below.f_back  # type: ignore[assignment]
        self.deepest = max(self.deepest, depth)

    @property
    def modules(self) -> set[str]:
        return {file.removeprefix(f"{ROOT}/") for file, _ in self.functions}


def is_ours(frame: FrameType) -> bool:
    """Return whether a frame belongs to the search, or to the view that shows what it finds."""
    file = frame.f_code.co_filename.removeprefix(f"{ROOT}/")
    return file.startswith(("search/", "index/")) or file in {"site/results.py", "site/queries.py"}


def path_of(public: Path, address: str) -> Journey:
    """Return what a new site calls for one request, in whatever thread."""
    path, asking = Journey(), threading.Event()

    def profile(frame: FrameType, event: str, _argument: object) -> None:
        if event == "call" and asking.is_set():
            path.note(frame)

    threading.setprofile(profile)  # of the threads that begin from now on: those that read the database
    try:
        site: Any = create_app(public, time_limit_ms=60_000)
        asyncio.run(site.client.get("/"))  # so that what is made once is made
        installed_encoder()  # likewise: once a process
        sys.setprofile(profile)
        asking.set()
        assert asyncio.run(site.client.get(address)).status_code == 200
    finally:
        asking.clear()
        sys.setprofile(None)
        threading.setprofile(None)
    site.executor.shutdown()
    return path


def test_a_query_goes_through_few_functions_of_few_modules(tmp_path: Path) -> None:
    publish(tmp_path)
    path = path_of(tmp_path, "/search?q=archive")
    assert {"site/results.py", "search/query.py"} <= path.modules
    assert len(path.functions) <= MOST_FUNCTIONS
    assert len(path.modules) <= MOST_MODULES
    assert path.deepest <= DEEPEST
