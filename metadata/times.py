"""Times. Inside a recording they are integer milliseconds; in the world they are dates and moments with a zone."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from metadata.errors import InvalidTimeError

NO_ZONE = "a time in no zone that is named: such are taken as UTC"
"""What is told where neither a time nor anybody names a zone."""

_CLOCK = re.compile(r"(?:(\d+):)?([0-5]?\d):([0-5]?\d(?:[.,]\d{1,9})?)", re.ASCII)
_MINUTES = re.compile(r"(\d+):([0-5]?\d(?:[.,]\d{1,9})?)", re.ASCII)
_SECONDS = re.compile(r"(\d+(?:\.\d{1,9})?)s?", re.ASCII)
_UNITS = re.compile(r"(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d{1,9})?)s)?", re.ASCII)
_MIDNIGHT = re.compile(r"(\d{4}-?\d{2}-?\d{2}[T ])24((?::?00){0,2}(?:[.,]0+)?)(?![\d:.,])", re.ASCII)
_LEAP_SECOND = re.compile(r"([T ]\d{2}:?[0-5]\d:?)60(?![\d:])", re.ASCII)
_LONGEST_MS = 1000 * 3600 * 1000


def parse_offset(text: str) -> int:
    """Return milliseconds for an offset into a recording.

    It may be in seconds (``83.2``, ``83.2s``), a clock time (``1:23.2``, ``01:01:23``) or units (``1m23s``): these are
    the forms of W3C Media Fragments, section 4.2.1, and of the links of common players. Players without hours count
    minutes on: ``99:00``.

    >>> parse_offset("83.2"), parse_offset("1:23.2"), parse_offset("1m23s")
    (83200, 83200, 83000)

    Raises:
        InvalidTimeError: the text has none of these forms, or is over 1,000 hours.
    """
    expected = "seconds (83.2) or a clock time (1:23)"
    value = text.strip()
    if len(value) > 32:
        raise InvalidTimeError(text[:32] + "…", expected)
    if match := _SECONDS.fullmatch(value):
        hours, minutes, seconds = None, None, match[1]
    elif match := _MINUTES.fullmatch(value):
        hours, minutes, seconds = None, match[1], match[2]
    elif match := (_CLOCK.fullmatch(value) or (_UNITS.fullmatch(value) if value else None)):
        hours, minutes, seconds = match[1], match[2], match[3]
    else:
        raise InvalidTimeError(text, expected)
    whole, _, fraction = (seconds or "0").replace(",", ".").partition(".")
    total = (int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(whole)) * 1000
    total += round(int((fraction or "0").ljust(9, "0")) / 1_000_000)
    if total > _LONGEST_MS:
        raise InvalidTimeError(text, "less than 1,000 hours")
    return total


def format_clock(ms: int) -> str:
    """Return a time for people: ``1:23`` or ``1:01:23``. Fractions of a second are cut off.

    >>> format_clock(83_999), format_clock(3_683_000)
    ('1:23', '1:01:23')
    """
    seconds = max(ms, 0) // 1000
    hours, minutes, seconds = seconds // 3600, seconds // 60 % 60, seconds % 60
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def format_timestamp(ms: int, *, separator: str = ".") -> str:
    """Return a timestamp of captions: ``HH:MM:SS.mmm`` (WebVTT, section 4.3). SRT has a comma as the separator."""
    ms = max(ms, 0)
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}{separator}{ms % 1000:03}"


def format_seconds(ms: int) -> str:
    """Return the seconds for ``t=`` in a link, without needless zeros: ``83200`` → ``83.2``."""
    return f"{ms / 1000:.3f}".rstrip("0").rstrip(".")


def parse_zone(name: str) -> ZoneInfo:
    """Return the IANA time zone of this name.

    Raises:
        InvalidTimeError: there is no such time zone.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidTimeError(name, "an IANA time zone such as 'Europe/Berlin' or 'UTC'") from None


def parse_date(text: str) -> date:
    """Return the calendar date written ``YYYY-MM-DD`` (ISO 8601).

    Raises:
        InvalidTimeError: it is not such a date.
    """
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise InvalidTimeError(text, "a date such as 2022-07-23") from None


def parse_moment(text: str, zone: str | None = None) -> datetime:
    """Return a moment in the world, written in ISO 8601.

    The hour 24 is the midnight that ends its day (ISO 8601-1:2019/Amd 1:2022). A leap second, 60, is read as 59, since
    Python's clock has no such second (as RFC 5545, section 3.3.12, advises).

    >>> parse_moment("2024-07-01T24:00", "Europe/Berlin").isoformat()
    '2024-07-02T00:00:00+02:00'

    Args:
        text: a date and a time of day, with or without an offset.
        zone: the IANA zone of a text without an offset.

    Raises:
        InvalidTimeError: it is not ISO 8601, or neither the text nor ``zone`` names the zone.
    """
    expected = "a date and time such as 2022-07-23T18:00+02:00"
    plain, midnights = _MIDNIGHT.subn(r"\g<1>00\2", _LEAP_SECOND.sub(r"\g<1>59", text.strip()))
    try:
        moment = datetime.fromisoformat(plain) + timedelta(days=midnights)
    except (ValueError, OverflowError):
        raise InvalidTimeError(text, expected) from None
    if moment.tzinfo is None:
        if zone is None:
            raise InvalidTimeError(text, expected + ", with an offset or the event's time zone")
        moment = moment.replace(tzinfo=parse_zone(zone))
    try:
        # The limits leave room for ends and for other zones, which must be dates that Python knows too.
        in_range = 1 < moment.astimezone(UTC).year < 9999
    except OverflowError:
        in_range = False
    if not in_range:
        raise InvalidTimeError(text, "a year between 2 and 9998")
    return moment


def has_offset(text: str) -> bool:
    """Return whether a moment in ISO 8601 names its offset from UTC.

    Raises:
        InvalidTimeError: it is not ISO 8601.
    """
    return not isinstance(parse_moment(text, "UTC").tzinfo, ZoneInfo)
