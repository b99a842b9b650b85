"""What a page says of itself to programs, by its address: one kind of page, one function."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import unquote

import msgspec
from markupsafe import Markup

from archive import urls
from archive.site.discovery import schema_org, tags
from archive.site.discovery.tags import Alternate, Tag
from archive.site.feeds.listings import KINDS
from archive.site.labels import language
from archive.site.records import File, Reader

MAX_SESSIONS = 500
"""Sessions that an event's linked data name."""


@dataclass(frozen=True)
class About:
    """What stands in the head of a page."""

    tags: tuple[Tag, ...] = ()
    links: tuple[Alternate, ...] = ()
    things: tuple[dict[str, Any], ...] = field(default=())

    @property
    def data(self) -> Markup | None:
        """The linked data as JSON that may stand in HTML: no text in it can end the element."""
        if not self.things:
            return None
        text = msgspec.json.encode({"@context": schema_org.CONTEXT, "@graph": self.things}).decode()
        for char in "<>&\u2028\u2029":
            text = text.replace(char, f"\\u{ord(char):04x}")
        return Markup(text)  # noqa: S704  # nothing in it is markup any more


def _home(reader: Reader, _: Mapping[str, str]) -> About:
    settings = reader.settings
    about = f"Recorded sessions of {settings.name}, searchable by what was said in them."
    return _about(reader, settings.name, urls.HOME, about, [schema_org.site(settings)])


def _session(reader: Reader, named: Mapping[str, str]) -> About | None:
    found = reader.session(named["event"], named["session"])
    if found is None:
        return None
    way = (("Events", urls.EVENTS), (found.event.title, urls.event_url(found.event.slug)), (found.title, found.path))
    settings = reader.settings
    return About(
        tuple(tags.session_tags(found, settings)),
        (
            *tags.site_links(settings),
            *tags.session_links(found, settings),
            *tags.feeds(settings, urls.event_url(found.event.slug), found.event.title),
        ),
        (schema_org.session(found, reader), schema_org.breadcrumbs(settings, *way)),
    )


def _event(reader: Reader, named: Mapping[str, str]) -> About | None:
    found = reader.event(named["event"])
    if found is None:
        return None
    sessions = reader.sessions(
        "WHERE event.slug = ? ORDER BY session.start_utc, session.position LIMIT ?", (found.slug, MAX_SESSIONS)
    )
    path = urls.event_url(found.slug)
    things = [
        schema_org.event(found, sessions),
        schema_org.breadcrumbs(reader.settings, ("Events", urls.EVENTS), (found.title, path)),
    ]
    about = found.description or found.subtitle or f"Timetable and recordings of {found.title}."
    described = _about(reader, found.title, path, about, things)
    return replace(described, links=(*described.links, *tags.event_links(found.slug, found.title, reader.settings)))


def _person(reader: Reader, named: Mapping[str, str]) -> About | None:
    found = reader.person(named["person"])
    if found is None:
        return None
    path = urls.person_url(found.slug)
    things = [schema_org.person(found), schema_org.breadcrumbs(reader.settings, (found.name, path))]
    about = found.biography or f"Sessions with {found.name}."
    return _about(reader, found.name, path, about, things, "profile", found.portrait)


def _listing(kind: str) -> Callable[[Reader, Mapping[str, str]], About | None]:
    """Return what describes a page that lists the sessions of a series, track or language."""

    def describe(reader: Reader, named: Mapping[str, str]) -> About | None:
        of = KINDS[kind]
        known = reader.conn.execute(of.thing, (named["key"],)).fetchone()
        if known is None:
            return None
        title = language(known["title"]) if kind == "languages" else known["title"]
        path = of.path(named["key"])
        things = [schema_org.breadcrumbs(reader.settings, (title, path))]
        return _about(reader, title, path, known["description"] or f"Sessions: {title}.", things)

    return describe


def _about(
    reader: Reader,
    title: str,
    path: str,
    about: str,
    things: Iterable[dict[str, Any]],
    kind: str = "website",
    still: File | None = None,
) -> About:
    settings = reader.settings
    still = still or tags.cover(settings, path)
    return About(
        (
            *tags.card(settings, title=title, path=path, about=about, kind=kind, still=still),
            Tag("name", "twitter:card", "summary"),
        ),
        (*tags.site_links(settings), *tags.feeds(settings, path, title)),
        tuple(things),
    )


_PAGES: tuple[tuple[str, Callable[[Reader, Mapping[str, str]], About | None]], ...] = (
    (r"/$", _home),
    (r"/events/(?P<event>[^/]+)$", _event),
    (r"/events/(?P<event>[^/]+)/(?P<session>[^/]+)$", _session),
    (r"/people/(?P<person>[^/]+)$", _person),
    *((rf"/{kind}/(?P<key>[^/]+)$", _listing(kind)) for kind in ("series", "tracks", "languages")),
)


def about_page(reader: Reader, path: str) -> About:
    """Return what the page at a path says of itself; little, where it is of no kind that has more."""
    for pattern, describe in _PAGES:
        if match := re.match(pattern, path):
            named = {name: unquote(value) for name, value in match.groupdict().items()}
            return describe(reader, named) or About()
    return About(links=tuple(tags.site_links(reader.settings)))
