"""What `tests.bench.asr` found, as tables in Markdown.

``python -m tests.bench.tables [FILE]`` prints that of ``README.md`` and word errors by recording; FILE is what
``--json`` named, by default the one that is kept beside this module.
"""

from __future__ import annotations

import json
import statistics
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from langcodes import Language

from pipelines.config import QUALITIES
from tests.bench.hard import split_of
from tests.bench.marks import interval, total

KEPT = Path(__file__).with_name("asr.json")
WITHOUT_INT8 = KEPT.with_name("asr_avx2.json")
"""The same of a processor with AVX2 alone, which has no instructions for int8."""
ENGINES = {
    "rostra": "Rostra",
    "in order": "faster-whisper, in order",
    "batched": "faster-whisper, batched",
    "openai": "openai-whisper",
}


def read(path: Path = KEPT) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8")))


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown, whose first column alone is not of numbers."""
    lines = [titles, ["---", *["--:"] * (len(titles) - 1)], *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def summary(results: Mapping[str, Any]) -> str:
    """Return word errors by language, and below them everything else, a column an engine."""
    rows = [row for row in (*_languages(results["words"]), *_other(results)) if any(row[1:])]
    return table(["", *ENGINES.values()], rows)


def by_recording(results: Mapping[str, Any]) -> str:
    """Return word errors in percent by recording."""
    rows = [
        [path.removeprefix("audio/"), *(_percent([found.get(name)]) for name in ENGINES)]
        for path, found in results["words"].items()
    ]
    return table(["recording", *ENGINES.values()], rows)


def worse(results: Mapping[str, Any], factor: float = 1.2) -> list[str]:
    """Return the recordings in which Rostra makes more errors than this many times those of the best peer."""
    words = results["words"]
    return [
        path
        for (path, found), best in zip(words.items(), best_peers(words), strict=True)
        if best and "rostra" in found and found["rostra"]["errors"] > factor * best["errors"]
    ]


def best_peers(words: Mapping[str, Any]) -> list[Mapping[str, int] | None]:
    """Return what the best peer of each recording found in it."""
    return [
        min((each for name, each in file.items() if name != "rostra"), key=lambda found: found["errors"], default=None)
        for file in words.values()
    ]


def _languages(words: Mapping[str, Any]) -> Iterable[list[str]]:
    files = list(words.values())
    languages = sorted({found["language"] for file in files for found in file.values()})
    for language in languages:
        of_it = [file for file in files if any(found["language"] == language for found in file.values())]
        name = Language.get(language).display_name()
        what = "characters" if language in {"zh", "ja", "ko"} else "words"
        yield [f"{name}: {what} wrong, %", *(_percent([file.get(engine) for file in of_it]) for engine in ENGINES)]
    yield ["all languages, %", *(_percent([file.get(engine) for file in files]) for engine in ENGINES)]


def _other(results: Mapping[str, Any]) -> Iterable[list[str]]:
    speed = list(results.get("speed", {}).values())
    yield ["seconds of sound a second", *(_pace([file.get(name) for file in speed]) for name in ENGINES)]
    times = list(results.get("times", {}).values())
    for kind, title in (("words", "first words of passages"), ("segments", "segments")):
        missed = {
            name: [x for file in times for x in file.get(name, {}).get(kind, ()) if x is not None] for name in ENGINES
        }
        yield [
            f"starts of {title} missed by, ms (median, 95th percentile)",
            *(_missed(missed[name]) for name in ENGINES),
        ]
    outside = {name: [file.get(name, {}).get("outside") for file in times] for name in ENGINES}
    yield ["words more than 0.3 s outside speech", *map(_sum, outside.values())]
    invented = list(results.get("invented", {}).values())
    yield ["words invented over music and silence", *(_sum([file.get(name) for file in invented]) for name in ENGINES)]


def _sum(counts: Sequence[int | None]) -> str:
    there = [count for count in counts if count is not None]
    return str(sum(there)) if there and len(there) == len(counts) else ""


def _pace(found: Sequence[Mapping[str, float] | None]) -> str:
    there = [each for each in found if each]
    return f"{sum(each['of'] for each in there) / sum(each['took'] for each in there):.1f}" if there else ""


def _missed(starts: Sequence[int]) -> str:
    if not starts:
        return ""
    off = sorted(map(abs, starts))
    return f"{statistics.median(off):.0f}, {off[min(round(0.95 * len(off)), len(off) - 1)]}"


def _percent(found: Sequence[Mapping[str, int] | None]) -> str:
    there = [each for each in found if each]
    if len(there) < len(found):
        return ""
    return f"{100 * sum(each['errors'] for each in there) / sum(each['units'] for each in there):.1f}"


def remarks(results: Mapping[str, Any]) -> str:
    """Return what is known of Rostra alone, in sentences."""
    names = list(results.get("names", {}).values())
    said = [file["rostra"] for file in names if "rostra" in file]
    costs = [file["rostra"] for file in results.get("cost", {}).values()]
    memory = {int(seconds): found["rostra"] for seconds, found in results.get("memory", {}).items()}
    parts = []
    if oracle := _percent(best_peers(results["words"])):
        parts.append(
            f"Whoever knew the best of the three others for each recording would be wrong in {oracle}% of all."
        )
    if said:
        total, without, given, false = (sum(each[key] for each in said) for key in ("said", "without", "with", "false"))
        parts.append(
            f"Of {total} names that are said, {without} are heard without hints and {given} with them; of names that "
            f"are not said, hints put {false} into {len(said)} recordings."
        )
    if costs:
        whole = sum(sum(each.values()) for each in costs)
        model = sum(each["model"] + each["features"] for each in costs)
        parts.append(f"All that is not the model takes {100 * (1 - model / whole):.1f}% of the stage's computing time.")
    if len(memory) > 1:
        short, long = memory[min(memory)], memory[max(memory)]
        parts.append(
            f"With {long['model']}, a recording of {max(memory) / 3600:g} hours takes {long['bytes'] / 2**20:.0f} MiB, "
            f"{long['bytes'] / short['bytes']:.2f} times what one of {min(memory) / 60:g} minutes takes."
        )
    return "\n".join(parts)


def without_int8(results: Mapping[str, Any]) -> str:
    """Return in a sentence what a processor without instructions for int8 makes of it."""
    wrong = {name: _percent([file.get(name) for file in results["words"].values()]) for name in ENGINES}
    own, *peers = (
        sum(file[name]["took"] for file in results["speed"].values()) for name in ("rostra", "batched", "openai")
    )
    batched, openai = (f"{took / own:.1f}" for took in peers)
    return (
        "On a processor with AVX2 alone, int8 is slower and rounds otherwise: there Rostra was wrong in "
        f"{wrong.pop('rostra')}%, the others in {', '.join(wrong.values())}%, and it took faster-whisper, batched, "
        f"{batched} times as long as Rostra, and openai-whisper {openai} times."
    )


def held_out(results: Mapping[str, Any]) -> str:
    """Return in a sentence by how much Rostra differs from the batched pipeline on what nothing was tuned on."""
    files = [found for path, found in results["words"].items() if split_of(path) == "test"]
    both = [(found["rostra"], found["batched"]) for found in files if {"rostra", "batched"} <= set(found)]
    apart, low, high = interval([(one["errors"], other["errors"], one["units"]) for one, other in both])
    better = "Rostra is better" if high <= 0 else "Rostra is worse" if low >= 0 else "neither is better for sure"
    return (
        f"Of the {len(both)} recordings of the test half, Rostra is wrong in {_percent([one for one, _ in both])}%, "
        f"faster-whisper, batched, in {_percent([other for _, other in both])}%: {100 * apart:+.1f} points, with a 95% "
        f"interval of {100 * low:+.1f} to {100 * high:+.1f} (paired bootstrap), so that {better}."
    )


def qualities(results: Mapping[str, Any]) -> str:
    """Return errors and computing by quality, on the recordings for which all are known."""
    files = [each for each in results["quality"].values() if set(QUALITIES) <= set(each)]
    rows = [[f"`{each}`", _percent([file[each] for file in files]), _computed(files, each)] for each in QUALITIES]
    return table(["quality", "words wrong, %", "seconds of computing for a minute of sound"], rows)


def _computed(files: Sequence[Mapping[str, Any]], quality: str) -> str:
    found = [file[quality] for file in files]
    return f"{60 * sum(each['computed'] for each in found) / sum(each['of'] for each in found):.1f}"


def hard(results: Mapping[str, Any], split: str = "test") -> str:
    """Return what Rostra makes of hard sound, a row a kind."""
    kinds = total(each["rostra"] for name, each in results["hard"].items() if name.startswith(f"{split}:"))
    titles = ["sound", "minutes", "words heard", "of them wrong", "flagged", "wrong of these", "wrong and not flagged"]
    return table([*titles, "errors, %", "lost at once"], [[kind, *_hard(found)] for kind, found in kinds.items()])


def _hard(found: Mapping[str, float]) -> Iterable[str]:
    yield f"{found['seconds'] / 60:.1f}"
    yield f"{found['words']:.0f}"
    # What is said in meetings is not known, and in crosstalk not by whom.
    judged = "spoken" not in found or "units" in found
    yield f"{found['wrong']:.0f}" if judged else ""
    yield f"{found['flagged']:.0f}"
    yield f"{100 * found['flagged wrong'] / found['flagged']:.0f}%" if judged and found["flagged"] else ""
    yield f"{found['wrong'] - found['flagged wrong']:.0f}" if judged else ""
    yield f"{100 * found['errors'] / found['units']:.1f}" if "units" in found else ""
    yield f"{found['lost in a run']:.0f}" if "units" in found else ""


def section(results: Mapping[str, Any], elsewhere: Mapping[str, Any]) -> str:
    """Return what ``README.md`` shows."""
    said = f"{remarks(results)}\n{held_out(results)}\n{without_int8(elsewhere)}"
    return "\n\n".join((summary(results), said, hard(results), qualities(results)))


if __name__ == "__main__":
    given = read(Path(sys.argv[1])) if len(sys.argv) > 1 else read()
    print(summary(given), remarks(given), by_recording(given), sep="\n\n")
    print("\nmore than 1.2 times the errors of the best peer:", ", ".join(worse(given)) or "none")
