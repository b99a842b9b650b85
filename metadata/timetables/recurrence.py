"""Calendars' events that come again (RFC 5545, 3.8.5): the dates of one, as single events.

``dateutil`` knows the rules. Unrolled are those with an end, by day or longer, for `YEARS` and `MOST` dates: a file may
ask for one each second without end.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from itertools import islice
from typing import Any

from dateutil.rrule import rrulestr
from icalendar.cal import Component

YEARS = 3
MOST = 400
_UNROLLED = frozenset({"DAILY", "WEEKLY", "MONTHLY", "YEARLY"})


def replaced(events: Sequence[Component]) -> dict[str, set[Any]]:
    """Return for each UID the dates for which a calendar has events of their own."""
    found: dict[str, set[Any]] = {}
    for each in events:
        if hasattr(when := each.get("RECURRENCE-ID"), "dt"):
            found.setdefault(str(each.get("UID")), set()).add(when.dt)
    return found


def unrolled(component: Any, replaced: dict[str, set[Any]]) -> tuple[list[Component], bool] | None:
    """Return an event for each date of one that comes again, in order, and whether those are all of them.

    None where that cannot be said.

    Args:
        component: with a rule, or with further dates.
        replaced: what `replaced` says of its calendar.
    """
    try:
        start = component["DTSTART"].dt
        left_out = replaced.get(str(component.get("UID")), set()) | set(_dates(component, "EXDATE"))
        dates, all_of_them = _by_rule(component, start)
        found = [each for each in dict.fromkeys([*dates, *_dates(component, "RDATE")]) if each not in left_out]
        return [_on(component, start, each) for each in found[:MOST]], all_of_them and len(found) <= MOST
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
        return None


def _by_rule(component: Any, start: date) -> tuple[list[date], bool]:
    """Return the dates of a rule, and whether those are all of them."""
    if "RRULE" not in component:
        return [start], True
    rule = dict(component["RRULE"])
    if not _UNROLLED.issuperset(rule["FREQ"]) or not {"COUNT", "UNTIL"} & set(rule):
        raise ValueError("without an end, or too often")
    first = start if isinstance(start, datetime) else datetime.combine(start, time())
    count = min((int(each) for each in rule.get("COUNT", ())), default=MOST + 1)
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
        if each > limit or len(dates) == MOST:
            return dates, False
        dates.append(each if isinstance(start, datetime) else each.date())
    return dates, True


def _like(until: date, first: datetime) -> datetime:
    """Return the end of a rule as a moment that compares with its first."""
    if not isinstance(until, datetime):
        return datetime.combine(until, time.max, first.tzinfo)
    return until.replace(tzinfo=first.tzinfo) if (until.tzinfo is None) != (first.tzinfo is None) else until


def _dates(component: Any, name: str) -> list[Any]:
    value = component.get(name)
    lists = value if isinstance(value, list) else [value]
    return [each.dt for dates in lists if dates is not None for each in dates.dts]


def _on(component: Any, start: Any, when: Any) -> Component:
    """Return an event as it is on another date: as long as it was."""
    single: Component = component.copy()
    for name in ("RRULE", "RDATE", "EXDATE"):
        single.pop(name, None)
    single.pop("DTSTART")
    single.add("DTSTART", when)
    if "DTEND" in single:
        end = component["DTEND"].dt
        single.pop("DTEND")
        single.add("DTEND", when + (end - start))
    return single
