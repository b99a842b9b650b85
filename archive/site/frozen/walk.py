"""The site's pages and files, as the site itself answers them, with links that lead from file to file."""

from __future__ import annotations

import html
import json
import re
from collections import deque
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx

from archive import urls
from archive.errors import ArchiveError
from archive.publication.folder import SiteNames
from archive.site import links
from archive.site.app import create_app
from archive.site.frozen.places import ASSETS, CHOOSING, MEDIA, Places, is_page
from archive.site.settings import LOCAL_URL, SiteSettings

SEEDS = (
    urls.HOME, urls.EVENTS, "/people", "/series", "/tracks", "/languages", "/places", urls.SEARCH, "/robots.txt",
    urls.SITEMAP, urls.OPENSEARCH, f"/{urls.FEED}", f"/{urls.PODCAST}",
)  # fmt: skip
"""Where the walk begins: what the first page does not lead to, and the list of all pages."""
NOT_FOUND = "404.html"
"""What hosts show at addresses of nothing."""
STYLES = ("apa", "mla", "chicago", "bibtex", "ris", "csl")
CITATIONS = "cite.json"
"""What a page that names it needs to cite a moment without a program: each style as it is written of the whole, of a
moment and of a clip. The times in it are no recording's, so that a script can put others in their place."""
MOMENT, CLIP = "359998", "359998,359999"
LINKED = ("text/html", "application/xml", "application/json", "application/ld+json", "application/atom+xml",
          "application/rss+xml", "application/opensearchdescription+xml")  # fmt: skip
"""Media types of texts that lead to other addresses of the site."""
_SESSION = re.compile(r"/events/[^/]+/[^/.]+")


class File(NamedTuple):
    """A file of the site, by its path in the folder; of a session's page, ``session`` is its address, else ""."""

    name: str
    data: bytes
    session: str = ""


@dataclass
class Walk:
    """A walk through the site.

    Attributes:
        public: the published folder.
        names: what the site calls itself.
        places: where its addresses lie.
        language: of the pages, BCP-47.
        gone: addresses that answer that something was withdrawn.
        missing: addresses that pages lead to, and that answer nothing.
    """

    public: Path
    names: SiteNames
    places: Places
    language: str
    gone: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    _known: set[str] = field(default_factory=set)
    _waiting: deque[str] = field(default_factory=deque)

    @property
    def settings(self) -> SiteSettings:
        """The site's, as its pages know them."""
        return SiteSettings(self.names.title or None, (self.names.url or LOCAL_URL).rstrip("/"), static=True)

    async def files(self, more: Iterable[str] = ()) -> AsyncIterator[File]:
        """Yield every file of the site but for media.

        Args:
            more: addresses that no page leads to.

        Raises:
            ArchiveError: a page could not be made.
        """
        names = self.names
        datasette: Any = create_app(
            self.public,
            title=names.title,
            url=names.url,
            hub=names.hub,
            contact=names.contact,
            accent=names.accent,
            logo=names.logo,
            static=True,
            media=self.places.media,
        )
        transport = httpx.ASGITransport(app=datasette.app())
        spoken = {"accept-language": self.language, "accept-encoding": "identity"}
        try:
            async with httpx.AsyncClient(transport=transport, base_url="http://site", headers=spoken) as client:
                for address in (*SEEDS, *more):
                    self._note(address)
                while self._waiting:
                    async for file in self._answer(client, self._waiting.popleft()):
                        yield file
                missing = await client.get(f"/{NOT_FOUND}")
                yield File(NOT_FOUND, self._rewritten(missing.content, f"/{NOT_FOUND}"))
        finally:
            datasette.executor.shutdown()

    def _note(self, address: str) -> None:
        """Put an address on the way, unless it was there already, or has no file of ours."""
        address = address.partition("#")[0] or urls.HOME
        place = self.places.of(address)
        if place is None or not place.file or address.startswith(MEDIA) or place.file in self._known:
            return
        self._known.add(place.file)
        self._waiting.append(address)

    async def _answer(self, client: httpx.AsyncClient, address: str) -> AsyncIterator[File]:
        path, place = address.partition("?")[0], self.places.of(address)
        if place is not None and path.endswith(f"/{CITATIONS}"):  # which no program answers
            yield File(place.file, await self._citations(client, address.replace(f"/{CITATIONS}", "", 1)))
            return
        answer = await client.get(address)
        if answer.has_redirect_location and place is not None:
            base = self.settings.base
            yield File(place.file, _leading_on(self._link(answer.headers["location"].removeprefix(base), base)))
            return
        if answer.status_code == HTTPStatus.GONE:
            self.gone.append(path)
        elif answer.status_code == HTTPStatus.NOT_FOUND:
            self.missing.append(address)
            return
        elif answer.status_code != HTTPStatus.OK:
            raise ArchiveError(f"the page {address} could not be made (status {answer.status_code})")
        kind, data = answer.headers.get("content-type", ""), answer.content
        page = kind.startswith("text/html")
        if page != is_page(path) or place is None:
            raise ArchiveError(f"the page {address} is not what its address says ({kind})")
        if kind.startswith(LINKED) and not path.startswith(ASSETS):
            data = self._rewritten(data, address if page else None)
        recorded = b'<dialog id="share"' in data and "language=" not in address
        of_session = bool(_SESSION.fullmatch(path)) and answer.status_code == HTTPStatus.OK and page
        yield File(place.file, data, path if of_session else "")
        if recorded:
            self._note(address.replace("/events/", "/embed/", 1))

    def _rewritten(self, data: bytes, page: str | None) -> bytes:
        """Return a text whose links lead from file to file; what it leads to is on the way.

        Args:
            data: the text.
            page: its address, if it is a page, whose links may have no host, or nothing but a query.
        """
        text, base = data.decode(), self.settings.base
        whole = re.compile(r"(?<=[\"'>])" + re.escape(self.settings.url) + r"(/(?:\\u0026|[^\s\"'<>\\])*|)(?=[\"'<])")
        text = whole.sub(lambda found: self._whole(found[1]), text)
        if page is not None:
            text = links.rewrite(text, lambda path: html.escape(self._link(html.unescape(path)[len(base) :], base)))
            text = links.rewrite_queries(text, lambda query: html.escape(self._same(page, html.unescape(query), base)))
        return text.encode()

    def _whole(self, rest: str) -> str:
        """Return the whole address of a file, for the whole address of what it is; written as in HTML, XML or JSON."""
        if "\\u0026" in rest:  # as JSON in a page writes it
            return self._link(rest.replace("\\u0026", "&"), self.settings.url).replace("&", "\\u0026")
        link = self._link(html.unescape(rest), self.settings.url)
        return html.escape(link) if "&amp;" in rest else link

    def _link(self, path: str, base: str) -> str:
        self._note(path)
        place = self.places.of(path or "/")
        link = place.link if place and path else path
        return link if "://" in link else base + link

    def _same(self, page: str, query: str, base: str) -> str:
        """Return a link from a page to itself with another query: to another file, where the query chooses one."""
        if not any(f"{name}=" in query for name in CHOOSING):
            return query
        path, here = page.partition("?")[0], self.places.of(page)
        there = self.places.of(path + query)
        if here and there and here.file == there.file:
            return "?" + there.link.partition("?")[2]
        return self._link(path + query, base)

    async def _citations(self, client: httpx.AsyncClient, address: str) -> bytes:
        path, mark, query = address.partition("?")
        said = {}
        for style in STYLES:
            texts = []
            for moment in ("", MOMENT, CLIP):
                asked = f"{path}/cite.txt?style={style}{'&t=' + moment if moment else ''}{'&' + query if mark else ''}"
                texts.append((await client.get(asked)).text)
            said[style] = texts
        return json.dumps(said, ensure_ascii=False).encode()


def _leading_on(location: str) -> bytes:
    """Return a page that leads to another one, as a permanent address does."""
    link = html.escape(location)
    head = (
        f'<!DOCTYPE html><meta charset="utf-8"><title>{link}</title><meta http-equiv="refresh" content="0; url={link}">'
    )
    return f'{head}<a href="{link}">{link}</a>\n'.encode()


def address_of(event: str, session: str | None) -> str:
    """Return the address at which something was withdrawn."""
    return urls.session_url(event, session) if session else urls.event_url(event)


def quoted(path: str) -> str:
    """Return the address of a file in the folder."""
    return "/" + quote(path.removesuffix("index.html"))
