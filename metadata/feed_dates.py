"""Dates of publication, as feeds write them.

RSS asks for RFC 5322 (section 3.3) and Atom for RFC 3339, but programs write many other forms. `parse_feed_date` reads
those that can mean only one thing:

- the parts of RFC 5322 in any order, with names of months and days in full or shortened (``Sept``), with or without
  commas, seconds and the day's name (a wrong day's name is ignored), and with comments in brackets;
- ISO 8601, also with a space before the offset;
- zones as offsets (``+0100``, ``GMT+1``, ``UTC-05:30``) or as abbreviations that mean one zone (``PST``);
- Unix times, in seconds or milliseconds;
- a date alone, which has no hour.

Everything else is refused and never guessed: ``03/02/2020``, other languages, and abbreviations that nobody knows or
that mean several zones (``IST``). Of a time in such a zone, the day is known.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone

from metadata.errors import InvalidTimeError
from metadata.times import NO_ZONE, parse_moment

GENERATOR = "Rostra"
"""What feeds of Rostra call their program."""
DATED = "{http://purl.org/dc/terms/}temporal"
"""The element of such feeds that says when a session was, also where only its day is known. Where it is missing, nobody
knows: ``pubDate`` is then when the session last changed, since players sort by it."""
_EXPECTED = "a date such as 'Mon, 3 Feb 2020 16:00:00 +0100' or 2020-02-03T16:00:00+01:00"
_LONGEST = 100
_FARTHEST = timedelta(hours=14)

_COMMENT = re.compile(r"\([^()]*\)")
_HYPHENS = re.compile(r"\b(\d{1,2})-([a-z]{3,9})-(\d{2,4})\b", re.ASCII | re.IGNORECASE)  # RFC 850: 03-Feb-20
_ISO_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?=$|[T ])", re.ASCII | re.IGNORECASE)
_TIME = re.compile(
    r"(?<![\d:+-])T?(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d{1,9})?)?(?![\d:])\s*([ap]\.?m\b\.?)?",
    re.ASCII | re.IGNORECASE,
)
_OFFSET = re.compile(r"(?:GMT|UTC?|Z)?\s*([+-])(\d{1,2})(?::?(\d{2}))?", re.ASCII | re.IGNORECASE)
_WORD = re.compile(r"[A-Za-z]+\.?|\d+", re.ASCII)
_UNIX = re.compile(r"\d{9,10}|\d{12,13}", re.ASCII)
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MONTHS = (
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
    "december",
)  # fmt: skip
_HOURS = {
    # RFC 5322, section 4.3
    "UT": 0, "GMT": 0, "UTC": 0, "Z": 0, "EST": -5, "EDT": -4, "CST": -6, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8,
    "PDT": -7,
    # others that the IANA time zone database knows with one meaning
    "WET": 0, "WEST": 1, "CET": 1, "CEST": 2, "MEZ": 1, "MESZ": 2, "EET": 2, "EEST": 3, "MSK": 3, "SAST": 2, "JST": 9,
    "KST": 9, "AWST": 8, "ACST": 9.5, "ACDT": 10.5, "AEST": 10, "AEDT": 11, "NZST": 12, "NZDT": 13, "HST": -10,
    "AKST": -9, "AKDT": -8, "ADT": -3, "NST": -3.5, "NDT": -2.5,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class FeedDate:
    """When something was published, as far as its date says.

    Attributes:
        day: the date, where it was written. For a Unix time, the date in UTC.
        moment: the time as well; None where the date has no hour, or is in a zone that nobody knows. A moment
            without a zone has no ``tzinfo``.
        unknown_zone: the abbreviation that is not understood.
    """

    day: date
    moment: datetime | None = None
    unknown_zone: str | None = None


def parse_feed_date(text: str) -> FeedDate:
    """Return what a date of publication says.

    >>> parse_feed_date("Sun 01 Mar 2015 01:00:00 GMT-0400 (EDT)").moment.isoformat()
    '2015-03-01T01:00:00-04:00'
    >>> parse_feed_date("Thu, 28 Sept 2017").day.isoformat()
    '2017-09-28'

    Raises:
        InvalidTimeError: it can be read in no way, or in several ways.
    """
    try:
        return _read(text)
    except (ValueError, OverflowError, OSError):
        raise InvalidTimeError(text.strip()[:60], _EXPECTED) from None


@dataclass(frozen=True, slots=True)
class Published:
    """When an episode was published, as a session holds it: one of ``start`` and ``day``, or neither.

    Attributes:
        start: ISO 8601 with an offset.
        day: the date, where no hour is known.
        doubt: what a person should be told about it.
    """

    start: str | None = None
    day: str | None = None
    doubt: str | None = None


def published(text: str | None, zone: str | None = None) -> Published:
    """Return when something was published. Importing and pulling a feed both read dates with this function.

    Args:
        text: the date, as a feed has it; may be empty.
        zone: the IANA zone of times that name none. Without it, they are taken as UTC, and that is told.
    """
    if not text or not text.strip():
        return Published()
    try:
        found = parse_feed_date(text)
        if found.moment is not None:
            doubt = NO_ZONE if found.moment.tzinfo is None and zone is None else None
            return Published(start=parse_moment(found.moment.isoformat(), zone or "UTC").isoformat(), doubt=doubt)
    except InvalidTimeError as error:
        return Published(doubt=f"{error}: left out")
    if found.unknown_zone:
        doubt = f"the time zone {found.unknown_zone!r} is unknown or means several: only the day {found.day} is kept"
    else:
        doubt = f"{text.strip()} has no hour: only the day is kept"
    return Published(day=found.day.isoformat(), doubt=doubt)


def _read(text: str) -> FeedDate:
    rest = " ".join(text.split())
    if len(rest) > _LONGEST:
        raise ValueError("too long")
    if _UNIX.fullmatch(rest):
        moment = datetime.fromtimestamp(int(rest) / (1000 if len(rest) > 10 else 1), UTC).replace(microsecond=0)
        return FeedDate(moment.date(), moment)
    rest = _HYPHENS.sub(r"\1 \2 \3", _COMMENT.sub(" ", rest))
    iso = _ISO_DATE.search(rest)
    if iso:
        rest = _without(rest, iso)
    clock = _TIME.search(rest)
    if clock:
        rest = _without(rest, clock)
    offset = _OFFSET.search(rest) if clock else None
    if offset:
        rest = _without(rest, offset)
    day, zones = (date(*map(int, iso.groups())), _words(rest)) if iso else _day(_words(rest))
    if clock is None:
        if zones:
            raise ValueError(f"{zones[0]} is no part of a date")
        return FeedDate(day)
    return _placed(day, clock, offset, zones)


def _without(text: str, part: re.Match[str]) -> str:
    return f"{text[: part.start()]} {text[part.end() :]}"


def _words(text: str) -> list[str]:
    words = _WORD.findall(text)
    if _WORD.sub("", text).strip(" ,-"):
        raise ValueError("other characters")
    return [word.rstrip(".") for word in words]


def _day(words: list[str]) -> tuple[date, list[str]]:
    """Return the date among words such as ``Mon 3 February 2020 CET``, and the other words."""
    words = [word for word in words if _index(word, _DAYS) is None]
    months = [place for place, word in enumerate(words) if _index(word, _MONTHS) is not None]
    numbers = [place for place, word in enumerate(words) if word.isdigit()]
    if len(months) != 1 or len(numbers) != 2:
        raise ValueError("not one month, one day and one year")
    [month] = months
    one, other = (words[place] for place in numbers)
    if len(one) > 2:  # 2020 Feb 3
        one, other = other, one
    number = _index(words[month], _MONTHS)
    assert number is not None  # noqa: S101 - it was found above
    if len(one) > 2 or not (len(other) == 4 or (len(other) == 2 and numbers[0] < numbers[1])):
        raise ValueError("no year")
    rest = [word for place, word in enumerate(words) if place not in {month, *numbers}]
    return date(_year(other), number + 1, int(one)), rest


def _year(text: str) -> int:
    """Return a year; one of two digits is of 1950 to 2049 (RFC 5322, section 4.3)."""
    return int(text) + (0 if len(text) == 4 else 2000 if int(text) < 50 else 1900)


def _index(word: str, names: tuple[str, ...]) -> int | None:
    """Return which name a word is or begins: three letters at least, as ``Sep`` and ``Sept``."""
    found = [place for place, name in enumerate(names) if len(word) >= 3 and name.startswith(word.lower())]
    return found[0] if found else None


def _placed(day: date, clock: re.Match[str], offset: re.Match[str] | None, zones: list[str]) -> FeedDate:
    hours, minutes, seconds = (int(part or 0) for part in clock.groups()[:3])
    if half := clock[4]:
        if not 1 <= hours <= 12:
            raise ValueError("no hour of a clock with twelve hours")
        hours = hours % 12 + (12 if half.lower().startswith("p") else 0)
    if minutes > 59 or seconds > 60 or hours > 24 or (hours == 24 and (minutes or seconds)):
        raise ValueError("no time of day")
    local = datetime.combine(day, time()) + timedelta(hours=hours, minutes=minutes, seconds=min(seconds, 59))
    # With a number, the abbreviation beside it adds nothing: "+0100 CET".
    zones = [word.upper() for word in zones]
    if len(zones) > 1 or any(word.isdigit() for word in zones):
        raise ValueError("more than a zone is left")
    if offset:
        sign = -1 if offset[1] == "-" else 1
        ahead = timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
        if ahead > _FARTHEST or int(offset[3] or 0) > 59:
            raise ValueError("no offset that any clock has")
        return FeedDate(day, local.replace(tzinfo=timezone(sign * ahead)))
    if not zones:
        return FeedDate(day, local)
    if zones[0] not in _HOURS:
        return FeedDate(day, unknown_zone=zones[0])
    return FeedDate(day, local.replace(tzinfo=timezone(timedelta(hours=_HOURS[zones[0]]))))
