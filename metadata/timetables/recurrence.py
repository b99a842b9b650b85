"""Events of a calendar that come again (RFC 5545, 3.8.5): the dates of one, as single events.

``dateutil`` knows the rules. An event is unrolled if its rule has an end and is by day or longer, for `YEARS` and
`MOST_OCCURRENCES` dates: a file may ask for one event each second, without end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import islice
from typing import Any

from dateutil.rrule import rrulestr
from icalendar.cal import Component

YEARS = 3
MOST_OCCURRENCES = 400
_UNROLLED = frozenset({"DAILY", "WEEKLY", "MONTHLY", "YEARLY"})
_RULES = ("RRULE", "RDATE", "EXDATE", "EXRULE")


@dataclass(slots=True)
class Replaced:
    """The dates of an event that a calendar describes by events of their own (RFC 5545, 3.8.4.4).

    Attributes:
        single: their dates.
        following: events that replace their date and all later ones (``RANGE=THISANDFUTURE``), in the file's order.
    """

    single: list[date] = field(default_factory=list)
    following: list[Any] = field(default_factory=list)


def time_of(component: Any, name: str) -> Any:
    """Return a time, date or length as Python has it; None where there is none or it cannot be read.

    What cannot be read is in ``component.errors``.
    """
    value = component.get(name)
    try:
        return getattr(value[0] if isinstance(value, list) and value else value, "dt", None)
    except ValueError:
        return None


def reach(component: Any) -> str:
    """Return which dates besides its own an event replaces: ``THISANDFUTURE``, ``THISANDPRIOR`` or an empty text."""
    return str(getattr(component.get("RECURRENCE-ID"), "params", {}).get("RANGE", "")).upper()


def replaced(events: Sequence[Component]) -> dict[str, Replaced]:
    """Return what a calendar replaces of each event that comes again, by its UID."""
    found: dict[str, Replaced] = {}
    for each in events:
        when = time_of(each, "RECURRENCE-ID")
        if when is not None:
            dates = found.setdefault(str(each.get("UID")), Replaced())
            dates.single.append(when)
            if reach(each) == "THISANDFUTURE":
                dates.following.append(each)
    return found


def unrolled(component: Any, replaced: Replaced, zone: tzinfo) -> tuple[list[Component], bool] | None:
    """Return an event for each date of one that comes again, in order, and whether those are all of them.

    None where that cannot be said.

    Args:
        component: the event, with a rule or with further dates.
        replaced: what its calendar replaces of it.
        zone: the zone of times that name none.
    """
    try:
        clock = _Clock(component["DTSTART"].dt, zone)
        dates, all_of_them = _by_rule(component, clock.start)
        left_out = {clock.key(each) for each in (*replaced.single, *_dates(component, "EXDATE"))}
        changes = sorted(((clock.key(each["RECURRENCE-ID"].dt), each) for each in replaced.following), key=_first)
        singles: dict[Any, Component] = {}
        for when in (*dates, *_dates(component, "RDATE")):
            start = when[0] if isinstance(when, tuple) else when
            if clock.key(start) not in left_out and clock.day(start) not in left_out:
                singles.setdefault(clock.key(start), _single(component, clock, when, changes))
        return list(islice(singles.values(), MOST_OCCURRENCES)), all_of_them and len(singles) <= MOST_OCCURRENCES
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        return None


def _first(pair: tuple[Any, Component]) -> Any:
    return pair[0]


@dataclass(frozen=True, slots=True)
class _Clock:
    """Compares the dates of an event that begins at ``start``, whatever zones they are written in."""

    start: date
    zone: tzinfo

    def key(self, when: date) -> date:
        """Return a moment in UTC; a date alone stays one, and so does everything where ``start`` is one."""
        if not isinstance(when, datetime) or not isinstance(self.start, datetime):
            return self.day(when)
        return when.replace(tzinfo=when.tzinfo or self.start.tzinfo or self.zone).astimezone(UTC)

    def day(self, when: date) -> date:
        """Return the date where the event is."""
        if not isinstance(when, datetime):
            return when
        own = self.start.tzinfo if isinstance(self.start, datetime) else None
        return (when.astimezone(own or self.zone) if when.tzinfo else when).date()


def _by_rule(component: Any, start: date) -> tuple[list[date], bool]:
    """Return the dates of a rule, and whether those are all of them."""
    if "EXRULE" in component:  # RFC 5545 removed it
        raise ValueError("dates are left out by a rule")
    if "RRULE" not in component:
        return [start], True
    rule = dict(component["RRULE"])
    if not _UNROLLED.issuperset(rule["FREQ"]) or not {"COUNT", "UNTIL"} & set(rule):
        raise ValueError("without an end, or too often")
    first = start if isinstance(start, datetime) else datetime.combine(start, time())
    count = min((int(each) for each in rule.get("COUNT", ())), default=MOST_OCCURRENCES + 1)
    until = min((_like(each, first) for each in rule.get("UNTIL", ())), default=None)
    limit = first + timedelta(days=366 * YEARS)
    text = ";".join(
        part
        for part in component["RRULE"].to_ical().decode().split(";")
        if not part.upper().startswith(("COUNT=", "UNTIL="))
    )
    dates: list[date] = []
    for each in islice(rrulestr(text, dtstart=first), count):
        if until is not None and each > until:
            break
        if each > limit or len(dates) == MOST_OCCURRENCES:
            return dates, False
        dates.append(each if isinstance(start, datetime) else each.date())
    return dates, True


def _like(until: date, first: datetime) -> datetime:
    """Return the end of a rule as a moment that compares with its first."""
    if not isinstance(until, datetime):
        return datetime.combine(until, time.max, first.tzinfo)
    return until.replace(tzinfo=first.tzinfo) if (until.tzinfo is None) != (first.tzinfo is None) else until


def _dates(component: Any, name: str) -> Iterator[Any]:
    """Yield the dates of a property; periods are pairs of a start and an end or a length."""
    value = component.get(name)
    lists = value if isinstance(value, list) else [value]
    return (each.dt for dates in lists if dates is not None for each in dates.dts)


def _single(component: Any, clock: _Clock, when: Any, changes: Iterable[tuple[Any, Any]]) -> Component:
    """Return an event on one of its dates, as the last change before that date has it.

    The dates after a change are moved by as much as the date of the change, and are as long (RFC 5545, 3.8.4.4).
    """
    start = when[0] if isinstance(when, tuple) else when
    source, moved = component, None
    for since, changed in changes:
        if isinstance(since, datetime) == isinstance(clock.key(start), datetime) and since <= clock.key(start):
            source, moved = changed, _moved(clock, changed)
    first = source["DTSTART"].dt
    begin = start if moved is None else _later(start, moved, first)
    single: Component = source.copy()
    for name in (*_RULES, "RECURRENCE-ID", "DTSTART"):
        single.pop(name, None)
    single.add("DTSTART", begin)
    if moved is not None:
        single.add("RECURRENCE-ID", start)  # which tells it from the dates before the change
    if isinstance(when, tuple):
        for name in ("DTEND", "DURATION"):
            single.pop(name, None)
        length = when[1] if isinstance(when[1], timedelta) else when[1] - start
        single.add("DTEND", begin + length)
    elif "DTEND" in single:
        single.pop("DTEND")
        if isinstance(begin, datetime) == isinstance(first, datetime):
            single.add("DTEND", begin + (source["DTEND"].dt - first))
    return single


def _moved(clock: _Clock, changed: Any) -> timedelta:
    """Return by how much an event moves the date that it replaces."""
    was, now = changed["RECURRENCE-ID"].dt, changed["DTSTART"].dt
    if isinstance(now, datetime) and isinstance(was, datetime):
        zone = now.tzinfo or clock.zone
        local = was.astimezone(zone) if was.tzinfo else was
        # The difference of two clocks: 10:00 moved to 15:00 stays at 15:00 after the clocks change.
        return now.replace(tzinfo=None) - local.replace(tzinfo=None)
    return clock.day(now) - clock.day(was)


def _later(start: date, moved: timedelta, like: date) -> date:
    """Return a date moved by so much, in the zone of the event ``like``."""
    if isinstance(start, datetime) and isinstance(like, datetime) and start.tzinfo and like.tzinfo:
        return start.astimezone(like.tzinfo) + moved
    return start + moved
