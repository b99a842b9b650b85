"""The example archive: an invented event whose recordings are made on the spot.

``event.yaml`` is the timetable and ``talks/`` what is said in it. The recordings are not kept here:
English talks are spoken by a packaged synthetic voice, a reading and clips in other languages come
out of ordinary packages (see `pipelines.demo.sources`), and each session's page credits them.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from pipelines.demo.media import read_note
from pipelines.demo.recordings import RECIPES, fingerprint, make

EVENT_FILE = Path(__file__).with_name("event.yaml")

SEARCHES = (
    '"the worst of times it was the age of wisdom"',
    "cachorro preguiçoso",
    "archive timetable",
)
"""Searches that find something: a phrase over sentences' edges, two words in Portuguese, and two of one talk."""

Report: TypeAlias = Callable[[str, int, int], None]
"""Called with the file that is next, how many are done, and how many there are; at the end with ``""``."""


def build(folder: Path, report: Report) -> Path:
    """Make the example's recordings in ``folder`` and return the path of its timetable.

    What is already there and made from the same ingredients is left alone, and no file is ever half
    there. The same ingredients give the same bytes on the same machine.

    Raises:
        ConfigError: the ``demo`` extra is not installed.
        ToolError: a package that carries recordings cannot be fetched.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for done, recipe in enumerate(RECIPES):
        report(recipe.file, done, len(RECIPES))
        path, note = folder / recipe.file, fingerprint(recipe)
        if read_note(path) != note:
            make(recipe, path, note)
    report("", len(RECIPES), len(RECIPES))
    return EVENT_FILE
