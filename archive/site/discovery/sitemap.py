"""Lists of all pages for search engines, with their videos, and what programs may leave alone.

Sources: https://www.sitemaps.org/protocol.html, RFC 9309 for ``robots.txt``, and for videos
https://developers.google.com/search/docs/crawling-indexing/sitemaps/video-sitemaps.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from lxml import etree

from archive import urls
from archive.site.published import current
from archive.site.records import File, Reader, Recording, Session
from archive.site.render import not_found
from archive.site.respond import respond
from archive.site.settings import SiteSettings, site_settings
from archive.sqlite import sqlite3
from metadata.xml_text import xml_text

NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
VIDEO = "http://www.google.com/schemas/sitemap-video/1.1"
XML = "application/xml; charset=utf-8"
PAGES_A_FILE = 50_000
"""The most that the protocol allows."""
SESSIONS_A_FILE = 10_000
"""A file may have 50 MB, and a session with its video takes about a kilobyte."""

_PAGES = """
SELECT '/' AS path, NULL AS key, NULL AS changed
UNION ALL SELECT '/events', NULL, NULL
UNION ALL SELECT 'event', slug, (SELECT max(updated_at) FROM session WHERE event_id = event.id) FROM event
UNION ALL SELECT 'person', slug, NULL FROM person
UNION ALL SELECT 'series', slug, NULL FROM series
UNION ALL SELECT 'track', track, max(updated_at) FROM session WHERE track <> '' GROUP BY track
"""
_ADDRESSES = {
    "event": urls.event_url,
    "person": urls.person_url,
    "series": urls.series_url,
    "track": urls.track_url,
}


async def sitemap(datasette: Any, request: Any) -> Any:  # noqa: ARG001 one signature for all pages
    """``/sitemap.xml``: where the lists are."""
    settings = site_settings(datasette)

    def read(conn: Any) -> bytes:
        counts = {
            "pages": (_count(conn, f"({_PAGES})"), PAGES_A_FILE),
            "sessions": (_count(conn, "session"), SESSIONS_A_FILE),
        }
        root = etree.Element(f"{{{NAMESPACE}}}sitemapindex", nsmap={None: NAMESPACE})
        for kind, (count, size) in counts.items():
            for nth in range(-(-count // size)):
                entry = etree.SubElement(root, f"{{{NAMESPACE}}}sitemap")
                etree.SubElement(entry, f"{{{NAMESPACE}}}loc").text = settings.absolute(urls.sitemap_url(kind, nth + 1))
        return _written(root)

    return respond(await current(datasette).execute_fn(read), XML)


async def part(datasette: Any, request: Any) -> Any:
    """``/sitemaps/sessions-1.xml`` and ``/sitemaps/pages-1.xml``: a list of pages."""
    kind, nth = request.url_vars["kind"], int(request.url_vars["number"]) - 1
    settings, database = site_settings(datasette), current(datasette)

    def read(conn: Any) -> bytes | None:
        reader = Reader(conn, settings, database.publication.built_at)
        entries = list(_sessions(reader, nth) if kind == "sessions" else _pages(conn, settings, nth))
        root = etree.Element(f"{{{NAMESPACE}}}urlset", nsmap={None: NAMESPACE, "video": VIDEO})
        root.extend(entries)
        return _written(root) if entries else None

    body = await database.execute_long(read)
    return await not_found(datasette, request) if body is None else respond(body, XML)


async def robots(datasette: Any, request: Any) -> Any:  # noqa: ARG001 one signature for all pages
    """``/robots.txt``: what programs that read everything may leave alone."""
    closed = "".join(f"Disallow: {path}\n" for path in (f"{urls.SEARCH}?", urls.EXPLORE, urls.DATA, f"{urls.API}/"))
    lists = f"\nSitemap: {site_settings(datasette).absolute(urls.SITEMAP)}\n"
    return respond(f"User-agent: *\n{closed}{lists}", "text/plain; charset=utf-8")


def _count(conn: sqlite3.Connection, table: str) -> int:
    return int(conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def _pages(conn: sqlite3.Connection, settings: SiteSettings, nth: int) -> Iterator[Any]:
    for row in conn.execute(f"{_PAGES} LIMIT ? OFFSET ?", (PAGES_A_FILE, nth * PAGES_A_FILE)):
        address = _ADDRESSES.get(row["path"])
        yield _entry(settings.absolute(address(row["key"]) if address else row["path"]), row["changed"])


def _sessions(reader: Reader, nth: int) -> Iterator[Any]:
    window = (SESSIONS_A_FILE, nth * SESSIONS_A_FILE)
    for session in reader.sessions("ORDER BY session.id LIMIT ? OFFSET ?", window):
        entry = _entry(session.url, session.updated_at)
        for recording in session.recordings[:1]:
            if recording.kind == "video" and recording.file and recording.poster:
                _add_video(entry, session, recording, recording.file, recording.poster)
        yield entry


def _entry(address: str, changed: str | None) -> Any:
    entry = etree.Element(f"{{{NAMESPACE}}}url")
    etree.SubElement(entry, f"{{{NAMESPACE}}}loc").text = address
    if changed:
        etree.SubElement(entry, f"{{{NAMESPACE}}}lastmod").text = changed
    return entry


def _add_video(entry: Any, session: Session, recording: Recording, file: File, poster: File) -> None:
    values = {
        "thumbnail_loc": poster.url,
        "title": xml_text(session.title)[:100],
        "description": xml_text(session.abstract or f"{session.title}, {session.event.title}")[:2048],
        "content_loc": file.url,
        "duration": str(min(max((recording.duration_ms or 0) // 1000, 1), 28_800)),
        "publication_date": session.start or recording.pulled_at,
        "family_friendly": "yes",
        "live": "no",
    }
    video = etree.SubElement(entry, f"{{{VIDEO}}}video")
    for name, value in values.items():
        etree.SubElement(video, f"{{{VIDEO}}}{name}").text = value


def _written(root: Any) -> bytes:
    return bytes(etree.tostring(root, xml_declaration=True, encoding="utf-8"))
