"""How the catalogue's values read on a page. Every function takes what the database holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from functools import lru_cache
from urllib.parse import urlsplit

from archive.search.results import SessionResult
from archive.urls import event_url, person_url, session_url
from metadata.errors import InvalidTimeError
from metadata.languages import direction, display_name
from metadata.model import Figure, Flag
from metadata.moments import at_moment, site_name
from metadata.times import format_clock, format_seconds, parse_moment, parse_zone

__all__ = [
    "clock",
    "dates",
    "day",
    "direction",
    "doubts",
    "duration",
    "event_url",
    "facet",
    "figure",
    "language",
    "languages",
    "local_time",
    "marked",
    "ordinal",
    "outside",
    "person_url",
    "role",
    "seconds",
    "session_url",
    "short_day",
]

clock = format_clock
seconds = format_seconds

_DOUBTS = {
    Flag.REPETITIVE: "the text repeats itself",
    Flag.LOW_CONFIDENCE: "the words were heard with little certainty",
    Flag.NO_SPEECH: "no speech was heard here",
    Flag.TOO_FAST: "more words than anyone says in this time",
    Flag.STOCK_PHRASE: "a phrase that machines are known to invent",
    Flag.WRONG_LANGUAGE: "the text is not in the language that was spoken",
}
_ROLES = {"qa": "Questions and answers"}


def doubts(flags: Iterable[str]) -> str:
    """Return why a segment is doubtful, in words; a flag that nobody has words for yet names itself."""
    known = {flag.value: reason for flag, reason in _DOUBTS.items()}
    return "; ".join(known.get(flag, flag.replace("-", " ")) for flag in flags)


def figure(given: Figure) -> str:
    """Return a number as it was given: ``over 300``, ``1,800``."""
    return f"{given.count:,}" if given.qualifier == "exactly" else f"{given.qualifier} {given.count:,}"


def day(iso: str | date) -> str:
    """Return a date for readers: ``23 July 2022``."""
    value = iso if isinstance(iso, date) else date.fromisoformat(iso)
    return f"{value.day} {value:%B %Y}"


def short_day(value: date) -> str:
    """Return a date under which sessions stand: ``Saturday, 23 July``."""
    return f"{value:%A}, {value.day} {value:%B}"


def dates(start: str | None, end: str | None) -> str:
    """Return the days of an event: ``23–26 July 2022``."""
    if start is None:
        return ""
    first, last = date.fromisoformat(start), date.fromisoformat(end or start)
    if first == last:
        return day(first)
    if first.year != last.year:
        return f"{day(first)} – {day(last)}"
    if first.month != last.month:
        return f"{first.day} {first:%B} – {day(last)}"
    return f"{first.day}–{day(last)}"


def local_time(start_at: str | None, zone: str) -> datetime | None:
    """Return a session's start on the clocks of its event; None where nobody said when."""
    if start_at is None:
        return None
    try:
        return parse_moment(start_at, zone).astimezone(parse_zone(zone))
    except InvalidTimeError:
        return None


def duration(ms: int | None) -> str:
    """Return a length for readers: ``1 h 12 min``, ``45 min``, ``38 s``."""
    if ms is None:
        return ""
    if ms < 60_000:
        return f"{ms // 1000} s"
    hours, minutes = divmod(round(ms / 60_000), 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def ordinal(number: int) -> str:
    """Return ``12th`` for 12."""
    suffix = "th" if number % 100 in {11, 12, 13} else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"


def role(name: str) -> str:
    """Return a role or a kind of session as a label: ``Speaker``."""
    return _ROLES.get(name, name.replace("-", " ").capitalize())


@lru_cache(maxsize=1024)
def language(tag: str) -> str:
    """Return a language's English name, and ``language not known`` for BCP-47's ``und``."""
    return "language not known" if tag == "und" else display_name(tag)


def languages(tags: Iterable[str]) -> str:
    """Return languages' names as a list for readers: ``Arabic, French and Spanish``."""
    names = sorted(language(tag) for tag in tags)
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def places(found: SessionResult) -> str:
    """Return how many moments of a session match, or passages where there are too many to look for moments in all."""
    one, many = ("moment", "moments") if found.counted == "moments" else ("minute of speech", "minutes of speech")
    return f"{found.count:,} {one if found.count == 1 else many}"


def facet(name: str, value: str, label: str) -> str:
    """Return how a value of a facet reads."""
    if name == "language":
        return language(value)
    return role(value) if name == "kind" else label


def marked(text: str, matches: Sequence[Sequence[int]]) -> Iterator[tuple[str, bool]]:
    """Cut text at the spans that matched, into pieces and whether each is a match."""
    cursor = 0
    for start, end in matches:
        if cursor < start:
            yield text[cursor:start], False
        yield text[start:end], True
        cursor = end
    if cursor < len(text):
        yield text[cursor:], False


def elsewhere(address: str | None, ms: int | None) -> str | None:
    """Return the address of a moment on the site that plays a recording, else of its page; None where there is none."""
    return outside(address) and ((at_moment(address or "", ms) if ms else None) or outside(address))


def site(address: str | None) -> str:
    """Return what people call the site of an address."""
    return site_name(address or "") or ""


def outside(url: str | None) -> str | None:
    """Return an address that a page may link to: the web's and mail's; scripts and files are not."""
    if url is None:
        return None
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return None
    if parts.scheme in {"http", "https"} and parts.netloc:
        return url.strip()
    return url.strip() if parts.scheme == "mailto" else None
