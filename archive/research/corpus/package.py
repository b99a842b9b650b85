"""The descriptor of a corpus: ``datapackage.json`` (https://specs.frictionlessdata.io/data-package/, version 1)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

from archive.research.corpus.base import About, Folder

DESCRIPTOR = "datapackage.json"
NOTE = (
    "What was said in recorded sessions, with times in milliseconds. What a machine heard with doubt is marked as"
    " doubtful. In CSV, what a spreadsheet would run as a formula has an apostrophe before it, also within a text."
)


def describe(folder: Folder, about: About, licences: Iterable[str]) -> dict[str, Any]:
    """Return the descriptor of what was written into a folder.

    Args:
        folder: what was written.
        about: the corpus as a whole.
        licences: of the recordings, as the archive has them.
    """
    resources = sorted(folder.resources.values(), key=lambda each: str(each["path"]))
    for each in resources:
        each["name"] = _name(each["path"])
    licensed = [_licence(each) for each in sorted(set(licences))]
    return {
        "profile": "data-package",
        "name": _name(about.title),
        "title": about.title,
        "description": " ".join(filter(None, [NOTE, about.selection])),
        "homepage": about.permanent or about.home,
        "created": about.built_at,
        **({"licenses": licensed} if licensed else {}),
        "sources": [{"title": about.title, "path": about.home}],
        "resources": resources,
    }


def write_descriptor(folder: Folder, about: About, licences: Iterable[str]) -> None:
    """Write the descriptor beside what it describes."""
    text = json.dumps(describe(folder, about, licences), ensure_ascii=False, indent=2)
    (folder.root / DESCRIPTOR).write_text(text + "\n", encoding="utf-8")


def _licence(text: str) -> dict[str, str]:
    if re.match(r"https?://\S+$", text):
        return {"path": text, "title": text}
    return {"name": re.sub(r"[^A-Za-z0-9._-]+", "-", text).strip("-") or "other", "title": text}


def _name(text: str) -> str:
    """Return a name as the specification wants it: small letters, digits and ``.-_/``."""
    return re.sub(r"[^a-z0-9._/-]+", "-", text.lower()).strip("-") or "corpus"
