"""An event's days as a grid: a column a room, a row from each beginning or end to the next, as tables have them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

from archive.site.queries import Card

USUAL_MS = 30 * 60_000
"""How long a session is drawn whose length nobody knows."""
LONGEST_ROW = 60
"""Minutes that a row is drawn for at most: a night is no longer than an hour."""
MINUTES = 5
"""What heights of rows are counted in."""


class Cell(NamedTuple):
    """A session, or nothing, over so many rows."""

    card: Card | None
    rows: int


class Row(NamedTuple):
    """From one time to the next: when it begins, its minutes as they are drawn, and the cells that begin in it."""

    start: datetime
    minutes: int
    cells: tuple[Cell, ...]


class Day(NamedTuple):
    """A day's grid.

    Attributes:
        day: its date.
        rooms: names, and how many columns each has: as many as it has sessions at one time.
        rows: in order.
        loose: sessions that have no hour.
    """

    day: date
    rooms: tuple[tuple[str | None, int], ...]
    rows: tuple[Row, ...]
    loose: tuple[Card, ...]


def room_of(card: Card) -> str | None:
    """Return the column that a session stands in."""
    return card.room or card.place


def grid(day: date, cards: Sequence[Card], order: Sequence[str | None] = ()) -> Day:
    """Return the grid of a day's sessions, which are in order.

    Args:
        day: its date.
        cards: its sessions.
        order: of rooms, so that a room stands in the same place on each day; others follow.
    """
    timed = [(card, *_lasting(card)) for card in cards if card.start]
    edges = sorted({edge for _, start, end in timed for edge in (start, end)})
    rooms: dict[str | None, list[list[tuple[Card, datetime, datetime]]]] = {}
    for card, start, end in timed:
        lanes = rooms.setdefault(room_of(card), [])
        free = next((lane for lane in lanes if lane[-1][2] <= start), None)
        if free is None:
            lanes.append(free := [])
        free.append((card, start, end))
    rooms = {room: rooms[room] for room in dict.fromkeys((*order, *rooms)) if room in rooms}
    columns = [lane for lanes in rooms.values() for lane in lanes]
    rows = tuple(
        Row(
            start,
            min(-(-int((end - start).total_seconds() // 60) // MINUTES) * MINUTES, LONGEST_ROW),
            tuple(cell for lane in columns if (cell := _cell(lane, start, end, edges)) is not None),
        )
        for start, end in pairwise(edges)
    )
    return Day(
        day,
        tuple((room, len(lanes)) for room, lanes in rooms.items()),
        rows,
        tuple(card for card in cards if not card.start),
    )


def _lasting(card: Card) -> tuple[datetime, datetime]:
    if card.start is None:
        raise TypeError("a session without an hour has no place in a grid")
    length = card.planned_ms or card.recorded_ms or USUAL_MS
    return card.start, card.start + timedelta(minutes=max(round(length / 60_000), MINUTES))


def _cell(
    lane: Sequence[tuple[Card, datetime, datetime]], start: datetime, end: datetime, edges: Sequence[datetime]
) -> Cell | None:
    """Return what begins in a row of a column; None where something from above goes on."""
    for card, begin, finish in lane:
        if begin == start:
            return Cell(card, sum(begin <= edge < finish for edge in edges))
        if begin < end and finish > start:
            return None
    return Cell(None, 1)
