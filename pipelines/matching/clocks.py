"""When a recording began, by its name, its container and its folder, and how far each of them can be trusted.

Zoom's names and those of some phones are in UTC, other programs' in local time. Containers' times should be UTC
(ISO 14496-12, 8.2.2.3), yet cameras write local time there, and some write the time at which they stopped. A name
may give the day and the hour apart: ``Day 2 - 1130``, ``Sat 11.30``, ``28.12.2014 11-30``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta, tzinfo

_GMT = re.compile(r"GMT(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)|PXL_(\d{4})(\d\d)(\d\d)_(\d\d)(\d\d)(\d\d)", re.ASCII)
_UNCERTAIN = re.compile(r"meeting recording|whatsapp", re.IGNORECASE)
"""Names whose hour may be UTC, local time or the time of sending."""
_DAY = r"(?<!\d)((?:19|20)\d\d)[-_.]?(0[1-9]|1[0-2])[-_.]?(0[1-9]|[12]\d|3[01])"
_HOUR = r"([01]\d|2[0-3])[-_.:h]?([0-5]\d)"
_LOCAL = re.compile(_DAY + rf"(?:[-_ T]|(?:[-_ ]at[-_ ]))+{_HOUR}(?:[-_.:]?([0-5]\d))?(?!\d)", re.ASCII)
_DATE = re.compile(_DAY + r"(?!\d)", re.ASCII)
_DAY_FIRST = re.compile(r"(?<!\d)(0?[1-9]|[12]\d|3[01])\.(0?[1-9]|1[0-2])\.((?:19|20)\d\d)(?!\d)", re.ASCII)
_COUNTED = re.compile(r"(?<![a-z])(?:day|tag|jour|d[ií]a|dag|giorno|dia)[-_ ]?([1-9])(?!\d)", re.ASCII | re.IGNORECASE)
_CLOCK = re.compile(rf"(?<![\dxX.]){_HOUR}(?![\dxXp])", re.ASCII)
_YEAR = re.compile(r"(?<![0-9a-zA-Z])(19[89]\d|20[0-4]\d)(?![0-9a-zA-Z])", re.ASCII)
_WEEKDAYS = {
    name: number
    for number, names in enumerate(
        (
            "monday mon montag lundi lunes segunda lunedi",
            "tuesday tue dienstag mardi martes martedi",
            "wednesday wed mittwoch mercredi miercoles mercoledi",
            "thursday thu donnerstag jeudi jueves giovedi",
            "friday fri freitag vendredi viernes venerdi",
            "saturday sat samstag samedi sabado sabato",
            "sunday sun sonntag dimanche domingo domenica",
        )
    )
    for name in names.split()
}

EARLY_HOURS = time(5)
"""A session that begins before this hour may count as part of the evening before."""


def said_days(text: str, days: Sequence[date]) -> set[date]:
    """Return the days that a name mentions: dates, weekdays and counted days of an event.

    Args:
        text: folder and name.
        days: on which the event has sessions, in order.
    """
    found = set()
    for match in _DATE.finditer(text):
        found |= _date(*match.groups())
    for match in _DAY_FIRST.finditer(text):
        found |= _date(*match.groups()[::-1])
    if days and not found:
        found |= {days[0] + timedelta(days=int(match[1]) - 1) for match in _COUNTED.finditer(text)}
    if days and not found and (days[-1] - days[0]).days < 7:
        named = {_WEEKDAYS[word] for word in re.findall(r"[a-z]+", text.lower()) if word in _WEEKDAYS}
        found |= {day for day in days if day.weekday() in named}
    return found


def said_years(text: str) -> set[int]:
    """Return the years that a name mentions."""
    return {int(year) for year in _YEAR.findall(text.replace("_", " "))}


def is_utc_name(name: str) -> bool:
    """Return whether a file's name gives its time in UTC."""
    return bool(_GMT.search(name))


def local_day(moment: datetime, place: tzinfo) -> set[date]:
    """Return the days that a session belongs to: its own and, after midnight, the day before."""
    local = moment.astimezone(place)
    early = {local.date() - timedelta(days=1)} if local.time() < EARLY_HOURS else set()
    return {local.date()} | early


def starts(
    name: str,
    started: datetime | None,
    duration_ms: int | None,
    place: tzinfo,
    *,
    days: Sequence[date] = (),
    sure: bool = True,
) -> Iterator[tuple[datetime, float]]:
    """Yield moments at which a recording may have begun, and how far each is to be trusted, 0 to 1.

    Args:
        name: of the file, with its folder's where that says the day.
        started: when its container says that it began, zoned.
        duration_ms: its length.
        place: the time zone of the place.
        days: on which the event has sessions, in order.
        sure: whether the time zone is known to be the place's.
    """
    trust = 0.95 if sure else 0.5
    try:
        if match := _GMT.search(name):
            parts = [int(part) for part in match.groups() if part is not None]
            yield datetime(*parts, tzinfo=UTC), 1.0  # type: ignore[misc,arg-type]
            return
        if match := _LOCAL.search(name):
            moment = datetime(*(int(part or 0) for part in match.groups()), tzinfo=place)  # type: ignore[misc,arg-type]
            yield moment, 0.5 if _UNCERTAIN.search(name) else trust
            return
    except ValueError:
        pass  # digits that are not a date
    found, clocks = said_days(name, days), _clocks(name, days)
    if len(found) == len(clocks) == 1:
        [day], [clock] = found, clocks
        if clock >= EARLY_HOURS or _has_date(name):
            yield datetime.combine(day, clock, place), trust
        else:
            # An hour after midnight may belong to that day or to the night after it.
            yield datetime.combine(day, clock, place), 0.5
            yield datetime.combine(day, clock, place) + timedelta(days=1), 0.5
        return
    if started is not None:
        yield started, 0.85
        yield started.replace(tzinfo=place), 0.5
        if duration_ms:
            yield started - timedelta(milliseconds=duration_ms), 0.5


def _date(year: str, month: str, day: str) -> set[date]:
    try:
        return {date(int(year), int(month), int(day))}
    except ValueError:
        return set()


def _has_date(name: str) -> bool:
    return bool(_DATE.search(name) or _DAY_FIRST.search(name))


def _clocks(name: str, days: Sequence[date]) -> set[time]:
    """Return the hours in a name, without dates and the years of the event."""
    rest = _COUNTED.sub(" ", _DAY_FIRST.sub(" ", _DATE.sub(" ", name)))
    years = {f"{day.year + step}" for day in days for step in (-1, 0, 1)}
    return {time(int(match[1]), int(match[2])) for match in _CLOCK.finditer(rest) if match[0] not in years}
