"""The addresses of feeds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from archive import urls
from archive.site.feeds import atom, listings, podcast
from archive.site.feeds.listings import ENTRIES, Listing
from archive.site.http.respond import respond
from archive.site.published import current, search_in
from archive.site.records import Reader
from archive.site.render import argument, not_found
from archive.site.results import read_filters
from archive.site.settings import site_settings


async def feed(datasette: Any, request: Any) -> Any:
    """``/feed.atom``, ``/events/EVENT/feed.atom`` and so on, and the same with ``podcast.rss``."""
    kind, key = request.url_vars["kind"], unquote(request.url_vars["key"] or "")
    name, page = request.url_vars["name"], listings.asked_page(request)
    recorded = name == urls.PODCAST

    def read(reader: Reader) -> Listing | None:
        if kind is None:
            return listings.everything(reader, page, recorded=recorded)
        return listings.listing(reader, kind, key, page, recorded=recorded)

    return await _respond(datasette, request, read, name, page)


async def search_feed(datasette: Any, request: Any) -> Any:
    """``/search/feed.atom?q=…``: the sessions in which something was said, the newest first."""
    query, filters = argument(request, "q"), read_filters(request)
    address = urls.with_query(urls.SEARCH, {"q": query or None, **filters.chosen()})

    def read(reader: Reader) -> Listing:
        search = search_in(datasette, reader.conn)
        results = search.sessions(query, filters, sort="date", limit=ENTRIES)
        return listings.found(reader, results, query or "Search", address)

    return await _respond(datasette, request, read, request.url_vars["name"], 1)


async def _respond(datasette: Any, request: Any, read: Callable[[Reader], Listing | None], name: str, page: int) -> Any:
    settings, database = site_settings(datasette), current(datasette)
    built_at = database.publication.built_at

    def write(conn: Any) -> tuple[bytes, bool] | None:
        listing = read(Reader(conn, settings, built_at))
        if listing is None:
            return None
        address = _address(listing.page, name)
        if name == urls.PODCAST:
            return podcast.write_podcast(
                listing, settings, feed=address, page=page, built_at=built_at
            ), listing.complete
        return atom.write_atom(listing, settings, feed=address, page=page, built_at=built_at), listing.complete

    written = await database.execute_long(write)
    if written is None:
        return await not_found(datasette, request)
    media_type = podcast.MEDIA_TYPE if name == urls.PODCAST else atom.MEDIA_TYPE
    return respond(written[0], media_type, complete=written[1])


def _address(page: str, name: str) -> str:
    path, mark, query = page.partition("?")
    return urls.beside(path, name) + mark + query
