"""Tags in the head of a page: Open Graph, Twitter cards, reference managers, and links to other forms of it.

Sources: https://ogp.me, https://developer.x.com/en/docs/x-for-websites/cards, and for ``citation_*`` the guidelines of
Google Scholar (https://scholar.google.com/intl/en/scholar/inclusion.html), which Zotero reads as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from archive import urls
from archive.site.feeds import atom, podcast
from archive.site.http.respond import CALENDAR
from archive.site.records import File, Recording, Session
from archive.site.settings import SiteSettings

DESCRIPTION = 300
"""Characters of a description."""


class Tag(NamedTuple):
    """A ``meta`` element: the attribute that names it, its name, and its content."""

    kind: str
    name: str
    content: str


class Alternate(NamedTuple):
    """A ``link`` element."""

    rel: str
    href: str
    type: str
    title: str


def card(
    settings: SiteSettings, *, title: str, path: str, about: str, kind: str = "website", still: File | None = None
) -> Iterator[Tag]:
    """Yield what a social network shows of a page.

    Args:
        settings: for whole addresses.
        title: of the page.
        path: its canonical one.
        about: what it is about.
        kind: of Open Graph.
        still: a picture of it.
    """
    yield Tag("property", "og:site_name", settings.name)
    yield Tag("property", "og:type", kind)
    yield Tag("property", "og:title", title)
    yield Tag("property", "og:description", about[:DESCRIPTION])
    yield Tag("property", "og:url", settings.absolute(path))
    if still:
        yield Tag("property", "og:image", still.url)
        yield Tag("property", "og:image:type", still.media_type)


def cover(settings: SiteSettings, page: str) -> File:
    """Return the picture of a page that has no still of its own: that of its podcast."""
    return File(url=settings.absolute(urls.cover_url(page)), media_type="image/png")


def session_tags(found: Session, settings: SiteSettings) -> Iterator[Tag]:
    """Yield the tags of a session's page."""
    recording = found.played
    kind = "video.other" if recording and recording.kind == "video" else "website"
    about = found.abstract or f"{found.title}, {found.event.title}"
    poster = recording.poster if recording else None
    still = poster or cover(settings, urls.event_url(found.event.slug))
    yield from card(settings, title=found.title, path=found.path, about=about, kind=kind, still=still)
    yield Tag("name", "twitter:card", "summary_large_image" if poster else "summary")
    if recording:
        yield from _media_tags(recording)
    yield from _citation_tags(found)


def _media_tags(recording: Recording) -> Iterator[Tag]:
    if recording.file:
        yield Tag("property", f"og:{recording.kind}", recording.file.url)
        yield Tag("property", f"og:{recording.kind}:type", recording.file.media_type)
    if recording.duration_ms and recording.kind == "video":
        yield Tag("property", "video:duration", str(recording.duration_ms // 1000))


def _citation_tags(found: Session) -> Iterator[Tag]:
    yield Tag("name", "citation_title", found.title)
    for person in found.people:
        if person.role in {"speaker", "author", "reader"}:
            yield Tag("name", "citation_author", person.name)
            if person.affiliation:
                yield Tag("name", "citation_author_institution", person.affiliation)
    if found.day:
        yield Tag("name", "citation_publication_date", found.day.replace("-", "/"))
        yield Tag("name", "citation_date", found.day.replace("-", "/"))
    yield Tag("name", "citation_conference_title", found.event.title)
    if found.language:
        yield Tag("name", "citation_language", found.language)
    if found.track:
        yield Tag("name", "citation_keywords", found.track)
    yield Tag("name", "citation_public_url", found.url)
    yield Tag("name", "citation_abstract_html_url", found.url)
    if any(each.transcript for each in found.recordings):
        yield Tag("name", "citation_fulltext_html_url", found.url)


def feeds(settings: SiteSettings, page: str, title: str) -> Iterator[Alternate]:
    """Yield links to the feeds of a page."""
    for name, media_type in ((urls.FEED, atom.MEDIA_TYPE), (urls.PODCAST, podcast.MEDIA_TYPE)):
        kind = "podcast" if name == urls.PODCAST else "new sessions"
        address = settings.absolute(urls.beside(page, name))
        yield Alternate("alternate", address, media_type.partition(";")[0], f"{title}: {kind}")


def session_links(found: Session, settings: SiteSettings) -> Iterator[Alternate]:
    """Yield links to other forms of a session's page."""
    data = settings.absolute(urls.session_data_url(found.event.slug, found.slug))
    yield Alternate("alternate", urls.beside(found.url, urls.CALENDAR), CALENDAR.partition(";")[0], found.title)
    if not settings.static:
        yield Alternate("alternate", data, "application/json", f"{found.title}: data")
    if found.played:
        yield Alternate(
            "alternate", urls.beside(found.url, urls.MANIFEST), "application/ld+json", f"{found.title}: IIIF"
        )


def event_links(event: str, title: str, settings: SiteSettings) -> Iterator[Alternate]:
    """Yield links to other forms of an event's page."""
    address = settings.absolute(urls.beside(urls.event_url(event), urls.CALENDAR))
    yield Alternate("alternate", address, CALENDAR.partition(";")[0], f"{title}: timetable")


def site_links(settings: SiteSettings) -> Iterator[Alternate]:
    """Yield the links of every page."""
    yield Alternate(
        "search", settings.absolute(urls.OPENSEARCH), "application/opensearchdescription+xml", settings.name
    )
