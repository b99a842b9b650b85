"""Recordings of real timetables, named as people and machines name them, matched: precision and recall.

``python -m tests.bench.matching [--events 12] [--first SEED]``

For each real timetable and each set of habits (`tests.pipelines.untidy`), so many made events of 40 recordings, 8 of
which are of no session. Precision is of what is applied without asking; recall is of what has a session, first
applied without asking, then with one key among the three likeliest.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from zoneinfo import ZoneInfo

from pipelines.matching.evidence import Timetable, certain
from tests.corpus import DATA
from tests.pipelines.untidy import HABITS, PLACES, read_talks, recordings


def main() -> None:
    """Make, match, and count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=12, help="made events a timetable and set of habits")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    options = parser.parse_args()
    whole: Counter[str] = Counter()
    for name, place in PLACES.items():
        talks = read_talks(DATA / "events" / name)
        timetable = Timetable(talks)
        for kind, habits in HABITS.items():
            counts: Counter[str] = Counter()
            for seed in range(options.first, options.first + options.events):
                for truth, file in recordings(talks, habits, ZoneInfo(place), seed=seed):
                    found = timetable.matches(file)
                    sure = certain(found)
                    if sure is not None:
                        counts["right" if truth and sure.talk.id == truth.id else "wrong"] += 1
                        if not truth or sure.talk.id != truth.id:
                            print(f"  WRONG {file.folder}/{file.name} is not {sure.talk.label}: {sure.reasons}")
                    elif truth is not None:
                        counts["listed" if truth.id in [each.talk.id for each in found[:3]] else "lost"] += 1
            tell(f"{name}, {kind}", counts)
            whole += counts
    tell("all", whole)
    sys.exit(1 if whole["wrong"] else 0)


def tell(what: str, counts: Counter[str]) -> None:
    """Print precision and recall."""
    real = counts["right"] + counts["listed"] + counts["lost"]
    applied = counts["right"] + counts["wrong"]
    print(
        f"{what:40} {applied:5} of {real:5} applied, {counts['wrong']} wrong: precision"
        f" {counts['right'] / max(1, applied):.4f}, recall {counts['right'] / real:.2f},"
        f" with one key {(counts['right'] + counts['listed']) / real:.2f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
