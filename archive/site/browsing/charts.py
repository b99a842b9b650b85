"""Small charts as numbers for SVG, each beside a table that says the same."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from metadata.model import Attendance

WIDTH, HEIGHT = 320, 120
MARGIN = 8


class ChartLine(NamedTuple):
    """A measure over time: its name, its points as ``x,y`` of a polyline, and each point."""

    measure: str
    points: str
    dots: tuple[tuple[float, float], ...]


def attendance(figures: Sequence[Attendance]) -> tuple[ChartLine, ...]:
    """Return figures of known days as lines, where a measure has two or more."""
    dated = [(date.fromisoformat(each.observed_on), each) for each in figures if each.observed_on]
    by_measure: dict[str, list[tuple[date, int]]] = {}
    for day, each in dated:
        by_measure.setdefault(each.measure, []).append((day, each.people.count))
    several = {name: values for name, values in by_measure.items() if len(values) > 1}
    if not several:
        return ()
    days = [day for values in several.values() for day, _ in values]
    first, span = min(days), max((max(days) - min(days)).days, 1)
    most = max(count for values in several.values() for _, count in values) or 1
    lines = []
    for name, values in several.items():
        dots = tuple(
            (
                round(MARGIN + (WIDTH - 2 * MARGIN) * (day - first).days / span, 1),
                round(HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * count / most, 1),
            )
            for day, count in values
        )
        lines.append(ChartLine(name, " ".join(f"{x},{y}" for x, y in dots), dots))
    return tuple(lines)


def trends(names: Sequence[str], values: Sequence[tuple[int, Sequence[float]]]) -> tuple[ChartLine, ...]:
    """Return a line for each of some measures over years; none where there are fewer than two.

    Args:
        names: of the measures.
        values: years in order, each with a value of each measure.
    """
    if len(values) < 2:
        return ()
    first, span = values[0][0], max(values[-1][0] - values[0][0], 1)
    most = max((value for _, told in values for value in told), default=0) or 1
    lines = []
    for number, name in enumerate(names):
        dots = tuple(
            (
                round(MARGIN + (WIDTH - 2 * MARGIN) * (year - first) / span, 1),
                round(HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * told[number] / most, 1),
            )
            for year, told in values
        )
        lines.append(ChartLine(name, " ".join(f"{x},{y}" for x, y in dots), dots))
    return tuple(lines)
