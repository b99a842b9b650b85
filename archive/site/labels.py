"""How the catalogue's values read on a page, in its language. Every function takes what the database holds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from functools import lru_cache
from urllib.parse import urlsplit

from babel.dates import format_date, format_interval, format_skeleton, format_time, get_timezone_location
from babel.lists import format_list
from babel.numbers import format_decimal
from babel.units import format_unit
from markupsafe import Markup, escape

from archive.site.locales import gettext as _
from archive.site.locales import language as spoken_here
from archive.site.locales import locale, locale_of
from archive.urls import announcement_url, event_url, person_url, portrait_url, session_url
from metadata.errors import InvalidTimeError
from metadata.languages import autonym, direction, display_name
from metadata.model import Figure, Flag
from metadata.moments import at_moment, site_name
from metadata.times import format_clock, format_seconds, parse_moment, parse_zone

__all__ = [
    "announcement_url",
    "autonym",
    "clock",
    "country",
    "dates",
    "day",
    "direction",
    "doubts",
    "duration",
    "event_url",
    "facet",
    "figure",
    "hours",
    "initials",
    "language",
    "languages",
    "listed",
    "local_time",
    "marked",
    "match",
    "measure",
    "named",
    "number",
    "outside",
    "person_url",
    "portrait_url",
    "role",
    "seconds",
    "session_url",
    "short_day",
    "time",
    "zone",
]

clock = format_clock
seconds = format_seconds


def N_(message: str) -> str:  # noqa: N802  # what gettext's tools call it
    """Mark a message that is looked up where it is shown."""
    return message


_DOUBTS = {
    Flag.REPETITIVE: N_("the text repeats itself"),
    Flag.LOW_CONFIDENCE: N_("the words were heard with little certainty"),
    Flag.NO_SPEECH: N_("no speech was heard here"),
    Flag.TOO_FAST: N_("more words than anyone says in this time"),
    Flag.STOCK_PHRASE: N_("a phrase that machines are known to invent"),
    Flag.WRONG_LANGUAGE: N_("the text is not in the language that was spoken"),
    Flag.NOT_TRANSCRIBED: N_("somebody may speak here, and no word was understood"),
}
_ROLES = {
    "author": N_("Author"),
    "chair": N_("Chair"),
    "doubtful": N_("Doubtful"),
    "event": N_("Event"),
    "host": N_("Host"),
    "hybrid": N_("Hybrid"),
    "in-person": N_("In person"),
    "interpreter": N_("Interpreter"),
    "keynote": N_("Keynote"),
    "kind": N_("Kind"),
    "language": N_("Language"),
    "launch": N_("Launch"),
    "lecture": N_("Lecture"),
    "online": N_("Online"),
    "other": N_("Other"),
    "panel": N_("Panel"),
    "panellist": N_("Panellist"),
    "performance": N_("Performance"),
    "person": N_("Person"),
    "plenary": N_("Plenary"),
    "qa": N_("Questions and answers"),
    "reader": N_("Reader"),
    "reading": N_("Reading"),
    "series": N_("Series"),
    "speaker": N_("Speaker"),
    "talk": N_("Talk"),
    "track": N_("Track"),
    "workshop": N_("Workshop"),
    "year": N_("Year"),
    "room": N_("Room"),
    "since": N_("From"),
    "until": N_("Until"),
}
_QUALIFIED = {
    "about": N_("about %(number)s"),
    "over": N_("over %(number)s"),
    "under": N_("under %(number)s"),
}
_MEASURES = {"registered": N_("registered"), "attended": N_("attended"), "watched": N_("watched")}
_MATCHES = {"all words": N_("all words"), "some words": N_("some words"), "about this": N_("about this")}
_LANGUAGE_UNKNOWN = N_("language not known")


def doubts(flags: Iterable[str]) -> str:
    """Return why a segment is doubtful, in words; a flag that nobody has words for yet names itself."""
    known = {flag.value: reason for flag, reason in _DOUBTS.items()}
    return "; ".join(_(known[flag]) if flag in known else flag.replace("-", " ") for flag in flags)


def number(value: float, digits: int = 0) -> str:
    """Return a number as this language writes it: ``1,800``, ``1.800``."""
    return _number(value, digits, spoken_here())


@lru_cache(maxsize=4096)
def _number(value: float, digits: int, within: str) -> str:
    pattern = "#,##0" + ("." + "0" * digits if digits else "")
    return format_decimal(value, format=pattern, locale=locale_of(within))


def size(count: int) -> str:
    """Return how large a file is: ``1.2 MB``."""
    for unit, power in (("GB", 9), ("MB", 6)):
        if count >= 10**power:
            return f"{number(count / 10**power, 1)} {unit}"
    return f"{number(max(round(count / 1000), 1))} kB"


def figure(given: Figure) -> str:
    """Return a number as it was given: ``over 300``, ``1,800``."""
    if given.qualifier == "exactly":
        return number(given.count)
    return _(_QUALIFIED[given.qualifier]) % {"number": number(given.count)}


def measure(name: str) -> str:
    """Return what was counted: ``registered``."""
    return _(_MEASURES[name]) if name in _MEASURES else name


def day(iso: str | date) -> str:
    """Return a date for readers: ``23 July 2022``."""
    return _day(_date(iso), spoken_here())


@lru_cache(maxsize=4096)
def _day(value: date, within: str) -> str:
    return format_date(value, "long", locale=locale_of(within))


def short_day(value: str | date) -> str:
    """Return a date under which sessions stand: ``Saturday 23 July``."""
    return format_skeleton("MMMMEEEEd", _date(value), locale=locale())


def dates(start: str | None, end: str | None) -> str:
    """Return the days of an event: ``23 – 26 Jul 2022``."""
    if start is None:
        return ""
    first, last = _date(start), _date(end or start)
    return day(first) if first == last else format_interval(first, last, "yMMMMd", locale=locale())


def time(value: datetime) -> str:
    """Return an hour: ``18:00``."""
    return format_time(value, "short", locale=locale())


def zone(name: str) -> str:
    """Return a time zone for readers: a city, or what it is ahead of UTC; a zone that nobody knows names itself.

    >>> zone("Europe/Berlin"), zone("Etc/GMT-1"), zone("Etc/UTC")
    ('Berlin', 'UTC+1', 'UTC')
    """
    area, _slash, rest = name.rpartition("/")
    if area == "Etc" or not area:
        # POSIX counts to the west: https://data.iana.org/time-zones/tzdb/etcetera
        sign, hours_ = rest[3:4], rest[4:]
        if rest.startswith("GMT") and sign in {"+", "-"} and hours_.isdigit():
            return f"UTC{'+' if sign == '-' else '−'}{hours_}" if int(hours_) else "UTC"
        return "UTC" if rest in {"UTC", "GMT", "UCT", "Universal", "Zulu", "Greenwich", "GMT0"} else rest
    try:
        return get_timezone_location(name, locale=locale(), return_city=True)
    except LookupError:
        return name.replace("_", " ")


def local_time(start_at: str | None, zone_name: str) -> datetime | None:
    """Return a session's start on the clocks of its event; None where nobody said when."""
    if start_at is None:
        return None
    try:
        return parse_moment(start_at, zone_name).astimezone(parse_zone(zone_name))
    except InvalidTimeError:
        return None


def duration(ms: int | None) -> str:
    """Return a length for readers: ``1 hr 12 mins``, ``45 mins``, ``38 secs``."""
    if ms is None:
        return ""
    if ms < 60_000:
        return format_unit(ms // 1000, "duration-second", "short", locale=locale())
    whole, minutes = divmod(round(ms / 60_000), 60)
    parts = [(whole, "duration-hour"), (minutes, "duration-minute")]
    return " ".join(format_unit(value, unit, "short", locale=locale()) for value, unit in parts if value)


def hours(ms: int) -> str:
    """Return a length in hours, for figures: ``312 hrs``; of less than an hour, as it is."""
    return duration(ms) if ms < 36_000_000 else duration(round(ms / 3_600_000) * 3_600_000)


def role(name: str) -> str:
    """Return a role, a kind of session or the name of a filter as a label: ``Speaker``."""
    return _(_ROLES[name]) if name in _ROLES else name.replace("-", " ").capitalize()


def language(tag: str) -> str:
    """Return a language's name, and ``language not known`` for BCP-47's ``und``."""
    return _(_LANGUAGE_UNKNOWN) if tag == "und" else _language(tag, spoken_here())


@lru_cache(maxsize=4096)
def _language(tag: str, within: str) -> str:
    return display_name(tag, within)


def languages(tags: Iterable[str]) -> str:
    """Return languages' names as a list for readers: ``Arabic, French and Spanish``."""
    return listed(sorted(language(tag) for tag in tags))


def listed(names: Sequence[str]) -> str:
    """Return names as a list for readers: ``Noor, Jonas and Eve``."""
    return format_list(names, locale=locale()) if names else ""


def country(code: str | None) -> str:
    """Return the name of a country by its code of two letters (ISO 3166)."""
    return str(locale().territories.get(code or "", code or ""))


def match(name: str) -> str:
    """Return how much of a query something has."""
    return _(_MATCHES.get(name, name))


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


def named(text: str, tag: str | None) -> Markup:
    """Return somebody's words in an element that says in which language they are and keeps their direction apart."""
    return Markup('<bdi lang="{}">{}</bdi>').format(tag or "", text)


def initials(name: str) -> str:
    """Return the letters that stand for a name: ``NO`` for Noor Okafor."""
    words = [word for word in name.split() if word[:1].isalnum()] or name.split()
    return "".join(word[:1] for word in (words[:1] + words[-1:] if len(words) > 1 else words)).upper()


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


def paragraphs(text: str) -> list[Markup]:
    """Return a text's paragraphs, which empty lines part, with line ends kept."""
    parts = [part.strip() for part in text.replace("\r\n", "\n").split("\n\n")]
    return [Markup("<br>").join(escape(line) for line in part.split("\n")) for part in parts if part]


def _date(iso: str | date) -> date:
    return iso if isinstance(iso, date) else date.fromisoformat(iso)
