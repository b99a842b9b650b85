"""Atom feeds (RFC 4287), in pages (RFC 5005)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from feedgen.entry import FeedEntry
from feedgen.ext.base import BaseEntryExtension, BaseExtension
from feedgen.feed import FeedGenerator
from lxml import etree

from archive import urls
from archive.search.results import SessionResult
from archive.site.feeds.credits import NAMESPACE as PODCAST
from archive.site.feeds.credits import add_people
from archive.site.feeds.listings import Listing, how_found
from archive.site.labels import duration, outside, role
from archive.site.records import Credit, Session
from archive.site.settings import SiteSettings
from metadata.feed_dates import DATED, GENERATOR
from metadata.xml_text import xml_text, xml_title

NAMESPACE = "http://www.w3.org/2005/Atom"
MEDIA_TYPE = "application/atom+xml; charset=utf-8"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


TERMS = {"dcterms": DATED[1:].partition("}")[0]}
"""The namespace of `metadata.feed_dates.DATED`, by its usual name."""


def write_atom(listing: Listing, settings: SiteSettings, *, feed: str, page: int, built_at: str) -> bytes:
    """Return an Atom feed.

    Args:
        listing: what it is of.
        settings: for whole addresses.
        feed: the path of the feed itself, with its query but for the page.
        page: which page of it this is, from 1.
        built_at: when a feed without entries last changed, ISO 8601.
    """
    made = FeedGenerator()
    made.id(settings.absolute(feed))
    title = xml_title(listing.title, settings.name)
    made.title(title)
    made.subtitle(xml_title(listing.description, f"Sessions of {title}"))
    made.author(name=xml_title(settings.name), uri=settings.absolute(urls.HOME))
    made.generator(GENERATOR)
    made.updated(listing.updated(built_at))
    made.language(listing.language or "en")
    made.link(href=settings.absolute(listing.page), rel="alternate", type="text/html")
    for link in paging(listing, settings, feed, page):
        made.link(**link, type="application/atom+xml")
    if settings.hub:
        made.link(href=settings.hub, rel="hub")
    made.register_extension("more", _Names, _More, rss=False)
    for session, result in listing.entries:
        _add_entry(made, session, result, settings)
    return bytes(made.atom_str(pretty=True))


def paging(listing: Listing, settings: SiteSettings, feed: str, page: int) -> Iterator[dict[str, str]]:
    """Yield the links of a page of a feed: to itself, and to those before and after it (RFC 5005, section 3)."""
    yield {"rel": "self", "href": settings.absolute(_paged(feed, page))}
    if page > 1:
        yield {"rel": "first", "href": settings.absolute(feed)}
        yield {"rel": "previous", "href": settings.absolute(_paged(feed, page - 1))}
    if listing.more:
        yield {"rel": "next", "href": settings.absolute(_paged(feed, page + 1))}


def _paged(feed: str, page: int) -> str:
    return feed if page == 1 else f"{feed}{'&' if '?' in feed else '?'}page={page}"


class _Names(BaseExtension):  # type: ignore[misc]  # feedgen has no types
    """The namespaces in which a feed says when a session was, and who did what in it."""

    def extend_ns(self) -> dict[str, str]:
        return {"podcast": PODCAST, **TERMS}


class _More(BaseEntryExtension):  # type: ignore[misc]  # feedgen has no types
    """What feedgen 1.0 does not write of an entry: its links whole, its language and day, and who does what in it."""

    def __init__(self) -> None:
        self.links: list[dict[str, str]] = []
        self.language: str | None = None
        self.dated: str | None = None
        self.people: tuple[Credit, ...] = ()

    def extend_atom(self, entry: Any) -> Any:
        if self.language:
            entry.set(_LANG, self.language)
        if self.dated:
            etree.SubElement(entry, DATED).text = self.dated
        add_people(entry, self.people)
        for link in self.links:
            etree.SubElement(entry, f"{{{NAMESPACE}}}link", link)
        return entry


def _add_entry(made: FeedGenerator, session: Session, result: SessionResult | None, settings: SiteSettings) -> None:
    entry: FeedEntry = made.add_entry(order="append")
    entry.id(session.permanent_url)
    entry.title(xml_title(session.title, session.slug))
    entry.updated(session.updated)
    if starts := session.starts:
        entry.published(starts)
    entry.more.dated = session.start or session.day
    entry.link(href=session.url)
    entry.more.language = session.language or next((each.language for each in session.recordings), None)
    if (played := session.played) and (file := played.file):
        enclosure = {"rel": "enclosure", "href": file.url, "type": file.media_type, "length": str(file.bytes or 0)}
        entry.more.links.append(enclosure)
    for link in session.links:
        if address := outside(link.url):
            title = {"title": xml_text(link.title)} if link.title else {}
            entry.more.links.append({"rel": "related", "href": xml_text(address), **title})
    entry.more.people = session.people
    for person in session.people:
        add = entry.contributor if person.role == "interpreter" else entry.author
        add(name=xml_title(person.name, person.slug), uri=person.url)
    for term in filter(None, map(xml_title, (session.track, session.event.title, session.kind))):
        entry.category(term=term)
    if result:
        entry.category(term=result.match, scheme=settings.absolute(urls.SEARCH_HELP))
    entry.summary(_summary(session, result))


def _summary(session: Session, result: SessionResult | None) -> str:
    lasted = max((each.duration_ms or 0 for each in session.recordings), default=0)
    recorded = f"Recorded, {duration(lasted)}" if lasted else None
    facts = (xml_text(session.event.title), role(session.kind), recorded)
    found = xml_text(how_found(result)) if result else None
    return "\n\n".join(filter(None, (found, xml_text(session.abstract), " · ".join(filter(None, facts)))))
