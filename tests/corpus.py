"""Real talks as segments, for tests and benchmarks of search; they lie beside the recordings, not in the project."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

DATA = Path(os.environ.get("ROSTRA_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))
CORPUS = DATA / "corpus"


def latin(text: str) -> list[str]:
    return re.findall(r"[a-z0-9]+", text.lower())


def read_corpus() -> list[list[str]]:
    """Return sessions as segments, of text whose every word is ASCII: a scan of it needs no rule of ours."""
    talks = [path.read_text() for path in sorted((CORPUS).rglob("*.md"))]
    segments = [re.findall(r"\S+(?:\s+\S+){0,11}", talk) for talk in talks]
    captions = [path.read_text().splitlines()[1:] for path in sorted((CORPUS).rglob("*.vtt"))]
    segments += [[line for line in lines if line and "-->" not in line] for lines in captions]
    apollo = json.loads((CORPUS / "apollo-13-tecatg.min.json").read_text())
    segments.append([text for text in strings(apollo) if text.strip()])
    ascii_only = [[text.encode("ascii", "replace").decode() for text in talk] for talk in segments]
    return [talk for talk in ascii_only if talk]


def strings(value: object) -> list[str]:
    if isinstance(value, dict):
        return [text for item in value.values() for text in strings(item)]
    if isinstance(value, list):
        return [text for item in value for text in strings(item)]
    return [value] if isinstance(value, str) else []
