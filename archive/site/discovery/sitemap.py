"""Lists of all pages for search engines, with their videos, and what programs may leave alone.

Sources: https://www.sitemaps.org/protocol.html, RFC 9309 for ``robots.txt``, and for videos
https://developers.google.com/search/docs/crawling-indexing/sitemaps/video-sitemaps.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from lxml import etree

from archive import urls
from archive.site.http.respond import respond
from archive.site.published import current
from archive.site.records import File, Reader, Recording, Session
from archive.site.render import not_found
from archive.site.settings import SiteSettings, site_settings
from archive.sqlite import sqlite3
from metadata.xml_text import xml_title

NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
VIDEO = "http://www.google.com/schemas/sitemap-video/1.1"
XML = "application/xml; charset=utf-8"
SIZES = {"pages": 50_000, "sessions": 10_000}
"""How many entries a file has. The protocol allows 50,000 and 50 MB; a session with its video takes about 1 kB."""
LONGEST = 2_048
"""Characters that an address in a list must stay below: that of a track has its title in it."""

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
    return respond(await current(datasette).execute_fn(lambda conn: list_of_lists(conn, settings)), XML)


async def part(datasette: Any, request: Any) -> Any:
    """``/sitemaps/sessions-1.xml`` and ``/sitemaps/pages-1.xml``: a list of pages."""
    kind, nth = request.url_vars["kind"], int(request.url_vars["number"]) - 1
    settings, database = site_settings(datasette), current(datasette)

    def read(conn: Any) -> bytes | None:
        return list_of_pages(Reader(conn, settings, database.publication.built_at), kind, nth)

    body = await database.execute_long(read)
    return await not_found(datasette, request) if body is None else respond(body, XML)


async def robots(datasette: Any, request: Any) -> Any:  # noqa: ARG001 one signature for all pages
    """``/robots.txt``: what programs that read everything may leave alone."""
    settings = site_settings(datasette)
    paths = (f"{urls.SEARCH}?", urls.EXPLORE, urls.DATA, f"{urls.API}/")
    closed = "".join(f"Disallow: {settings.base}{path}\n" for path in paths)
    lists = f"\nSitemap: {settings.absolute(urls.SITEMAP)}\n"
    return respond(f"User-agent: *\n{closed}{lists}", "text/plain; charset=utf-8")


def list_of_lists(conn: sqlite3.Connection, settings: SiteSettings, sizes: Mapping[str, int] = SIZES) -> bytes:
    """Return the index of the lists, each with as many entries as ``sizes`` says for its kind."""
    counts = {"pages": _count(conn, f"({_PAGES})"), "sessions": _count(conn, "session")}
    root = etree.Element(f"{{{NAMESPACE}}}sitemapindex", nsmap={None: NAMESPACE})
    for kind, count in counts.items():
        for nth in range(-(-count // sizes[kind])):
            entry = etree.SubElement(root, f"{{{NAMESPACE}}}sitemap")
            etree.SubElement(entry, f"{{{NAMESPACE}}}loc").text = settings.absolute(urls.sitemap_url(kind, nth + 1))
    return _written(root)


def list_of_pages(reader: Reader, kind: str, nth: int, sizes: Mapping[str, int] = SIZES) -> bytes | None:
    """Return the list of a kind with a number from 0, or None where it would be empty."""
    window = (sizes[kind], nth * sizes[kind])
    entries = list(_sessions(reader, window) if kind == "sessions" else _pages(reader, window))
    root = etree.Element(f"{{{NAMESPACE}}}urlset", nsmap={None: NAMESPACE, "video": VIDEO})
    root.extend(entries)
    return _written(root) if entries else None


def _count(conn: sqlite3.Connection, table: str) -> int:
    return int(conn.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def _pages(reader: Reader, window: tuple[int, int]) -> Iterator[Any]:
    for row in reader.conn.execute(f"{_PAGES} LIMIT ? OFFSET ?", window):
        address = _ADDRESSES.get(row["path"])
        whole = reader.settings.absolute(address(row["key"]) if address else row["path"])
        if len(whole) < LONGEST:
            yield _entry(whole, row["changed"])


def _sessions(reader: Reader, window: tuple[int, int]) -> Iterator[Any]:
    for session in reader.sessions("ORDER BY session.id LIMIT ? OFFSET ?", window):
        entry = _entry(session.url, session.updated_at)
        if (played := session.played) and played.kind == "video" and played.file and played.poster:
            _add_video(entry, session, played, played.file, played.poster)
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
        "title": _cut(xml_title(session.title, session.slug), 100),
        "description": _cut(xml_title(session.abstract, f"{session.title}, {session.event.title}"), 2048),
        "content_loc": file.url,
        "duration": str(min(max((recording.duration_ms or 0) // 1000, 1), 28_800)),
        "publication_date": session.start or recording.pulled_at,
        "family_friendly": "yes",
        "live": "no",
    }
    video = etree.SubElement(entry, f"{{{VIDEO}}}video")
    for name, value in values.items():
        etree.SubElement(video, f"{{{VIDEO}}}{name}").text = value


def _cut(text: str, most: int) -> str:
    """Return the beginning of a text that nobody counts as longer, whether in characters or, as most do, in UTF-16."""
    return text.encode("utf-16-le", "ignore")[: 2 * most].decode("utf-16-le", "ignore")


def _written(root: Any) -> bytes:
    return bytes(etree.tostring(root, xml_declaration=True, encoding="utf-8"))
