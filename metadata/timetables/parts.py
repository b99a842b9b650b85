"""What the readers of timetables share: reading single values, and noting what is doubtful."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from urllib.parse import urljoin, urlsplit

from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from metadata.errors import MetadataError
from metadata.languages import parse_language
from metadata.model import Event, ExternalId, Link, Person, Release, Session, SessionKind
from metadata.names import name_key
from metadata.times import NO_ZONE, has_offset, parse_date, parse_moment, parse_zone
from metadata.timetables.base import Notice, Source
from metadata.timetables.html_text import html_to_text
from metadata.timetables.slugs import fill_slugs, is_slug, make_slug

OURS = "rostra"
"""The generator that our own files name. Their texts are taken as they are: markup was removed at the first import."""

LONG_TITLE = 200
NOT_RECORDED = "asks not to be recorded"
"""The reason for which a session is private whose speakers opted out of the recording."""

_KINDS: dict[str, SessionKind] = {
    "talk": "talk", "vortrag": "talk", "presentation": "talk", "short talk": "talk", "lightning talk": "talk",
    "lightning_talk": "talk", "keynote": "keynote", "panel": "panel", "podium": "panel", "discussion": "panel",
    "panel discussion": "panel", "plenary": "plenary", "workshop": "workshop", "tutorial": "workshop",
    "training": "workshop", "lecture": "lecture", "launch": "launch", "book launch": "launch", "reading": "reading",
    "lesung": "reading", "qa": "qa", "q&a": "qa", "performance": "performance", "concert": "performance",
    "other": "other", "": "talk",
}  # fmt: skip
_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,3}):(\d{2})(?::(\d{2}))?", re.ASCII)
_UNITS = re.compile(
    r"(?:pt)?(?:(\d{1,3})h)?(?:(\d{1,4})m(?:in(?:s|utes?|uten)?)?)?(?:(\d{1,6})s)?", re.ASCII | re.IGNORECASE
)
_VARIANT = re.compile(r"([A-Za-z]{2,3})[-_]\w")
# C0, C1 and lone surrogates have no meaning in a name and no place in XML 1.0 (section 2.2).
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")


class Notes:
    """Reads single values of a file, and collects notes on what cannot be read.

    Attributes:
        source: the file.
        html: whether texts may contain HTML.
        base: the address to which addresses in the file may be relative.
        list: the notes, in order.
        floating: whether a time without a zone was taken as UTC.
    """

    def __init__(self, source: Source, *, html: bool = True) -> None:
        self.source = source
        self.html = html
        self.base: str | None = None
        self.list: list[Notice] = []
        self.floating = False
        self._noted: set[str] = set()

    def note(self, where: str, text: str) -> None:
        """Note something about a place in the file."""
        self.list.append(Notice(where, text))

    def note_once(self, where: str, text: str) -> None:
        """Note something that may come many times, but only at its first place."""
        if text not in self._noted:
            self._noted.add(text)
            self.note(where, text)

    def no_zone(self, where: str) -> None:
        """Note once that a time is taken as UTC, since neither the file nor whoever imports it names a zone."""
        self.floating = True
        self.note_once(where, f"{NO_ZONE} (--time-zone names another)")

    def line(self, text: str | None, *, html: bool = True) -> str | None:
        """Return a text of one line, such as a title, without control characters and needless spaces; None if empty.

        Args:
            text: as the file has it.
            html: False where it is known to be plain text.
        """
        plain = self._plain(text) if html else text
        return " ".join(_UNPRINTABLE.sub("", plain).split()) or None if plain else None

    def block(self, *texts: str | None, html: bool = True) -> str | None:
        """Return texts of several lines as one. Each is kept once, since some exporters repeat the abstract.

        Args:
            *texts: as the file has them.
            html: False where they are known to be plain text.
        """
        kept: list[str] = []
        for text in texts:
            read = self._plain(text) if html else text or ""
            plain = _UNPRINTABLE.sub("", read.replace("\r\n", "\n").replace("\r", "\n")).strip()
            if plain and not any(plain == other for other in kept):
                kept.append(plain)
        if len(kept) == 2 and kept[1].startswith(kept[0]):
            kept = kept[1:]
        return "\n\n".join(kept) or None

    def _plain(self, text: str | None) -> str:
        return html_to_text(text) if text and self.html else text or ""

    def private(self, where: str, reason: str, title: str | None = None) -> Release:
        """Return the release of a session whose file asks that the public does not get it, and note the wish."""
        self.note_once(where, f"{title!r} {reason}: private" if title else f"{reason}: private")
        return Release(state="private", reason=reason)

    def kind(self, where: str, text: str | None) -> SessionKind:
        """Return the kind of session that a word means. An unknown word is noted once, and means ``other``."""
        word = name_key(text or "")
        base = re.sub(r"\s*\(.*\)$", "", word)
        if (kind := _KINDS.get(word) or _KINDS.get(base)) is None:
            self.note_once(where, f"{text!r} is none of our kinds of session: taken as 'other'")
            return "other"
        return kind

    def language(self, where: str, text: str | None) -> str | None:
        """Return a BCP-47 tag. Of ``de-formal``, the known part is kept; what is not known is noted, and None."""
        if not text or not text.strip():
            return None
        try:
            return parse_language(text)
        except MetadataError as error:
            reason = str(error)
        try:
            if variant := _VARIANT.match(text.strip()):
                known = parse_language(variant[1])
                self.note_once(where, f"the language {text.strip()[:40]!r} is taken as {known!r}")
                return known
        except MetadataError:
            pass
        self.note(where, f"{reason}: left out")
        return None

    def zone(self, where: str, text: str | None) -> str | None:
        """Return an IANA zone, also for a name of Windows. An unknown name is noted, and the source's zone is taken."""
        if not text or not text.strip():
            return self.source.time_zone
        name = text.strip()
        try:
            return parse_zone(WINDOWS_TO_OLSON.get(name, name) if " " in name else name).key
        except MetadataError as error:
            self.note(where, f"{error}: left out")
            return self.source.time_zone

    def date(self, where: str, text: str | None) -> str | None:
        """Return the calendar date of a date or a moment, or None and a note."""
        if not text:
            return None
        try:
            return parse_date(text.strip()[:10]).isoformat()
        except MetadataError as error:
            self.note(where, f"{error}: left out")
            return None

    def moment(self, where: str, text: str | None, zone: str | None) -> str | None:
        """Return an ISO 8601 moment with an offset, or None and a note; ``zone`` is for a text without an offset."""
        if not text or not text.strip():
            return None
        try:
            moment = parse_moment(text, zone or "UTC")
        except MetadataError as error:
            self.note(where, f"{error}: left out")
            return None
        if is_date(text):
            self.note(where, f"{text.strip()} has no hour: left out")
            return None
        if zone is None and not has_offset(text):
            self.no_zone(where)
        if doubt := local_doubt(moment):
            self.note(where, doubt)
        return moment.isoformat()

    def length(self, where: str, text: str | None) -> int | None:
        """Return the milliseconds of ``HH:MM``, ``HH:MM:SS`` or ``D:HH:MM:SS``, or None and a note.

        Also understood are units (``45m``, ``PT1H30M``), and a number alone, which is taken as minutes.
        """
        if not text or not text.strip():
            self.note(where, "no length is given: how long it was planned stays open")
            return None
        compact = text.replace(" ", "")
        if compact.isascii() and compact.isdigit() and len(compact) < 5:
            self.note_once(where, "lengths without a unit are taken as minutes")
            return self.positive(where, int(compact) * 60_000, text)
        if units := _UNITS.fullmatch(compact):
            hours, minutes, seconds = (int(part or 0) for part in units.groups())
            return self.positive(where, ((hours * 60 + minutes) * 60 + seconds) * 1000, text)
        match = _CLOCK.fullmatch(compact)
        if match is None:
            return self.positive(where, 0, text)
        first, *rest = (int(part) for part in match.groups() if part is not None)
        days, hours, minutes, seconds = {
            2: (0, first, *rest, 0),
            3: (0, first, *rest),
            4: (first, *rest),
        }[1 + len(rest)]
        return self.positive(where, ((days * 24 + hours) * 60 + minutes) * 60_000 + seconds * 1000, text)

    def positive(self, where: str, length_ms: float | None, text: object = "") -> int | None:
        """Return a length of 1 ms to 1,000 hours, or None and a note."""
        if length_ms is None:
            return None
        if not 1 <= length_ms <= 1000 * 3_600_000:
            self.note(where, f"{text!r} is no length: left out")
            return None
        return round(length_ms)

    def link(self, where: str, rel: str, url: str | None, title: str | None = None) -> tuple[Link, ...]:
        """Return a link, or nothing. An address that is neither of the web nor of mail is noted and left out."""
        url, title = (url or "").strip(), self.line(title)
        if not url:
            return ()
        if self.base and url.startswith("/"):
            url = urljoin(self.base, url)
        if not is_web(url):
            self.note(where, f"{url[:80]!r} is not a web or mail address: left out")
            return ()
        return (Link(rel=rel, url=url, title=title),)


def is_date(text: str) -> bool:
    """Return whether a text is a date without an hour."""
    try:
        date.fromisoformat(text.strip())
    except ValueError:
        return False
    return True


def is_web(url: str) -> bool:
    """Return whether an address is one that a page may link to."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in {"http", "https", "mailto"} and url.isprintable() and " " not in url


def local_doubt(moment: datetime) -> str | None:
    """Return what is doubtful about a local time when the clocks change (PEP 495), or None."""
    if moment.utcoffset() == moment.replace(fold=1).utcoffset():
        return None
    back = moment.astimezone(UTC).astimezone(moment.tzinfo)
    if back.replace(tzinfo=None) != moment.replace(tzinfo=None):
        return f"{moment:%Y-%m-%d %H:%M} was skipped by the clocks in {moment.tzinfo}: taken as {back:%H:%M}"
    return f"{moment:%Y-%m-%d %H:%M} came twice in {moment.tzinfo}: taken as the first"


def ids(**schemes: object) -> tuple[ExternalId, ...]:
    """Return external ids by their schemes, without empty ones."""
    return tuple(
        ExternalId(scheme=scheme, value=text)
        for scheme, value in schemes.items()
        if value is not None and (text := _UNPRINTABLE.sub("", str(value)).strip()[:500])
    )


def said_of_any(sessions: Iterable[Session], *names: str) -> frozenset[str]:
    """Return those of these fields that at least one session has. The others stay as they are known."""
    return frozenset(name for name in names if any(getattr(session, name) for session in sessions))


def unique_links(links: Iterable[Link]) -> tuple[Link, ...]:
    """Return links in order, each once."""
    return tuple(dict.fromkeys(links))


def event_slug(name: str | None, title: str, start_date: str | None) -> str:
    """Return an event's slug, made from its short name, or else from its title and year."""
    slug = make_slug(name or "") or make_slug(title) or "event"
    year = start_date[:4] if start_date else ""
    return f"{slug}-{year}" if year and year not in slug and not name else slug


def with_slugs(sessions: Sequence[Session], given: Sequence[str | None] | None = None) -> tuple[Session, ...]:
    """Return sessions with unique slugs, made from their titles. Slugs that were given stay if they are valid."""
    kept: dict[str, None] = {}
    fit: list[str | None] = []
    for slug in given or [None] * len(sessions):
        fit.append(slug if slug and is_slug(slug) and slug not in kept else None)
        kept |= {slug: None} if slug else {}
    slugs = fill_slugs(fit, [session.title for session in sessions])
    return tuple(replace(session, slug=slug) for session, slug in zip(sessions, slugs, strict=True))


def name_stem(source: Source) -> str:
    """Return a file's name without its suffixes, for an event that nobody named."""
    return source.name.rpartition("/")[2].partition(".")[0] or "event"


def review(event: Event, *, dates: bool = True) -> tuple[Event, list[Notice]]:
    """Return an event with its inconsistencies resolved, and notices about them.

    An id that several sessions of different titles share identifies none of them, and is left out. People of one name
    whom the file tells apart get keys. A room that is used twice at a time, a very long title and a session outside
    the event's dates are noted and kept.
    """
    notices: list[Notice] = []
    sessions = _tell_people_apart(_without_shared_ids(event.sessions, notices), notices)
    notices += [
        Notice(session.slug, f"the title has {len(session.title)} characters")
        for session in sessions
        if len(session.title) > LONG_TITLE
    ]
    notices += _overlaps(sessions)
    if dates:
        notices += _outside(event, sessions)
    return replace(event, sessions=sessions), notices


def _without_shared_ids(sessions: tuple[Session, ...], notices: list[Notice]) -> tuple[Session, ...]:
    titles: dict[ExternalId, set[str]] = {}
    uses: Counter[ExternalId] = Counter()
    for session in sessions:
        for external in session.external_ids:
            titles.setdefault(external, set()).add(name_key(session.title))
            uses[external] += 1
    shared = {external for external, named in titles.items() if len(named) > 1 and not _one_talk(named)}
    for external in titles:
        if external in shared:
            count = uses[external]
            notices.append(
                Notice("", f"{external.scheme} {external.value!r} is given to {count} sessions: it identifies none")
            )
    return tuple(
        replace(s, external_ids=tuple(x for x in s.external_ids if x not in shared))
        if shared & set(s.external_ids) else s
        for s in sessions
    )  # fmt: skip


def _one_talk(titles: set[str]) -> bool:
    """Return whether these are titles of one talk in several parts: all begin alike. They are `name_key`'s forms."""
    shortest = min(titles, key=len)
    stem = re.sub(r"[\W\d_]*(?:part|teil|parte|partie)?[\W\d_]*$", "", shortest)
    return len(stem) >= 5 and all(title.startswith(stem) for title in titles)


def _tell_people_apart(sessions: tuple[Session, ...], notices: list[Notice]) -> tuple[Session, ...]:
    known: dict[str, list[tuple[ExternalId, ...]]] = {}
    told: set[str] = set()

    def apart(person: Person) -> Person:
        slug = make_slug(person.key or person.name)
        if person.key or not person.external_ids:
            return person
        seen = known.setdefault(slug, [])
        for index, external in enumerate(seen):
            if set(external) & set(person.external_ids):
                number = index
                break
        else:
            number = len(seen)
            seen.append(person.external_ids)
        if number == 0:
            return person
        if person.name not in told:
            told.add(person.name)
            notices.append(Notice("", f"two people are named {person.name!r}: they are kept apart by their ids"))
        return replace(person, key=f"{slug or 'person'}-{make_slug(person.external_ids[0].value) or number + 1}")

    return tuple(
        replace(session, people=tuple(replace(role, person=apart(role.person)) for role in session.people))
        if session.people else session
        for session in sessions
    )  # fmt: skip


def _overlaps(sessions: Sequence[Session]) -> list[Notice]:
    """Return a notice for every session that begins in a room before another there has ended."""
    rooms: dict[str, list[tuple[datetime, datetime, Session]]] = {}
    for session in sessions:
        if session.room and session.start and session.planned_ms:
            start = parse_moment(session.start).astimezone(UTC)
            try:
                end = start + timedelta(milliseconds=session.planned_ms)
            except OverflowError:
                continue
            rooms.setdefault(name_key(session.room), []).append((start, end, session))
    notices = []
    for spans in rooms.values():
        spans.sort(key=lambda span: (span[0], span[1]))
        latest = spans[0]
        for span in spans[1:]:
            if span[0] < latest[1]:
                session, before = span[2], latest[2]
                notices.append(
                    Notice(session.slug, f"begins in {session.room!r} before {before.title!r} has ended there")
                )
            latest = max(latest, span, key=lambda each: each[1])
    return notices


def _outside(event: Event, sessions: Sequence[Session]) -> list[Notice]:
    first, last = event.start_date, event.end_date
    if not first or not last:
        return []
    # A day's programme runs past midnight, and dates are local: a day of grace on both sides.
    low = (parse_date(first) - timedelta(days=1)).isoformat() if first > "0001-01-02" else first
    high = (parse_date(last) + timedelta(days=1)).isoformat() if last < "9999-12-30" else last
    return [
        Notice(session.slug, f"is on {session.start[:10]}, outside the event's dates ({first} to {last})")
        for session in sessions
        if session.start and not low <= session.start[:10] <= high
    ]
