"""Announcements from organisers' feeds: RSS and Atom (RFC 4287) by feedparser, and JSON Feed 1.1.

A feed is hostile: what it says becomes plain text, cut at a length, and its addresses are the web's or none.
Source of JSON Feed: https://www.jsonfeed.org/version/1.1/
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

import feedparser
import msgspec

from archive.catalogue.announcements import Announced, Item, apply_feed, proposed_slug
from archive.catalogue.rows import touch
from archive.connection import transaction
from archive.index.tokens import words
from metadata.errors import MetadataError
from metadata.feed_dates import published
from metadata.languages import parse_language
from metadata.model import Announcement
from metadata.times import parse_date
from metadata.timetables.html_text import html_to_text
from pipelines.errors import SourceError
from pipelines.exchange.places import read_place
from pipelines.sources.base import plain
from pipelines.sources.feed import FEED_BYTES
from pipelines.storage.archive_folder import Context

TITLE, TEXT = 500, 50_000
"""Characters of a title and of a text that are kept."""
JSON_FEED = "https://jsonfeed.org/version/"


@dataclass(frozen=True, slots=True)
class ImportedFeed:
    """What became of a feed.

    Attributes:
        source: its address, or its file.
        done: what it did.
        doubts: what should be told about its entries.
    """

    source: str
    done: Announced
    doubts: tuple[str, ...]


class _Rehearsal(Exception):  # noqa: N818  # it is no error
    """Ends a transaction that was only to show what it would do."""


def import_announcements(
    context: Context,
    place: str,
    event: str,
    *,
    about: str | None = None,
    time_zone: str | None = None,
    dry_run: bool = False,
) -> ImportedFeed:
    """Merge what an organiser's feed has into the announcements of an event.

    Args:
        context: the archive.
        place: the feed's address, or a file.
        event: the event's slug.
        about: words that an entry has in its title, its text or a category; None for every entry.
        time_zone: of dates that name none (IANA).
        dry_run: whether to do everything and keep nothing.

    Raises:
        SourceError: the feed cannot be had, or is none.
        UnknownSubjectError: there is no such event.
    """
    items, doubts = read_feed(
        place, read_place(place, context.config.pull, limit=FEED_BYTES), zone=time_zone, about=about
    )
    # A file may lie in another folder tomorrow.
    feed = place if "://" in place else Path(place).name
    done = Announced()
    try:
        with transaction(context.db):
            done = apply_feed(context.db, event, feed, items)
            if done.added or done.changed:
                touch(context.db)
            if dry_run:
                raise _Rehearsal  # noqa: TRY301  # the transaction's own way to roll back
    except _Rehearsal:
        pass
    return ImportedFeed(place, done, doubts)


def read_feed(
    place: str, data: bytes, *, zone: str | None = None, about: str | None = None
) -> tuple[tuple[Item, ...], tuple[str, ...]]:
    """Return the entries of a feed, each id once, and what is doubtful about them.

    Args:
        place: the feed's address, from which its links are read, or a file's name.
        data: the feed.
        zone: of dates that name none (IANA).
        about: words that an entry has in its title, its text or a category; None for every entry.

    Raises:
        SourceError: it is no feed that can be read.
    """
    base = place if "://" in place else ""
    entries = (
        _json_entries(place, data) if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") else _entries(place, data)
    )
    items: dict[str, Item] = {}
    doubts: list[str] = []
    for entry in entries:
        if about and not _is_about(entry, about):
            continue
        item, doubt = _item(entry, base, zone)
        if doubt:
            doubts.append(f"{item.announcement.title[:80]}: {doubt}")
        if item.guid in items:
            doubts.append(f"{item.announcement.title[:80]}: another entry has its id, too: the first one is kept")
        items.setdefault(item.guid, item)
    return tuple(items.values()), tuple(doubts)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """What an entry says; its texts without their markup."""

    guid: str
    title: str
    text: str
    url: str
    date: str
    source: str
    language: str
    categories: tuple[str, ...] = ()


def _is_about(entry: _Entry, about: str) -> bool:
    """Return whether words stand in an entry, one after the other."""
    texts = (plain(entry.title, TITLE), plain(entry.text, TEXT), *entry.categories)
    return any(f" {' '.join(words(about))} " in f" {' '.join(words(text))} " for text in texts)


def _item(entry: _Entry, base: str, zone: str | None) -> tuple[Item, str | None]:
    when = published(entry.date, zone)
    text = plain(entry.text, TEXT) or None
    title = " ".join(plain(entry.title, TITLE).split()) or (text or "").partition("\n")[0][:80] or "Announcement"
    url = _address(entry.url, base)
    day = when.start or when.day
    announcement = Announcement(
        slug=proposed_slug(title, day),
        title=title,
        text=text,
        url=url,
        published=day,
        source=" ".join(plain(entry.source, TITLE).split()) or None,
        language=_language(entry.language),
    )
    return Item(plain(entry.guid, 2_000) or url or announcement.slug, announcement), when.doubt


def _entries(place: str, data: bytes) -> Iterator[_Entry]:
    """Yield the entries of RSS or Atom."""
    # A stream, since feedparser takes text that looks like an address or a path for one.
    headers = {"content-location": place} if "://" in place else {}
    read: Any = feedparser.parse(io.BytesIO(data), response_headers=headers)
    if not read.get("version"):
        raise SourceError(f"{place}: it is no feed that can be read: RSS, Atom and JSON Feed are")
    for entry in read.entries:
        texts = [_words_of(each) for each in (*entry.get("content", ()), entry.get("summary_detail"))]
        yield _Entry(
            guid=entry.get("id") or "",
            title=_words_of(entry.get("title_detail")),
            text=max(texts, key=len),
            url=entry.get("link") or "",
            date=entry.get("published") or entry.get("updated") or "",
            source=entry.get("author") or read.feed.get("title") or "",
            language=entry.get("language") or read.feed.get("language") or "",
            categories=tuple(str(each.get("term") or "") for each in entry.get("tags", ())),
        )


class _Author(msgspec.Struct):
    name: str | None = None


class _JsonItem(msgspec.Struct):
    id: str | int
    url: str | None = None
    external_url: str | None = None
    title: str | None = None
    content_html: str | None = None
    content_text: str | None = None
    summary: str | None = None
    date_published: str | None = None
    authors: list[_Author] = []
    tags: list[str] = []
    language: str | None = None


class _JsonFeed(msgspec.Struct):
    version: str
    title: str | None = None
    language: str | None = None
    items: list[_JsonItem] = []


def _json_entries(place: str, data: bytes) -> Iterator[_Entry]:
    try:
        feed = msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"), type=_JsonFeed)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise SourceError(f"{place}: it is no JSON Feed: {error}") from error
    if not feed.version.startswith(JSON_FEED):
        raise SourceError(f"{place}: it is no JSON Feed: its version is {feed.version[:80]!r}")
    for each in feed.items:
        yield _Entry(
            guid=str(each.id),
            title=html_to_text(each.title or ""),
            text=_unmarked(each.content_html or "") or each.content_text or each.summary or "",
            url=each.url or each.external_url or "",
            date=each.date_published or "",
            source=next((one.name for one in each.authors if one.name), None) or feed.title or "",
            language=each.language or feed.language or "",
            categories=tuple(each.tags),
        )


def _words_of(detail: Any) -> str:
    """Return the text of a construct of feedparser's, which says of what type it is."""
    value = str((detail or {}).get("value") or "")
    return _unmarked(value) if "html" in str((detail or {}).get("type")) else html_to_text(value)


def _unmarked(html: str) -> str:
    """Return the words of a text that is HTML, whether it has an element or not."""
    return html_to_text(f"<div>{html[: TEXT * 4]}</div>")


def _address(address: str, base: str) -> str | None:
    try:
        whole = urljoin(base, address.strip())
        return plain(whole, 2_000) if urlsplit(whole).scheme in {"http", "https"} else None
    except ValueError:
        return None


def _language(text: str) -> str | None:
    try:
        return parse_language(text) if text else None
    except MetadataError:
        return None


def by_hand(
    title: str,
    *,
    text: str | None = None,
    url: str | None = None,
    day: str | None = None,
    source: str | None = None,
    language: str | None = None,
) -> Announcement:
    """Return an announcement that a person writes.

    Raises:
        SourceError: the address is not the web's, or nothing in the title can be read.
        MetadataError: the date or the language cannot be read.
    """
    if not words(title):
        raise SourceError(f"the title {title!r} has no words: an announcement needs some")
    if url and not _address(url, ""):
        raise SourceError(f"{url!r} is no address of the web: expected it to begin with https://")
    on = parse_date(day).isoformat() if day else None
    return Announcement(
        slug=proposed_slug(title, on),
        title=" ".join(plain(title, TITLE).split()),
        text=(plain(text, TEXT) or None) if text else None,
        url=url,
        published=on,
        source=(" ".join(plain(source, TITLE).split()) or None) if source else None,
        language=parse_language(language) if language else None,
    )
