"""Files of captions, each with what it says, or why it is refused, beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from metadata.captions import FORMATS, READERS, Source, read_captions
from metadata.errors import MetadataError
from metadata.model import Transcript

CASES = Path(__file__).parents[1] / "cases" / "captions"
MADE = "example."
"""What files begin with that show what is written (`tests.metadata.test_captions`)."""
DURATION_MS = 7_200_000


def beside(path: Path, suffix: str) -> Path:
    return path.with_name(path.name + suffix)


INPUTS = sorted(
    path
    for path in CASES.iterdir()
    if not path.name.startswith(MADE) and not path.name.endswith((".expected.json", ".error.txt"))
)
READABLE = [path for path in INPUTS if beside(path, ".expected.json").exists()]
REFUSED = [path for path in INPUTS if beside(path, ".error.txt").exists()]


def said(name: str, transcript: Transcript) -> dict[str, Any]:
    """Return what a file says, a line for each segment and each word: when, who, what, how sure."""
    return {
        "format": name,
        "language": transcript.language,
        "segments": [
            [segment.start_ms, segment.end_ms, segment.speaker, segment.text]
            + [[word.start_ms, word.end_ms, word.text, word.confidence] for word in segment.words]
            for segment in transcript.segments
        ],
    }


@pytest.mark.parametrize("path", READABLE, ids=lambda path: path.name)
def test_captions_readable(path: Path) -> None:
    data = path.read_bytes()
    expected = msgspec.json.decode(beside(path, ".expected.json").read_bytes())
    transcript = read_captions(data, Source(name=path.name, duration_ms=DURATION_MS))
    names = {each.title: each.name for each in FORMATS.values()}
    assert said(names[transcript.generator], transcript) == expected


@pytest.mark.parametrize("path", REFUSED, ids=lambda path: path.name)
def test_captions_refused(path: Path) -> None:
    with pytest.raises(MetadataError) as caught:
        read_captions(path.read_bytes(), Source(name=path.name, duration_ms=DURATION_MS))
    assert str(caught.value) == beside(path, ".error.txt").read_text(encoding="utf-8").strip()


def test_captions_cases_complete() -> None:
    assert sorted(READABLE + REFUSED) == INPUTS
    assert {path.name.partition("_")[0] for path in INPUTS} >= {"srt", "ttml", "vtt", "sbv", "scc", "whisper"}
    assert "whisper-tsv" in READERS
