"""Every address of the site, and of files in it: paths from its root, and the whole address of a path.

Pages, feeds, files for programs and search results all take their links from here, so that a page has one address.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import quote, urlencode

from metadata.times import format_seconds

HOME = "/"
EVENTS = "/events"
SEARCH = "/search"
SEARCH_HELP = "/search/help"
EXPLORE = "/explore"
CORPUS = "/corpus"
SCHEMA = "/schema"
DATA = "/data"
FEED = "feed.atom"
PODCAST = "podcast.rss"
CALENDAR = "calendar.ics"
CHAPTERS = "chapters.json"
COVER = "cover.png"
MANIFEST = "manifest.json"
API = "/api/1"
OPENAPI = f"{API}/openapi.json"
OAI = "/oai"
SITEMAP = "/sitemap.xml"
OPENSEARCH = "/opensearch.xml"
HEALTH = "/-/health"
CITE = "/cite"
VERSION_DIGITS = 8
"""Digits of a version's name that tell it from a session's others."""


def event_url(event: str) -> str:
    """Return the path of an event's page."""
    return f"{EVENTS}/{_part(event)}"


def session_url(event: str, session: str, at_ms: int | None = None, recording: str | None = None) -> str:
    """Return the path of a session's page, of one of its recordings, or of a moment.

    Args:
        event: the event's slug.
        session: the session's slug.
        at_ms: milliseconds into the recording.
        recording: the key of a recording that is not the session's first.
    """
    chosen = {"recording": recording, "t": None if at_ms is None else format_seconds(at_ms)}
    return with_query(f"{event_url(event)}/{_part(session)}", chosen)


def embed_url(event: str, session: str) -> str:
    """Return the path of a session's player, which other sites may frame."""
    return f"/embed/{_part(event)}/{_part(session)}"


def permanent_url(identity: str, version: str | None = None, form: str = "") -> str:
    """Return the path that names a session for good, or a version of a transcript of it: of these moments are named.

    Args:
        identity: the session's.
        version: of a transcript; the first `VERSION_DIGITS` of its name are enough.
        form: how the path ends, for programs: ``.jsonld``.
    """
    return f"{CITE}/{_part(identity)}" + (f"/{_part(version[:VERSION_DIGITS])}{form}" if version else "")


def captions_url(event: str, session: str, form: str, recording: str | None = None) -> str:
    """Return the path of a transcript in a format of captions, by the format's name."""
    return with_query(f"{session_url(event, session)}/captions.{form}", {"recording": recording})


def person_url(person: str) -> str:
    """Return the path of a person's page."""
    return f"/people/{_part(person)}"


def portrait_url(person: str, digest: str) -> str:
    """Return the path of a person's picture, which is another one for another picture."""
    return with_query(f"{person_url(person)}/portrait.jpg", {"v": digest})


def announcement_url(event: str, announcement: str) -> str:
    """Return the path of an announcement on its event's page."""
    return f"{event_url(event)}#announcement-{_part(announcement)}"


def series_url(series: str) -> str:
    """Return the path of the page of a series."""
    return f"/series/{_part(series)}"


def track_url(track: str) -> str:
    """Return the path of the page of a track, by its title."""
    return f"/tracks/{_part(track)}"


def language_url(tag: str) -> str:
    """Return the path of the page of a language, by its BCP-47 tag."""
    return f"/languages/{_part(tag)}"


def media_url(file: str) -> str:
    """Return the path of a recording or rendition, by the name of its file."""
    return f"/media/{_part(file)}"


def transcript_url(version: str) -> str:
    """Return the path of a version of a transcript in the API."""
    return f"{API}/transcripts/{_part(version)}"


def session_data_url(event: str, session: str) -> str:
    """Return the path of a session in the API."""
    return f"{API}/sessions/{_part(event)}/{_part(session)}"


def sitemap_url(kind: str, number: int) -> str:
    """Return the path of a list of pages: of ``sessions`` or other ``pages``, from 1."""
    return f"/sitemaps/{kind}-{number}.xml"


def cover_url(page: str) -> str:
    """Return the path of the picture of the podcast of a page: events and series have their own, others the site's."""
    return beside(page if page.startswith((f"{EVENTS}/", "/series/")) else HOME, COVER)


def beside(page: str, name: str) -> str:
    """Return the path of a file that belongs to a page: its feed, podcast or calendar."""
    return f"{page.rstrip('/')}/{name}"


def with_query(path: str, query: Mapping[str, str | None]) -> str:
    """Return a path with those values of a query that there are."""
    given = urlencode({name: value for name, value in query.items() if value is not None})
    return f"{path}?{given}" if given else path


def absolute(site: str, path: str) -> str:
    """Return the whole address of a path, for a site's own address, which may have a path itself."""
    return site.rstrip("/") + path


@lru_cache(maxsize=16_384)
def _part(text: str) -> str:
    # What is not text (half of a pair of surrogates) has no address: a question mark leads to what is not there.
    return quote(text.encode(errors="replace").decode(), safe="")
