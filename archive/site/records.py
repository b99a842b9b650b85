"""Sessions, events and people as programs get them: one shape for the API, feeds, calendars and harvesters.

These types are what `/api/1` answers with; its description is generated from them. A field that is here stays:
others' programs read it. Times are ISO 8601, lengths are milliseconds, languages BCP-47, addresses whole.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from archive import urls
from archive.catalogue.addresses import present, session_at
from archive.catalogue.current import CURRENT, NOT_SUPERSEDED
from archive.catalogue.identity import has_identities
from archive.site.labels import local_time, outside
from archive.site.settings import SiteSettings
from archive.sqlite import sqlite3
from metadata.captions import FORMATS, WRITERS

MAX_SEGMENTS = 20_000
"""Segments of a transcript that one page tells programs of."""

Values = Sequence[object] | Mapping[str, object]
"""What is bound in a statement."""


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """A thing with a page of its own: an event or a series."""

    slug: str
    title: str
    url: str


class Credit(msgspec.Struct, frozen=True, kw_only=True):
    """A person's part in a session."""

    slug: str
    name: str
    role: str
    affiliation: str | None
    url: str


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """An address or a title that belongs to an event, session or person; ``rel`` says how."""

    rel: str
    url: str | None
    title: str | None


class File(msgspec.Struct, frozen=True, kw_only=True):
    """A file of sound, picture or text."""

    url: str
    media_type: str
    bytes: int | None = None


class Transcript(msgspec.Struct, frozen=True, kw_only=True):
    """A version of what was said in a recording.

    ``captions`` are its forms. They say who speaks, where that is known; ``speakers=no`` in an address leaves it out.
    """

    version: str
    language: str
    kind: str
    generator: str
    created_at: str
    url: str
    captions: tuple[File, ...]

    def written_as(self, form: str) -> File:
        """Return one of its forms: ``vtt``, ``srt`` and so on."""
        return self.captions[list(WRITERS).index(form)]


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """A recording of a session.

    ``file`` is a form of it that every browser plays, or null before there is one. ``elsewhere`` is the address that
    plays it, where no file of it is here; then ``sha256`` is no file's, and only names it.
    """

    sha256: str
    kind: str
    role: str
    language: str | None
    duration_ms: int | None
    file: File | None
    elsewhere: str | None
    poster: File | None
    credit: str | None
    licence: str | None
    synthetic_voice: bool
    pulled_at: str
    transcript: Transcript | None

    @property
    def key(self) -> str:
        """What names it among the session's recordings, in links."""
        return self.sha256[:12]


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One timetable item. ``start`` has the offset of the event's clocks; ``day`` may be known without it.

    ``url`` follows a corrected title, and ``permanent_url`` stays: it names the session for whoever keeps a copy.
    """

    url: str
    permanent_url: str
    event: Named
    series: Named | None
    slug: str
    title: str
    subtitle: str | None
    kind: str
    track: str | None
    room: str | None
    place: str | None
    start: str | None
    day: str | None
    planned_ms: int | None
    language: str | None
    abstract: str | None
    updated_at: str
    people: tuple[Credit, ...]
    links: tuple[Link, ...]
    recordings: tuple[Recording, ...]

    @property
    def path(self) -> str:
        """The path of its page."""
        return urls.session_url(self.event.slug, self.slug)

    @property
    def played(self) -> Recording | None:
        """The first recording that plays here."""
        return next((each for each in self.recordings if each.file), None)

    @property
    def starts(self) -> datetime | None:
        """When it began, with the offset of the event's clocks."""
        return datetime.fromisoformat(self.start) if self.start else None

    @property
    def ends(self) -> datetime | None:
        """When it was to end; where only its recording is known, when that does."""
        lasted = self.planned_ms or max((each.duration_ms or 0 for each in self.recordings), default=0)
        return self.starts + timedelta(milliseconds=lasted) if self.starts and lasted else None

    @property
    def updated(self) -> datetime:
        """When it last changed, in UTC."""
        return datetime.fromisoformat(self.updated_at).astimezone(UTC)


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A venue, a watch party, or an online place of an event."""

    kind: str
    name: str
    city: str | None
    country: str | None


class Announcement(msgspec.Struct, frozen=True, kw_only=True):
    """What organisers published about an event. ``url`` is where it stands here, ``elsewhere`` where they have it."""

    slug: str
    title: str
    text: str | None
    published: str | None
    source: str | None
    language: str | None
    url: str
    elsewhere: str | None


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One gathering. ``languages`` are those of the floor."""

    url: str
    slug: str
    title: str
    subtitle: str | None
    description: str | None
    series: Named | None
    edition: int | None
    mode: str
    start_date: str | None
    end_date: str | None
    time_zone: str
    languages: tuple[str, ...]
    interpreted_into: tuple[str, ...]
    places: tuple[Place, ...]
    announcements: tuple[Announcement, ...]
    links: tuple[Link, ...]
    sessions: int
    recorded: int
    updated_at: str


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Someone with a part in a session. ``portrait`` is a picture of them, where it was released."""

    url: str
    slug: str
    name: str
    biography: str | None
    portrait: File | None
    links: tuple[Link, ...]
    sessions: int


class Word(msgspec.Struct, frozen=True, kw_only=True):
    """A word as it was heard."""

    start_ms: int
    end_ms: int
    text: str
    confidence: float | None


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of speech, and the address of its second.

    ``flags`` say why it is doubtful; ``overlapped``, that others speak at the same time.
    """

    position: int
    start_ms: int
    end_ms: int
    text: str
    language: str | None
    speaker: str | None
    confidence: float | None
    flags: tuple[str, ...]
    overlapped: bool
    url: str
    words: tuple[Word, ...]


_SESSIONS = """
SELECT session.id, event.slug AS event, event.title AS event_title, series.slug AS series, series.title AS series_title,
       session.slug, session.title, session.subtitle, session.kind, session.track, session.room, place.name AS place,
       session.start_at, event.time_zone, session.day, session.planned_ms, session.language, session.abstract,
       session.updated_at, {identity}
FROM session JOIN event ON event.id = session.event_id LEFT JOIN series ON series.id = event.series_id
     LEFT JOIN place ON place.id = session.place_id
"""
_PEOPLE = """
SELECT session_id, person.slug, person.name, role, affiliation FROM session_person
JOIN person ON person.id = person_id WHERE session_id IN (SELECT value FROM json_each(?))
ORDER BY session_id, session_person.position, person.name
"""
_RECORDINGS = f"""
SELECT recording.id, session_id, sha256, recording.kind, role, recording.language, recording.duration_ms,
       credit, licence, synthetic_voice, elsewhere, pulled_at, version, transcript.language AS spoken,
       transcript.kind AS transcript_kind, generator, created_at
FROM recording LEFT JOIN transcript ON recording_id = recording.id AND {CURRENT} AND transcript.kind <> 'translation'
WHERE session_id IN (SELECT value FROM json_each(?)) AND {NOT_SUPERSEDED}
ORDER BY session_id, role = 'floor' DESC, role, recording.id
"""
_RENDITIONS = """
SELECT recording_id, kind, sha256 || suffix AS file, media_type, bytes FROM rendition
WHERE kind IN ('web', 'poster') AND recording_id IN (SELECT value FROM json_each(?))
"""
_EVENTS = """
SELECT event.*, series.slug AS series_slug, series.title AS series_title,
       (SELECT count(*) FROM session WHERE event_id = event.id) AS sessions,
       (SELECT count(DISTINCT session_id) FROM session JOIN recording ON session_id = session.id
        WHERE event_id = event.id) AS recorded,
       (SELECT max(updated_at) FROM session WHERE event_id = event.id) AS updated_at
FROM event LEFT JOIN series ON series.id = series_id
"""


class Reader:
    """Reads records from one connection to a published database.

    Args:
        conn: its rows have names.
        settings: for whole addresses.
        built_at: when what is published was built: what nothing newer is known of counts as changed then.
    """

    def __init__(self, conn: sqlite3.Connection, settings: SiteSettings, built_at: str) -> None:
        self.conn, self.settings, self.built_at = conn, settings, built_at

    def sessions(self, rest: str, values: Values = ()) -> tuple[Session, ...]:
        """Return sessions; ``rest`` is what follows FROM session, event, series and place."""
        statement = _SESSIONS.format(identity="session.identity" if has_identities(self.conn) else "NULL AS identity")
        rows = [_dict(row) for row in self.conn.execute(f"{statement} {rest}", values)]
        ids = [row["id"] for row in rows]
        people = self._by_session(_PEOPLE, ids)
        links, recordings = self._links("session_id", ids), self._recordings(rows)
        return tuple(self._session(row, people[row["id"]], links[row["id"]], recordings[row["id"]]) for row in rows)

    def session(self, event: str, slug: str) -> Session | None:
        """Return one session, by its address or one that it once had."""
        at = session_at(self.conn, event, slug)
        return next(iter(self.sessions("WHERE event.slug = ? AND session.slug = ?", at)), None) if at else None

    def events(self, rest: str, values: Values = ()) -> tuple[Event, ...]:
        """Return events; ``rest`` is what follows FROM event and series."""
        rows = [_dict(row) for row in self.conn.execute(f"{_EVENTS} {rest}", values)]
        links = self._links("event_id", [row["id"] for row in rows])
        return tuple(self._event(row, links[row["id"]]) for row in rows)

    def event(self, slug: str) -> Event | None:
        """Return one event, by its slug or one that it once had."""
        return next(iter(self.events("WHERE event.slug = ?", (present(self.conn, "event_id", slug),))), None)

    def people(self, rest: str, values: Values = ()) -> tuple[Person, ...]:
        """Return people; ``rest`` is what follows FROM person."""
        rows = self.conn.execute(
            "SELECT id, slug, name, biography, digest, length(picture) AS bytes, (SELECT count(DISTINCT session_id)"
            " FROM session_person WHERE person_id = person.id) AS sessions"
            f" FROM person LEFT JOIN portrait ON portrait.person_id = person.id {rest}",
            values,
        ).fetchall()
        links = self._links("person_id", [row["id"] for row in rows])
        return tuple(
            Person(
                **_without(row, "id", "digest", "bytes"),
                url=self._url(urls.person_url(row["slug"])),
                portrait=self._portrait(row),
                links=links[row["id"]],
            )
            for row in rows
        )

    def person(self, slug: str) -> Person | None:
        """Return one person, by their slug or one that they once had."""
        return next(iter(self.people("WHERE slug = ?", (present(self.conn, "person_id", slug),))), None)

    def segments(self, version: str, after: int, limit: int, *, words: bool) -> tuple[Segment, ...]:
        """Return segments of a transcript after a position, with or without the times of their words."""
        rows = self.conn.execute(
            "SELECT segment.id, segment.position, start_ms, end_ms, text, segment.language, label AS speaker,"
            " confidence, flags, overlapped, event.slug AS event, session.slug AS session, substr(sha256, 1, 12) AS key"
            " FROM transcript JOIN segment ON transcript_id = transcript.id"
            " JOIN recording ON recording.id = transcript.recording_id JOIN session ON session.id = session_id"
            " JOIN event ON event.id = event_id LEFT JOIN speaker_tag ON speaker_tag.id = speaker_tag_id"
            " WHERE version = ? AND segment.position > ? ORDER BY segment.position LIMIT ?",
            (version, after, limit),
        ).fetchall()
        said = self._words([row["id"] for row in rows]) if words else defaultdict(tuple)
        return tuple(
            Segment(
                **_without(row, "id", "event", "session", "key", "flags", "overlapped"),
                flags=tuple(json.loads(row["flags"])),
                overlapped=bool(row["overlapped"]),
                url=self._url(urls.session_url(row["event"], row["session"], row["start_ms"], row["key"])),
                words=said[row["id"]],
            )
            for row in rows
        )

    def heard(self, recording: Recording) -> str:
        """Return what was said in a recording as one text, without what is doubtful."""
        if recording.transcript is None:
            return ""
        rows = self.conn.execute(
            "SELECT text FROM segment WHERE transcript_id = (SELECT id FROM transcript WHERE version = ?)"
            " AND position < ? AND flags = '[]' ORDER BY position",
            (recording.transcript.version, MAX_SEGMENTS),
        )
        return " ".join(text.strip() for (text,) in rows)

    def _words(self, segments: list[int]) -> dict[int, tuple[Word, ...]]:
        found: defaultdict[int, tuple[Word, ...]] = defaultdict(tuple)
        for row in self.conn.execute(
            "SELECT segment_id, start_ms, end_ms, text, confidence FROM word"
            " WHERE segment_id IN (SELECT value FROM json_each(?)) ORDER BY segment_id, position",
            (json.dumps(segments),),
        ):
            found[row["segment_id"]] += (Word(**_without(row, "segment_id")),)
        return found

    def _url(self, path: str) -> str:
        return self.settings.absolute(path)

    def _file(self, name: str, media_type: str, size: int | None) -> File:
        return File(url=self._url(urls.media_url(name)), media_type=media_type, bytes=size)

    def _portrait(self, row: sqlite3.Row) -> File | None:
        if row["digest"] is None:
            return None
        address = self._url(urls.portrait_url(row["slug"], row["digest"]))
        return File(url=address, media_type="image/jpeg", bytes=row["bytes"])

    def _announcements(self, event: int, slug: str) -> tuple[Announcement, ...]:
        rows = self.conn.execute(
            "SELECT slug, title, text, published, source, language, url AS elsewhere FROM announcement"
            " WHERE event_id = ? ORDER BY coalesce(published, ''), id",
            (event,),
        )
        return tuple(
            Announcement(
                **_without(row, "elsewhere"),
                url=self._url(urls.announcement_url(slug, row["slug"])),
                elsewhere=outside(row["elsewhere"]),
            )
            for row in rows
        )

    def _named(self, slug: str | None, title: str, address: str) -> Named | None:
        return Named(slug=slug, title=title, url=self._url(address)) if slug is not None else None

    def _event_of(self, slug: str, title: str) -> Named:
        return Named(slug=slug, title=title, url=self._url(urls.event_url(slug)))

    def _series_of(self, slug: str | None, title: str) -> Named | None:
        return self._named(slug, title, urls.series_url(slug or ""))

    def _session(
        self,
        row: dict[str, Any],
        people: list[dict[str, Any]],
        links: tuple[Link, ...],
        recordings: tuple[Recording, ...],
    ) -> Session:
        event = self._event_of(row.pop("event"), row.pop("event_title"))
        series = self._series_of(row.pop("series"), row.pop("series_title"))
        start = local_time(row.pop("start_at"), row.pop("time_zone"))
        del row["id"]
        url, identity = self._url(urls.session_url(event.slug, row["slug"])), row.pop("identity")
        row["updated_at"] = row["updated_at"] or self.built_at
        return Session(
            **row | {"day": start.date().isoformat() if start else row["day"]},
            event=event,
            series=series,
            url=url,
            permanent_url=self._url(urls.permanent_url(identity)) if identity else url,
            start=start.isoformat() if start else None,
            people=tuple(Credit(**each, url=self._url(urls.person_url(each["slug"]))) for each in people),
            links=links,
            recordings=recordings,
        )

    def _event(self, row: dict[str, Any], links: tuple[Link, ...]) -> Event:
        key, series = row["id"], self._series_of(row.pop("series_slug"), row.pop("series_title"))
        tongues = self.conn.execute(
            "SELECT language, role FROM event_language WHERE event_id = ? ORDER BY language", (key,)
        ).fetchall()
        places = self.conn.execute(
            "SELECT kind, name, city, country FROM place WHERE event_id = ? ORDER BY id", (key,)
        ).fetchall()
        fields = {name: value for name, value in row.items() if name in Event.__struct_fields__ and name != "series"}
        return Event(
            **fields | {"updated_at": row["updated_at"] or self.built_at},
            url=self._url(urls.event_url(row["slug"])),
            series=series,
            languages=tuple(each["language"] for each in tongues if each["role"] == "floor"),
            interpreted_into=tuple(each["language"] for each in tongues if each["role"] == "interpretation"),
            places=tuple(Place(**_dict(each)) for each in places),
            announcements=self._announcements(key, row["slug"]),
            links=links,
        )

    def _by_session(self, statement: str, ids: Iterable[int]) -> dict[int, list[dict[str, Any]]]:
        found: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)
        for row in self.conn.execute(statement, (json.dumps(list(ids)),)):
            named = _dict(row)
            found[named.pop("session_id")].append(named)
        return found

    def _links(self, owner: str, ids: Iterable[int]) -> dict[int, tuple[Link, ...]]:
        found: defaultdict[int, tuple[Link, ...]] = defaultdict(tuple)
        for row in self.conn.execute(
            f"SELECT {owner} AS owner, rel, url, title FROM link"
            f" WHERE {owner} IN (SELECT value FROM json_each(?)) ORDER BY {owner}, position, id",
            (json.dumps(list(ids)),),
        ):
            found[row["owner"]] += (Link(**_without(row, "owner")),)
        return found

    def _recordings(self, sessions: list[dict[str, Any]]) -> dict[int, tuple[Recording, ...]]:
        rows = self._by_session(_RECORDINGS, [row["id"] for row in sessions])
        ids = [each["id"] for recordings in rows.values() for each in recordings]
        renditions: defaultdict[int, dict[str, File]] = defaultdict(dict)
        for row in self.conn.execute(_RENDITIONS, (json.dumps(ids),)):
            renditions[row["recording_id"]][row["kind"]] = self._file(row["file"], row["media_type"], row["bytes"])
        found: defaultdict[int, tuple[Recording, ...]] = defaultdict(tuple)
        for session in sessions:
            for nth, each in enumerate(rows[session["id"]]):
                found[session["id"]] += (self._recording(session, each, renditions[each["id"]], first=nth == 0),)
        return found

    def _recording(
        self, session: dict[str, Any], row: dict[str, Any], renditions: dict[str, File], *, first: bool
    ) -> Recording:
        return Recording(
            **{name: row[name] for name in ("sha256", "kind", "role", "language", "duration_ms", "credit", "licence")},
            file=renditions.get("web"),
            elsewhere=outside(row["elsewhere"]),
            poster=renditions.get("poster"),
            synthetic_voice=bool(row["synthetic_voice"]),
            pulled_at=row["pulled_at"],
            transcript=self._transcript(session, row, None if first else row["sha256"][:12])
            if row["version"]
            else None,
        )

    def _transcript(self, session: dict[str, Any], row: dict[str, Any], key: str | None) -> Transcript:
        return Transcript(
            version=row["version"],
            language=row["spoken"],
            kind=row["transcript_kind"],
            generator=row["generator"],
            created_at=row["created_at"],
            url=self._url(urls.transcript_url(row["version"])),
            captions=tuple(
                File(
                    url=self._url(urls.captions_url(session["event"], session["slug"], form, key)),
                    media_type=FORMATS[form].media_type,
                )
                for form in WRITERS
            ),
        )


def _dict(row: sqlite3.Row) -> dict[str, Any]:
    return dict(zip(row.keys(), row, strict=True))


def _without(row: sqlite3.Row, *names: str) -> dict[str, Any]:
    return {name: value for name, value in _dict(row).items() if name not in names}
