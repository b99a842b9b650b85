"""Our own format: an event written by hand, in YAML.

`metadata.timetables.yaml_fields` lists the fields, and `EXAMPLE_YAML` shows each of them. Only ``title`` is needed, of
the event and of each session. In short:

- Text is taken as it is written: ``1984``, ``no`` and ``2022-07-23`` need no quotes. Anchors, aliases and tags are
  refused, and so is a key that comes twice.
- A ``slug`` is made from the title where there is none: ``Café society`` becomes ``cafe-society``, and a second one
  ``cafe-society-2``. That of an event also gets the year, so that editions differ.
- People, recordings and releases may be one word instead of a mapping, and a link may be an address alone.
- Figures stay as vague as they are written: ``85``, ``1,800``, ``about 85``, ``over 300``, ``under 50``.

A mistake is answered with its line, with what is allowed there, and with what is nearest to what was written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from importlib.resources import files
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any, TypeVar
from urllib.parse import urlsplit
from zoneinfo import available_timezones

import msgspec
import yaml

from metadata.errors import FormatError, InvalidTimeError, MetadataError
from metadata.feed_dates import parse_feed_date
from metadata.languages import parse_language
from metadata.model import (
    Announcement,
    Attendance,
    Event,
    ExternalId,
    Link,
    Person,
    Place,
    RecordingNote,
    Release,
    Role,
    Session,
)
from metadata.names import name_key
from metadata.shapes import Path, ShapeWords, dotted, misfit, nearest
from metadata.times import parse_date, parse_moment, parse_offset, parse_zone
from metadata.timetables.base import Reading, Source, TimetableFormat, Written
from metadata.timetables.figures import parse_figure
from metadata.timetables.parts import review
from metadata.timetables.plain_yaml import line_of, load_plain_yaml
from metadata.timetables.slugs import MAX_SLUG_LENGTH, fill_slugs, is_slug, make_slug
from metadata.timetables.yaml_fields import (
    OTHER_NAMES,
    AnnouncementFields,
    AttendanceFields,
    EventFields,
    LinkFields,
    PersonFields,
    PlaceFields,
    RecordingFields,
    ReleaseFields,
    SessionFields,
)

EXAMPLE_YAML = """\
# An event, written by hand. Only the titles are needed. Fields after a # are those that this event does not use.
title: Summer University
slug: summer-university-2022        # in addresses; made from the title and the year where absent
# subtitle: A second title
# description: What the event is about
series: Summer University
edition: 3
mode: online                        # in-person, online or hybrid
start_date: 2022-07-23
end_date: 2022-07-26
time_zone: Europe/Berlin            # of all times without an offset
languages: [English]                # BCP-47 tags, ISO 639 codes or English names
interpreted_into: [ar, Spanish]
places:
  - name: Lighthouse
    kind: watch-party               # venue, online or watch-party
    city: Hamburg
    country: DE                     # two capitals of ISO 3166-1
attendance:                         # a later figure is another entry
  - measure: registered             # registered, attended or watched
    people: 1,000                   # 85, 1,800, about 85, over 300 or under 50
    countries: 91
    # places: 12
    observed_on: 2022-06-01
    # source: the organisers
    announcement: 2022-06-01-a-thousand-have-registered   # its slug, its address or its title
announcements:                      # what was published about the event; a feed has them too
  - title: A thousand have registered
    # slug: a-thousand              # made from the date and the title where absent
    text: They write from 91 countries.
    url: https://example.org/news/1000
    published: 2022-06-01           # or 2022-06-01T10:00
    source: the organisers
    language: en
    # private: true                 # taken back: it is kept, and not shown
# links: ["https://example.org/summer"]
# external_ids: {indico: 1234}      # identifiers in other systems
sessions:
  - title: What an archive owes its listeners
    slug: what-an-archive-owes
    # subtitle: A second title
    kind: keynote                   # talk, keynote, panel, plenary, workshop, lecture, launch, reading, qa, …
    track: Memory
    room: Main hall
    # place: Lighthouse             # one of the event's places
    start: 2022-07-23T18:00         # in the event's time zone
    # day: 2022-07-23               # instead of start, where nobody knows the hour
    planned: 45m                    # or 1h30m
    language: en
    abstract: Recordings that nobody can search are recordings that nobody has.
    people:                         # a name alone is a speaker
      - name: Noor Okafor
        # key: noor-okafor-2        # tells two people of one name apart
        role: speaker               # speaker, chair, interpreter, reader, author, panellist or host
        affiliation: Radio Lighthouse
        biography: Keeps the sound archive of a small radio station.
        links: [{rel: website, url: "https://example.org/noor"}]
        # external_ids: {orcid: 0000-0002-1825-0097}
    links:
      - rel: reading                # website, page, reading (a reading list), …
        # url: https://example.org/art-of-memory
        title: The Art of Memory
    attendance:
      - measure: attended
        people: over 300
    external_ids: {guid: 5f2b0d5e}
    release: public                 # or private, {state: embargoed, until: 2023-01-01}, {state: withdrawn, reason: …}
    recordings:                     # files that `rostra pull` will find; a name alone will do
      - file: keynote.mp4
        # role: floor               # floor, interpretation or screen
        language: en
        credit: Radio Lighthouse
        licence: CC-BY-4.0
        # synthetic_voice: true     # whether a machine speaks
"""
"""Every field of the format, with what may stand there. It reads as `metadata.model.EXAMPLE_EVENT`."""

_LENGTH = re.compile(r"(?=\d)(?:\d+h)?(?:\d+m)?(?:\d+(?:\.\d{1,3})?s)?", re.ASCII)
_COUNTRY = re.compile("[A-Z]{2}")
_LINK_SCHEMES = frozenset({"http", "https", "mailto"})

_WORDS = ShapeWords(other_names=OTHER_NAMES)
_T = TypeVar("_T")


def detect(source: Source, /) -> bool:
    """Return whether the file's name ends as YAML does; no other format of ours is written in YAML."""
    return FORMAT.named(source)


def read(source: Source, /) -> Reading:
    """Return the event that a YAML file describes.

    Raises:
        FormatError: the line and the path, and what is allowed there.
    """
    spot = _Spot(source, ())
    raw = load_plain_yaml(source.data, source.name)
    event, notices = review(_read_event(_convert(raw, EventFields, spot), spot))
    return Reading(events=(event,), notices=tuple(notices), slugs_identify=True)


def write(event: Event, /) -> Written:
    """Return an event with all that is known of it."""
    rows = _plain(event)
    rows["sessions"] = [_plain_session(session) for session in event.sessions]
    text = yaml.dump(_dense(rows), Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=100)
    return Written({f"{event.slug}.yaml": text.encode()})


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, _data: object) -> bool:
        return True


def _plain(thing: Event | Session | Person | Attendance | Place | RecordingNote) -> dict[str, Any]:
    """Return a value of the model as the file has it, where the two are the same."""
    rows: dict[str, Any] = msgspec.to_builtins(thing)
    if "external_ids" in rows:
        rows["external_ids"] = {each["scheme"]: each["value"] for each in rows["external_ids"]}
    if isinstance(thing, Event | Session):
        rows["attendance"] = [_plain_attendance(snapshot) for snapshot in thing.attendance]
    return rows


def _plain_session(session: Session) -> dict[str, Any]:
    rows = _plain(session)
    length = rows.pop("planned_ms") or 0
    parts = ((length // 3_600_000, "h"), (length // 60_000 % 60, "m"), (length % 60_000 / 1000, "s"))
    rows["planned"] = "".join(f"{count:g}{unit}" for count, unit in parts if count)
    rows["people"] = [
        _plain(role.person) | {"role": role.role, "affiliation": role.affiliation} for role in session.people
    ]
    return rows


def _plain_attendance(snapshot: Attendance) -> dict[str, Any]:
    rows = _plain(snapshot)
    for name in ("people", "countries", "places"):
        figure = getattr(snapshot, name)
        if figure is not None:
            rows[name] = f"{figure.count}" if figure.qualifier == "exactly" else f"{figure.qualifier} {figure.count}"
    return rows


def _dense(value: Any) -> Any:
    """Return a value with text for every scalar, and without what says nothing."""
    if isinstance(value, dict):
        return {name: dense for name, each in value.items() if (dense := _dense(each)) not in (None, "", [], {})}
    if isinstance(value, list | tuple):
        return [_dense(each) for each in value]
    if isinstance(value, bool):
        return "true" if value else None
    return None if value is None else str(value)


def _read_event(written: EventFields, spot: _Spot) -> Event:
    zone = spot.read("time_zone", _zone, written.time_zone) or "UTC"
    start_date, end_date = (spot.read(field, _date, getattr(written, field)) for field in ("start_date", "end_date"))
    if start_date and end_date and end_date < start_date:
        raise spot.at("end_date").error(f"{end_date} is before start_date, {start_date}")
    return Event(
        slug=spot.read("slug", _slug, written.slug) or _event_slug(written.title, start_date),
        title=_line(written.title) or written.title,
        subtitle=_line(written.subtitle),
        description=(written.description or "").strip() or None,
        series=written.series,
        edition=written.edition,
        mode=written.mode,
        start_date=start_date,
        end_date=end_date,
        time_zone=zone,
        languages=spot.read_each("languages", parse_language, written.languages),
        interpreted_into=spot.read_each("interpreted_into", parse_language, written.interpreted_into),
        places=tuple(
            dict.fromkeys(_place(place, spot.at("places").at(index)) for index, place in enumerate(written.places))
        ),
        attendance=_attendance(written.attendance, spot),
        announcements=_announcements(written.announcements, zone, spot),
        links=_links(written.links, spot),
        external_ids=_external_ids(written.external_ids),
        sessions=_sessions(written, zone, spot),
    )


@dataclass(frozen=True, slots=True)
class _Spot:
    """A place in a file, as messages name it."""

    source: Source
    path: Path

    def at(self, *steps: str | int) -> _Spot:
        return _Spot(self.source, (*self.path, *steps))

    def error(self, reason: str) -> FormatError:
        line = line_of(self.source.data, self.path)
        return FormatError(self.source.name, f"line {line}, {dotted(self.path)}", reason)

    def read(self, field: str | int, reader: Callable[[str], _T], text: str | None) -> _T | None:
        """Return what ``reader`` makes of a field's text. What it raises becomes an error about this place."""
        return None if text is None else self.at(field).read_here(reader, text)

    def read_each(self, field: str, reader: Callable[[str], _T], texts: list[str]) -> tuple[_T, ...]:
        spot = self.at(field)
        read = (spot.at(index).read_here(reader, text) for index, text in enumerate(texts))
        return tuple(dict.fromkeys(read))  # what is written twice is meant once

    def read_here(self, reader: Callable[[str], _T], text: str) -> _T:
        try:
            return reader(text)
        except (MetadataError, ValueError) as error:
            raise self.error(str(error)) from None


def _sessions(event: EventFields, zone: str, spot: _Spot) -> tuple[Session, ...]:
    spots = [spot.at("sessions").at(index) for index in range(len(event.sessions))]
    names = {name_key(place.name): place.name for place in event.places}
    slugs = _slugs_of(event.sessions, [session.title for session in event.sessions], spots)
    return tuple(
        _session(written, slug, zone, names, here)
        for written, slug, here in zip(event.sessions, slugs, spots, strict=True)
    )


def _session(written: SessionFields, slug: str, zone: str, names: dict[str, str], spot: _Spot) -> Session:
    if written.place is not None and name_key(written.place) not in names:
        listed = nearest(written.place, sorted(names.values())) if names else ": it has none"
        raise spot.at("place").error(f"{written.place!r} is none of the event's places{listed}")
    return Session(
        slug=slug,
        title=_line(written.title) or written.title,
        subtitle=_line(written.subtitle),
        kind=written.kind,
        track=_line(written.track),
        room=_line(written.room),
        place=names[name_key(written.place)] if written.place else None,
        start=spot.read("start", lambda text: _moment(text, zone), written.start),
        day=spot.read("day", _date, written.day),
        planned_ms=spot.read("planned", _length_ms, written.planned),
        language=spot.read("language", parse_language, written.language),
        abstract=(written.abstract or "").strip() or None,
        people=tuple(_role(person, spot.at("people").at(index)) for index, person in enumerate(written.people)),
        links=_links(written.links, spot),
        attendance=_attendance(written.attendance, spot),
        external_ids=_external_ids(written.external_ids),
        release=_release(written.release, spot.at("release")),
        recordings=tuple(
            _recording(recording, spot.at("recordings").at(index)) for index, recording in enumerate(written.recordings)
        ),
    )


def _place(written: PlaceFields, spot: _Spot) -> Place:
    country = spot.read("country", _country, written.country)
    return Place(name=written.name, kind=written.kind, city=written.city, country=country)


def _role(written: str | PersonFields, spot: _Spot) -> Role:
    if isinstance(written, str):
        written = PersonFields(name=written)
    person = Person(
        name=_line(written.name) or written.name,
        key=written.key,
        biography=written.biography,
        links=_links(written.links, spot),
        external_ids=_external_ids(written.external_ids),
    )
    return Role(person=person, role=written.role, affiliation=_line(written.affiliation))


def _release(written: str | ReleaseFields | None, spot: _Spot) -> Release | None:
    if isinstance(written, str):
        written = _convert({"state": written}, ReleaseFields, spot)
    if written is None:
        return None
    if (written.state == "embargoed") != (written.until is not None):
        raise spot.error("an embargoed session needs `until`, the date on which it opens, and no other has one")
    if written.state == "withdrawn" and written.reason is None:
        raise spot.error("a withdrawn session needs a `reason`")
    return Release(state=written.state, until=spot.read("until", _date, written.until), reason=written.reason)


def _recording(written: str | RecordingFields, spot: _Spot) -> RecordingNote:
    if isinstance(written, str):
        written, here = RecordingFields(file=written), spot
    else:
        here = spot.at("file")
    return RecordingNote(
        file=here.read_here(_relative_file, written.file),
        role=written.role,
        language=spot.read("language", parse_language, written.language),
        credit=written.credit,
        licence=written.licence,
        synthetic_voice=written.synthetic_voice,
    )


def _attendance(written: list[AttendanceFields], spot: _Spot) -> tuple[Attendance, ...]:
    return tuple(
        Attendance(
            measure=snapshot.measure,
            people=here.at("people").read_here(parse_figure, snapshot.people),
            countries=here.read("countries", parse_figure, snapshot.countries),
            places=here.read("places", parse_figure, snapshot.places),
            observed_on=here.read("observed_on", _date, snapshot.observed_on),
            source=snapshot.source,
            announcement=snapshot.announcement,
        )
        for index, snapshot in enumerate(written)
        for here in (spot.at("attendance").at(index),)
    )


def _announcements(written: list[AnnouncementFields], zone: str, spot: _Spot) -> tuple[Announcement, ...]:
    spots = [spot.at("announcements").at(index) for index in range(len(written))]
    dates = [
        here.read("published", lambda text: _published(text, zone), each.published)
        for each, here in zip(written, spots, strict=True)
    ]
    names = [f"{(day or '')[:10]} {each.title}" for each, day in zip(written, dates, strict=True)]
    slugs = _slugs_of(written, names, spots)
    return tuple(
        Announcement(
            slug=slug,
            title=_line(each.title) or each.title,
            text=(each.text or "").strip() or None,
            url=here.read("url", _url, each.url),
            published=day,
            source=_line(each.source),
            language=here.read("language", parse_language, each.language),
            private=each.private,
        )
        for each, slug, day, here in zip(written, slugs, dates, spots, strict=True)
    )


def _published(text: str, zone: str) -> str:
    return _moment(text, zone) if {"T", " "} & set(text.strip()) else _date(text)


def _links(written: list[str | LinkFields], spot: _Spot) -> tuple[Link, ...]:
    return tuple(_link(link, spot.at("links").at(index)) for index, link in enumerate(written))


def _link(written: str | LinkFields, spot: _Spot) -> Link:
    if isinstance(written, str):
        return Link(rel="website", url=spot.read_here(_url, written))
    if written.url is None and written.title is None:
        raise spot.error("a link needs a `url`, a `title` or both")
    return Link(rel=written.rel, url=spot.read("url", _url, written.url), title=written.title)


def _external_ids(written: dict[str, str]) -> tuple[ExternalId, ...]:
    return tuple(ExternalId(scheme=scheme, value=value) for scheme, value in written.items())


def _line(text: str | None) -> str | None:
    """Return a title or a name on one line: YAML may fold it over several."""
    return " ".join((text or "").split()) or None


def _date(text: str) -> str:
    try:
        return parse_date(text).isoformat()
    except InvalidTimeError as error:
        raise _with_nearest(error, text) from None


def _with_nearest(error: InvalidTimeError, text: str) -> InvalidTimeError:
    """Return an error that also shows how to write a date that is written in another way, such as ``23 July 2022``."""
    try:
        found = parse_feed_date(text)
    except InvalidTimeError:
        return error
    local = found.moment.replace(tzinfo=None).isoformat(timespec="minutes") if found.moment else f"{found.day}"
    return InvalidTimeError(text, f"{error.expected} (nearest: {local})")


def _zone(text: str) -> str:
    try:
        return parse_zone(text).key
    except InvalidTimeError as error:
        zones = {zone.rpartition("/")[2].lower(): zone for zone in sorted(available_timezones(), reverse=True)}
        close = get_close_matches(text.rpartition("/")[2].strip().replace(" ", "_").lower(), zones, 1)
        raise InvalidTimeError(text, error.expected + (f" (nearest: {zones[close[0]]})" if close else "")) from None


def _moment(text: str, zone: str) -> str:
    if not {"T", " "} & set(text.strip()):  # a date alone would be read as its midnight
        raise InvalidTimeError(text, "a date and time such as 2022-07-23T18:00; `day` holds a date alone")
    try:
        return parse_moment(text, zone).isoformat()
    except InvalidTimeError as error:
        raise _with_nearest(error, text) from None


def _length_ms(text: str) -> int:
    # A bare number could be minutes or seconds, and 1:30 could be either too: neither is taken.
    compact = text.replace(" ", "")
    if not _LENGTH.fullmatch(compact) or (length := parse_offset(compact)) == 0 or compact.isdigit():
        hint = f" (nearest: {compact}m)" if compact.isdigit() else ""
        raise InvalidTimeError(text, f"a length such as 45m or 1h30m{hint}")
    return length


def _country(text: str) -> str:
    if not _COUNTRY.fullmatch(text):
        codes = _countries()
        close = get_close_matches(text.casefold(), codes, 1)
        hint = f" (nearest: {codes[close[0]]})" if close else ""
        raise ValueError(f"{text!r} is no country code: expected two capitals of ISO 3166-1, such as DE{hint}")
    return text


def _countries() -> dict[str, str]:
    """Return the codes of countries by their codes and English names, in small letters, as tz's list has them."""
    rows = files("tzdata.zoneinfo").joinpath("iso3166.tab").read_text(encoding="utf-8").splitlines()
    named = [row.split("\t") for row in rows if row and not row.startswith("#")]
    return {word.casefold(): code for code, name in named for word in (code, name)} | {"uk": "GB", "usa": "US"}


def _url(text: str) -> str:
    if urlsplit(text).scheme not in _LINK_SCHEMES:
        raise ValueError(f"{text!r} is not a web or mail address: expected it to begin with https:// or mailto:")
    return text


def _relative_file(text: str) -> str:
    outside = any(path.is_absolute() or ".." in path.parts for path in (PurePosixPath(text), PureWindowsPath(text)))
    if outside:
        raise ValueError(f"{text!r} leaves the folder that recordings come from: expected a name such as 'talk.mp4'")
    return text


def _slug(text: str) -> str:
    if not is_slug(text):
        raise ValueError(
            f"{text!r} is no slug: expected small letters and digits with single hyphens, {MAX_SLUG_LENGTH} at most"
            + (f" (nearest: {slug})" if (slug := make_slug(text)) else "")
        )
    return text


def _event_slug(title: str, start_date: str | None) -> str:
    slug = make_slug(title) or "event"
    year = start_date[:4] if start_date else ""
    return f"{slug}-{year}" if year and year not in slug else slug


def _slugs_of(
    written: Sequence[SessionFields | AnnouncementFields], names: Sequence[str], spots: Sequence[_Spot]
) -> list[str]:
    """Return the slugs that things of a list have, or that are made of what names them."""
    given = [spot.read("slug", _slug, each.slug) for each, spot in zip(written, spots, strict=True)]
    for index, spot in enumerate(spots):
        if given[index] is not None and given[index] in given[:index]:
            raise spot.at("slug").error(
                f"{given[index]!r} is the slug of an earlier {str(spot.path[-2]).removesuffix('s')}"
            )
    return fill_slugs(given, names)


def _convert(raw: object, kind: type[_T], spot: _Spot) -> _T:
    try:
        # Every scalar was loaded as text, so numbers and truth values are read from text here.
        return msgspec.convert(raw, kind, strict=False)
    except msgspec.ValidationError as error:
        found = misfit(error, kind, raw, _WORDS)
        raise spot.at(*found.path).error(found.reason) from None


FORMAT = TimetableFormat(
    name="yaml-event",
    title="Our own format: an event written by hand, in YAML",
    suffixes=(".yaml", ".yml"),
    media_types=("application/yaml", "text/yaml", "application/x-yaml"),
    release_wishes="a session's `release`: as it says",
    detect=detect,
    read=read,
    write=write,
    written_as="yaml",
)
