"""Podcast feeds: RSS and Atom whose entries carry a recording (RSS 2.0, ``enclosure``; RFC 4287, 4.2.7.2).

A feed is requested with its last validators (``ETag``, ``Last-Modified``: RFC 9110, section 13), and its last contents
are kept: a feed that has not changed costs one short answer. The catalogue decides which episodes are new, as for any
other file.

Dates and wishes about publication are read as in `metadata.timetables.podcast_rss`. Episodes that share an id are told
apart by the addresses of their recordings, and a remark says so.

An episode's transcripts and chapters (``podcast:transcript`` and ``podcast:chapters``,
https://podcastindex.org/namespace/1.0) are fetched with it. What of these cannot be fetched is named in a remark, and
the recording is pulled all the same.
"""

from __future__ import annotations

import io
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from itertools import islice
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urljoin, urlsplit

import feedparser
import msgspec
from markupsafe import Markup

from metadata.captions import podcast_chapters
from metadata.errors import MetadataError
from metadata.feed_dates import published
from metadata.languages import parse_language
from metadata.model import ExternalId, Link, Person, Release, Role, Session
from metadata.names import distinct_names
from metadata.timetables import podcast_rss
from metadata.timetables.base import Source
from metadata.timetables.plain_xml import Node
from metadata.timetables.podcast_rss import PODCAST, UNTITLED
from metadata.timetables.slugs import make_slug
from pipelines.errors import EnclosureError, FetchError, ItemError
from pipelines.media.files import SUFFIXES
from pipelines.sources.base import (
    CaptionFiles,
    Fetched,
    Found,
    Reached,
    Shelf,
    Unreachable,
    Unusable,
    file_name,
    plain,
    shelf_name,
)
from pipelines.sources.http import Look, WebFile, request
from pipelines.storage.atomic import write_atomic

FEED_BYTES = 64_000_000
"""The largest feed that is read, in bytes."""
CHAPTERS = f"recording{podcast_chapters.FORMAT.suffix}"
"""What the file of an episode's chapters is called."""
TRANSCRIPT_BYTES = 16_000_000
"""The largest transcript that is fetched, in bytes: more than a day of speech with a time for each word."""
PAGES = 200
"""How many pages of a feed are read."""
TRANSCRIPTS = 40
"""How many transcripts of an episode are fetched."""

_MEDIA = ("audio/", "video/")
_ANY_FILE = {
    "", "application/octet-stream", "binary/octet-stream", "application/binary", "application/force-download",
    "application/x-download", "application/download", "application/ogg", "application/mp4", "application/mxf",
}  # fmt: skip
"""Media types that do not say what a file is, or that recordings also have."""
_SUFFIXES = {
    "application/srt": ".srt", "application/x-subrip": ".srt", "text/srt": ".srt",
    "application/json": ".json", "text/json": ".json",
    "text/vtt": ".vtt",
}  # fmt: skip
"""Suffixes of transcripts with times, by media type. The richest format is last, since the last import wins."""
_XML = {"application/rss+xml", "application/atom+xml", "application/xml", "text/xml"}


class _Memory(msgspec.Struct, frozen=True):
    """What is remembered of a feed: its validators, and how often it could not be read."""

    etag: str = ""
    modified: str = ""
    failures: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Episode(WebFile):
    """A recording that a feed names.

    Attributes:
        texts: names for the files of its transcripts and chapters, each with its address.
        doubts: remarks that the user should see.
    """

    texts: tuple[tuple[str, str], ...] = ()
    doubts: tuple[str, ...] = ()

    @contextmanager
    def fetch(self, shelf: Shelf) -> Iterator[Fetched]:
        """Download the recording, and those of its transcripts that can be fetched."""
        # Without arguments, super() would refer to the class that `slots` replaced.
        with super(Episode, self).fetch(shelf) as fetched, self._transcribed(shelf) as (paths, remark):
            yield Fetched(fetched.path, paths, remark)

    @contextmanager
    def fetch_captions(self, shelf: Shelf) -> Iterator[CaptionFiles]:
        """Download the transcripts that can be fetched."""
        with self._transcribed(shelf) as (paths, remark):
            yield CaptionFiles(self.url, paths, remark)

    @contextmanager
    def _transcribed(self, shelf: Shelf) -> Iterator[tuple[tuple[Path, ...], str | None]]:
        folder = shelf.folder / f"{self.shelf_name}.transcripts"
        folder.mkdir(parents=True, exist_ok=True)
        try:
            paths, remarks = [], list(self.doubts)
            for name, url in self.texts:
                try:
                    (folder / name).write_bytes(_text_at(url, shelf))
                    paths.append(folder / name)
                except ItemError as error:
                    what = "chapters" if name == CHAPTERS else "transcript"
                    remarks.append(f"no {what} from {plain(url, 500)}: {error}")
            yield tuple(paths), "; ".join(remarks) or None
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _text_at(url: str, shelf: Shelf) -> bytes:
    response, body = request(url, shelf.settings, {}, limit=min(TRANSCRIPT_BYTES, shelf.settings.max_bytes))
    if response.status_code != HTTPStatus.OK:
        raise FetchError(f"the server answers {response.status_code} {response.reason_phrase}".rstrip())
    return body


def is_feed(seen: Look) -> bool:
    """Whether an address holds a feed, judged by its answer."""
    marked = any(mark in seen.beginning for mark in (b"<rss", b"<feed", b"<rdf:RDF"))
    return marked and (seen.media_type in _XML or not seen.media_type.startswith(_MEDIA))


def is_known(url: str, shelf: Shelf) -> bool:
    """Whether an address was a feed before."""
    return (shelf.folder / f"{shelf_name(url)}.feed").exists()


def find(url: str, shelf: Shelf) -> Iterator[Found]:
    """Yield the episodes of a feed and of the pages that follow it (RFC 5005), each once.

    An episode is known by the address of the first page, as it moves to another one when new ones come. A page that
    cannot be read is an `Unreachable`, and so are those after it.
    """
    shelf.folder.mkdir(parents=True, exist_ok=True)
    page, pages, episodes = url, set[str](), set[str]()
    while page and page not in pages and len(pages) < PAGES:
        pages.add(page)
        note = shelf.folder / f"{shelf_name(page)}.feed.json"
        memory = msgspec.json.decode(note.read_bytes(), type=_Memory) if note.exists() else _Memory()
        try:
            feed = _read(page, shelf, memory)
            found = list(_episodes(url, feed))
        except ItemError as error:
            failures = memory.failures + 1
            write_atomic(note, msgspec.json.encode(msgspec.structs.replace(memory, failures=failures)))
            yield Unreachable(place=page, name=page, stamp=("failed", failures), error=error)
            return
        if memory.failures:
            yield Reached(place=page, name=page, stamp=("read", memory.failures))
        yield from (each for each in found if each.place not in episodes)
        episodes |= {each.place for each in found}
        page = _following(page, feed)


def _following(page: str, feed: Any) -> str:
    """Return the address of the page after a page, "" for none."""
    for link in feed.feed.get("links", ()):
        if link.get("rel") == "next" and link.get("href"):
            try:
                return urljoin(page, str(link["href"]))
            except ValueError:
                return ""
    return ""


def _read(url: str, shelf: Shelf, memory: _Memory) -> Any:
    """Return the parsed feed: its new contents, or the remembered ones if the server says that it has not changed."""
    kept = shelf.folder / f"{shelf_name(url)}.feed"
    known = {"if-none-match": memory.etag, "if-modified-since": memory.modified} if kept.exists() else {}
    conditions = {name: value for name, value in known.items() if value}
    response, body = request(url, shelf.settings, conditions, limit=FEED_BYTES)
    if conditions and response.status_code == HTTPStatus.NOT_MODIFIED:
        return _parse(url, kept.read_bytes())
    if response.status_code != HTTPStatus.OK:
        raise FetchError(f"the server answers {response.status_code} {response.reason_phrase}".rstrip())
    feed = _parse(url, body)
    write_atomic(kept, body)
    headers = response.headers
    now_known = _Memory(headers.get("etag", ""), headers.get("last-modified", ""), memory.failures)
    write_atomic(kept.with_suffix(".feed.json"), msgspec.json.encode(now_known))
    return feed


def _parse(url: str, body: bytes) -> Any:
    # A stream, since feedparser would open a text that looks like an address or a path.
    feed = feedparser.parse(io.BytesIO(body), response_headers={"content-location": url})
    if not feed.get("version"):  # of nothing at all it does not even say that
        raise FetchError("it is no feed that can be read")
    # feedparser keeps only the last of several elements with one name.
    known = list(_by_entry(url, body))
    if len(known) == len(feed.entries):
        for entry, more in zip(feed.entries, known, strict=True):
            entry.update(more)
    return feed


def _by_entry(url: str, body: bytes) -> Iterator[dict[str, Any]]:
    """Yield what is known of every entry of a feed that is sound XML, in order, beyond what feedparser keeps.

    That is its transcripts and chapters, its licence, its wish about publication, when it was, and its session, as
    `metadata.timetables.podcast_rss` reads them.
    """
    source = Source(url, body)
    try:
        root = source.xml
        told = podcast_rss.read(source) if podcast_rss.detect(source) else None
    except MetadataError:
        return
    if root is None:
        return
    channels = [child for child in root.children if child.tag.rpartition("}")[2] == "channel"]
    items = [
        (node, parent)
        for parent in (*channels, root)
        for node in parent.children
        if node.tag.rpartition("}")[2] in {"item", "entry"}
    ]
    sessions = told.events[0].sessions if told else ()
    for nth, (node, parent) in enumerate(items):
        session = sessions[nth] if len(sessions) == len(items) else None
        people = session.people if session and podcast_rss.names_people(node, parent) else ()
        yield {
            "transcripts": _transcripts_of(node, url),
            "chapters": _chapters_of(node, url),
            "licence": podcast_rss.licence(node, parent),
            "wish": podcast_rss.release_wish(node, parent),
            "when": podcast_rss.when(node, parent),
            "told": session,
            "people": people,
        }


def _chapters_of(entry: Node, url: str) -> tuple[tuple[str, str], ...]:
    return tuple((CHAPTERS, address) for _, address in islice(_named(entry, url, "chapters"), 1))


def _named(entry: Node, url: str, kind: str) -> Iterator[tuple[Node, str]]:
    """Yield the elements of an entry that name a file, of one kind of the ``podcast:`` namespace, with its address."""
    for node in (node for name in PODCAST for node in entry.all(f"{name}{kind}")):
        try:
            address = urljoin(url, node.attributes.get("url", "").strip())
        except ValueError:
            continue
        if address != url:
            yield node, address


def _transcripts_of(entry: Node, url: str) -> tuple[tuple[str, str], ...]:
    found: dict[str, tuple[str, str]] = {}
    for node, address in _named(entry, url, "transcript"):
        suffix = _SUFFIXES.get(node.attributes.get("type", "").partition(";")[0].strip().lower())
        if suffix:
            found.setdefault(address, (suffix, _language(node.attributes.get("language")) or ""))
    best_last = sorted(found.items(), key=lambda each: list(_SUFFIXES.values()).index(each[1][0]))
    named: dict[str, str] = {}
    for address, (suffix, language) in best_last[-TRANSCRIPTS:]:
        middle = f".{language}" if language else ""
        number = sum(name.endswith(f"{middle}{suffix}") for name in named)
        named[f"recording{f'-{number + 1}' if number else ''}{middle}{suffix}"] = address
    return tuple(named.items())


def _episodes(url: str, feed: Any) -> Iterator[Found]:
    """Yield the entries that carry a file, in the feed's order: as `Unusable` where the file cannot be a recording."""
    counts = Counter(_id(entry) for entry in feed.entries if _enclosures(entry))
    seen: set[str] = set()
    for entry in feed.entries:
        enclosures = _enclosures(entry)
        if not enclosures:
            continue
        usable = [each for each in enclosures if _may_be_media(each)]
        enclosure = (usable or enclosures)[0]
        shared = counts[_id(entry)] > 1
        key = plain(f"{_id(entry)}#{enclosure['href']}" if shared else _id(entry), 2_000)
        if key not in seen:
            seen.add(key)
            doubts = [f"{counts[_id(entry)]} episodes share the id {_id(entry)[:80]!r}"] if shared else []
            about, more = _about(entry, feed.feed, _id(entry) if not shared else None)
            found = _episode(url, entry, enclosure, key, about, (*doubts, *more))
            yield found if usable else _unusable(found, enclosure)


def _id(entry: Any) -> str:
    """Return the id of an entry, or the address of its first file where it has no id."""
    return plain(entry.get("id") or next((each["href"] for each in _enclosures(entry)), ""), 2_000)


def _enclosures(entry: Any) -> list[Any]:
    """Return the files of an entry, also those of Media RSS (https://www.rssboard.org/media-rss)."""
    named = [each for each in entry.get("enclosures", ()) if each.get("href")]
    media = [{**each, "href": each["url"]} for each in entry.get("media_content", ()) if each.get("url")]
    return named or [each for each in media if each.get("medium") not in {"image", "document", "executable"}]


def _may_be_media(enclosure: Any) -> bool:
    """Whether a file may be a recording, judged by its media type or its name. Its content decides later."""
    media_type = (enclosure.get("type") or "").partition(";")[0].strip().lower()
    if media_type.startswith(_MEDIA) or _suffix(enclosure["href"]) in SUFFIXES:
        return True
    return media_type in _ANY_FILE or "/" not in media_type  # such as "mp3"


def _suffix(address: str) -> str:
    try:
        return PurePosixPath(urlsplit(address).path).suffix.lower()
    except ValueError:
        return ""


def _episode(url: str, entry: Any, enclosure: Any, key: str, about: Session, doubts: tuple[str, ...]) -> Episode:
    address, length = enclosure["href"], str(enclosure.get("length") or enclosure.get("filesize") or "")
    transcripts = entry.get("transcripts", ())
    # Chapters are no part of the stamp: for them alone, no recording comes again.
    return Episode(
        place=f"{url}#{key}",
        name=file_name(f"{about.title.replace('/', '-')}{_suffix(address)}"),
        stamp=(address, length, *(where for _, where in transcripts)),
        bytes=int(length) if length.isdecimal() and len(length) < 16 and int(length) else None,
        about=about,
        licence=plain(entry.get("licence") or "", 500) or None,
        url=address,
        texts=(*entry.get("chapters", ()), *transcripts),
        doubts=doubts,
    )


def _unusable(found: Episode, enclosure: Any) -> Unusable:
    media_type = plain(enclosure.get("type") or "", 100)
    error = EnclosureError(f"its file is {media_type!r}, and its name does not end as a recording's does")
    return Unusable(place=found.place, name=found.name, stamp=(*found.stamp, media_type), error=error)


def _about(entry: Any, feed: Any, guid: str | None) -> tuple[Session, tuple[str, ...]]:
    """Return an episode's session and the remarks about it; ``guid`` is its id, where no other episode has it."""
    read: Session | None = entry.get("told")
    named = read.title if read and read.title != UNTITLED else _text(entry.get("title"), 500)
    title = plain(named, 500) or _text(feed.get("title"), 500) or "Episode"
    abstract = plain(read.abstract or "", 20_000) if read else _text(entry.get("summary"), 20_000)
    page = entry.get("link", "")
    when = entry.get("when") or published(entry.get("published") or entry.get("updated"))
    wish = entry.get("wish")
    about = Session(
        slug=make_slug(title),
        title=title,
        start=when.start,
        day=when.day,
        language=read.language if read else _language(feed.get("language")),
        abstract=abstract or None,
        people=entry.get("people") or tuple(Role(person=Person(name=name)) for name in _people(entry)),
        links=(Link(rel="website", url=page),) if urlsplit(page).scheme in {"http", "https"} else (),
        external_ids=(ExternalId(scheme="guid", value=guid),) if guid else (),
        release=Release(state="private", reason=wish) if wish else None,
    )
    told = (plain(when.doubt, 300) if when.doubt else None, f"{wish}: private" if wish else None)
    return about, tuple(filter(None, told))


def _people(entry: Any) -> list[str]:
    """Return the authors' names as they are written, each once."""
    names = [_text(author.get("name"), 200) for author in entry.get("authors", ())[:20]]
    return list(distinct_names(names))


def _text(value: Any, limit: int) -> str:
    """Return the words of a text that may be HTML."""
    return plain(Markup(str(value or "")[: limit * 4]).striptags(), limit)  # noqa: S704  # its tags are taken out


def _language(value: Any) -> str | None:
    try:
        return parse_language(str(value)) if value else None
    except MetadataError:
        return None
