"""In which file an address of the site lies, and how links lead there.

A page is ``index.html`` in a folder of its own, so that every server answers its address; any other file lies at its
address. Servers pay no heed to what stands behind a question mark. What only says where in a page somebody begins
(``t``, ``q``) is read by the page's scripts; what chooses another page (another recording, another language) is a part
of the file's name: ``/events/e/s?recording=0a1b`` is ``/events/e/s/~recording-0a1b/``.
"""

from __future__ import annotations

import hashlib
import mimetypes
import re
from collections.abc import Container
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import parse_qsl, quote, unquote, urlencode

from archive import urls
from archive.publication.folder import logo_type
from archive.site.feeds.listings import KINDS

CHOOSING = ("day", "language", "page", "recording", "speakers", "style")
"""Parameters that choose another file, in the order in which its name has them."""
_IGNORED = ("lang",)
"""Parameters that choose among what is not in files: the pages have one language."""
MEDIA = "/media/"
ASSETS = "/-/static-plugins/"
LOGO = "/logo"

_OF_A_SESSION = re.compile(r"/(events|embed)/[^/]+/[^/]+(/[^/]+)?")
_FILE = re.compile(r"/(captions\.[a-z-]+|portrait\.jpg|cover\.png|[\w-]+\.(json|atom|rss|ics|txt|xml|html|css))")
_FEED = re.compile(rf"(/({'|'.join(KINDS)})/[^/]+)?/({re.escape(urls.FEED)}|{re.escape(urls.PODCAST)})")
_LONGEST = 200
"""Bytes of a file's name, below what file systems take."""
_FEEDS = {urls.FEED, urls.PODCAST, urls.COVER}

_IN_FILES = re.compile(
    rf"/|/(events|people|places|search)|/({'|'.join(KINDS)})(/[^/]+)?|/(events|embed)/[^/]+/[^/]+(/cite)?|{urls.CITE}/[0-9a-f]{{12}}"
    rf"|(/({'|'.join(KINDS)})/[^/]+)?/({'|'.join(map(re.escape, sorted(_FEEDS)))})"
    r"|/events/[^/]+(/[^/]+)?/calendar\.ics|/people/[^/]+/portrait\.jpg"
    r"|/events/[^/]+/[^/]+/(captions\.[a-z-]+|(words|chapters|manifest|annotations-\d+|cite)\.json|cite\.txt)"
    r"|/logo|/(accent\.css|robots\.txt|sitemap\.xml|opensearch\.xml|404\.html|sitemaps/[a-z]+-\d+\.xml)|/(media|-/static-plugins/rostra)/[^/]+"
)
"""Addresses that files can answer. Others need a program, which asks the database for what somebody thought of."""


class Place(NamedTuple):
    """Where an address lies: the file, by its path in the folder, and the address that leads there on any server."""

    file: str
    link: str


@dataclass(frozen=True)
class Places:
    """The addresses of a site that is written to files.

    Attributes:
        media: the address of a folder that holds what is played, or "" where this folder does.
        played: the names of files that are played; they lie there.
        logo: the name of the file of the archive's logo, which says of which kind it is.
    """

    media: str = ""
    played: Container[str] = ()
    logo: str = "logo"

    def of(self, address: str) -> Place | None:
        """Return where an address lies, a path with its query; None where no file can answer it."""
        whole, mark, fragment = address.partition("#")
        path, _, query = whole.partition("?")
        if not _IN_FILES.fullmatch(path):
            return None
        if path == LOGO:
            return Place(self.logo, f"/{self.logo}?{query}")
        if path.startswith(MEDIA) and self.media and path.removeprefix(MEDIA) in self.played:
            return Place("", self.media.rstrip("/") + "/" + path.removeprefix(MEDIA) + mark + fragment)
        if path.startswith((MEDIA, ASSETS)):
            return Place(unquote(path).lstrip("/"), address)
        given = [pair for pair in parse_qsl(query, keep_blank_values=True) if pair[0] not in _IGNORED]
        chosen = {name: value for name, value in given if value and _chooses(path, name)}
        rest = urlencode([pair for pair in given if pair[0] not in chosen], safe=",")
        file, link = _file(path, "-".join(f"{name}-{chosen[name]}" for name in CHOOSING if name in chosen))
        return Place(file, link + (f"?{rest}" if rest else "") + mark + fragment)


def logo_file(data: bytes) -> str:
    """Return the name of the file of a logo: servers tell by its ending what it is."""
    media_type = logo_type(data) or ""
    return f"logo{mimetypes.guess_extension(media_type) or ''}"


def as_served(path: str) -> str | None:
    """Return the address, where a program answers, of a page that is a file of its own; None if it is no such path.

    >>> as_served("/events/e/s/~language-es-recording-0a1b2c3d4e5f")
    '/events/e/s?language=es&recording=0a1b2c3d4e5f'
    """
    page, mark, variant = path.rstrip("/").rpartition("/~")
    found = re.fullmatch("-?".join(rf"(?:{name}-(?P<{name}>.+?))?" for name in CHOOSING), variant)
    chosen = {name: value for name, value in found.groupdict().items() if value} if mark and found else {}
    return urls.with_query(page, chosen) if chosen else None


def is_page(path: str) -> bool:
    """Return whether a path is one of a page, rather than of a file of another kind."""
    if path.startswith((ASSETS, MEDIA)) or path == LOGO:
        return False
    return not _FILE.fullmatch(path[path.rfind("/") :]) or bool(re.fullmatch(r"/tracks/[^/]+", path))


def _chooses(path: str, name: str) -> bool:
    if name not in CHOOSING:
        return False
    return bool(_FEED.fullmatch(path)) if name == "page" else bool(_OF_A_SESSION.fullmatch(path))


def _file(path: str, variant: str) -> tuple[str, str]:
    """Return the file of a path, and the path that leads to it."""
    folder, own = _safe(path)
    link = "/" + quote(folder) if own else path
    variant = variant if re.fullmatch(r"[\w-]{0,100}", variant, re.ASCII) else _digest(variant)
    if is_page(path):
        end = f"~{variant}/" if variant else ""
        return f"{folder}/{end}index.html".lstrip("/"), f"{link.rstrip('/')}/{end}" if end or own else link
    if not variant:
        return folder, link
    stem, _, suffix = folder.rpartition(".")
    return f"{stem}~{variant}.{suffix}", f"{link.rpartition('.')[0]}~{variant}.{suffix}"


def _safe(path: str) -> tuple[str, bool]:
    """Return the path of a file in the folder, and whether it has a name of its own because none could be so called.

    Servers take an escaped slash for any other, so that names with slashes lie in folders.
    """
    if path == urls.HOME:
        return "", False
    first, *segments = path.strip("/").split("/")
    if all(_can_be_a_name(unquote(segment)) for segment in segments):
        return unquote(path.strip("/")), False
    ending = path[path.rfind("/") :] if _FILE.fullmatch(path[path.rfind("/") :]) else ""
    return f"{first}/~{_digest(path.removesuffix(ending))}{ending}", True


def _can_be_a_name(name: str) -> bool:
    parts = name.split("/")
    if len(parts) > 1 and not _FEEDS.isdisjoint(parts):
        return False  # the page would lie where another's feed does
    return all(
        part not in {"", ".", "..", "index.html"}
        and not part.startswith("~")
        and not any(char in "\\\x7f" or char < " " for char in part)
        and len(part.encode()) <= _LONGEST
        for part in parts
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:16]
