"""Podcast feeds: RSS 2.0 and Atom, with iTunes' and the podcast: namespace.

Source: https://www.rssboard.org/rss-specification, RFC 4287, https://podcastindex.org/namespace/1.0. Each episode is a
session. A feed holds only the newest episodes, so one that is missing has not been removed. `plain_xml` reads the
document: it keeps the line of every element, and all elements of a name that comes several times.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import reduce
from urllib.parse import urljoin

from metadata.feed_dates import DATED, GENERATOR, Published, published
from metadata.languages import UNDETERMINED
from metadata.licences import spdx_name
from metadata.model import Event, Link, Person, Release, Role, RoleName, Session
from metadata.names import distinct_names, name_key
from metadata.times import NO_ZONE
from metadata.timetables.base import Reading, Source, TimetableFormat
from metadata.timetables.parts import (
    Notes,
    event_slug,
    ids,
    is_web,
    name_stem,
    review,
    said_of_any,
    unique_links,
    with_slugs,
)
from metadata.timetables.plain_xml import Node

SESSION_FIELDS = frozenset(
    {"title", "start", "day", "planned_ms", "language", "abstract", "people", "links", "external_ids"}
)

UNTITLED = "Untitled"
"""What an episode without a title is called."""
_ATOM = "http://www.w3.org/2005/Atom}"
_ITUNES = "http://www.itunes.com/dtds/podcast-1.0.dtd}"
_CONTENT = "http://purl.org/rss/1.0/modules/content/}"
_DUBLIN_CORE = "http://purl.org/dc/elements/1.1/}"
_PUBLISHING = "http://www.w3.org/2007/app}"
PODCAST = (
    "https://podcastindex.org/namespace/1.0}",
    "https://github.com/Podcastindex-org/podcast-namespace/blob/main/docs/1.0.md}",
)
"""What the names of the ``podcast:`` namespace begin with, as `plain_xml` writes them."""
_ROLES: dict[str, RoleName] = {
    "host": "host", "co-host": "host", "guest host": "host", "guest": "speaker", "voice actor": "reader",
    "narrator": "reader", "author": "author", "reporter": "speaker", "moderator": "chair", "translator": "interpreter",
}  # fmt: skip
_SECONDS = re.compile(r"\d{1,6}(?:\.\d+)?", re.ASCII)
_CLOCK = re.compile(r"(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2})(?:\.\d+)?", re.ASCII)
_ADDRESSED = re.compile(r"\S+@\S+ \((.+)\)")
"""RSS writes people as an address with a name behind."""
_BASE = "http://www.w3.org/XML/1998/namespace}base"
_LANG = "http://www.w3.org/XML/1998/namespace}lang"


def detect(source: Source, /) -> bool:
    """Return whether the root element is RSS or an Atom feed."""
    return source.xml is not None and source.xml.tag in {"rss", f"{_ATOM}feed"}


def read(source: Source, /) -> Reading:
    """Return a show as an event, with its episodes.

    Raises:
        FormatError: it is RSS without a channel.
    """
    root = source.xml
    assert root is not None  # noqa: S101 - detected
    atom = root.tag != "rss"
    channel = root if atom else root.find("channel")
    if channel is None:
        raise source.error(root.where, "no <channel> in <rss>")
    notes = Notes(source)
    prefix = _ATOM if atom else ""
    notes.base = channel.attributes.get(_BASE)
    title = notes.line(_said(channel, f"{prefix}title"))
    if title is None:
        notes.note(channel.where, "the feed has no title: the event is named by the file")
    language = _language(channel, notes, None)
    items = list(channel.all(f"{_ATOM}entry" if atom else "item"))
    _note_shared_guids(items, notes)
    sessions = [_session(item, prefix, language, channel, notes) for item in items]
    guid = next((text for name in PODCAST if (text := channel.get(f"{name}guid"))), "") or channel.get(f"{_ATOM}id")
    name = title or name_stem(source)
    description = notes.block(channel.get("description") or _said(channel, f"{_ATOM}subtitle"))
    links = _website(channel, notes)
    event, notices = review(
        Event(
            slug=event_slug(None, name, None),
            title=name,
            description=description,
            mode="online",
            languages=(language,) if language else (),
            links=links,
            external_ids=ids(guid=guid),
            sessions=with_slugs(sessions),
        ),
        dates=False,
    )
    said = {"title": title, "description": description, "languages": language, "links": links, "external_ids": guid}
    return Reading(
        events=(event,),
        notices=(*notes.list, *notices),
        event_fields=frozenset(field for field, value in said.items() if value),
        session_fields=SESSION_FIELDS | said_of_any(sessions, "release"),
        complete=False,
    )


def _language(node: Node, notes: Notes, otherwise: str | None) -> str | None:
    """Return the language that a show or an episode says of itself: None where it says that nobody knows."""
    said = node.get("language") or node.get(f"{_DUBLIN_CORE}language") or node.attributes.get(_LANG)
    found = notes.language(node.where, said) or otherwise
    return None if found == UNDETERMINED else found


def _said(node: Node, tag: str) -> str:
    """Return the text of a child, as HTML where Atom's ``type`` calls it that (RFC 4287, section 3.1.1)."""
    child = node.find(tag)
    if child is None:
        return ""
    kind = child.attributes.get("type")
    return (
        child.whole_text.strip() if kind == "xhtml" else f"<span>{child.text}</span>" if kind == "html" else child.text
    )


def _guid(item: Node) -> str:
    return item.get("guid") or item.get(f"{_ATOM}id")


def _note_shared_guids(items: list[Node], notes: Notes) -> None:
    """Note each id that several episodes have: they are all read, and the id identifies none of them."""
    counts = Counter(guid for item in items if (guid := _guid(item)))
    for item in items:
        if counts.get(guid := _guid(item), 0) > 1:
            notes.note_once(item.where, f"{counts[guid]} episodes share the id {guid[:80]!r}: all of them are read")


def _website(node: Node, notes: Notes, rel: str = "website") -> tuple[Link, ...]:
    if url := node.get("link"):
        return notes.link(node.where, rel, url)
    for link in node.all(f"{_ATOM}link"):
        if link.attributes.get("rel", "alternate") == "alternate":
            return notes.link(link.where, rel, _address(node, link, notes))
    return ()


def _address(node: Node, link: Node, notes: Notes) -> str:
    """Return where a link of Atom leads: from ``xml:base`` of feed, entry and link (RFC 4287, section 2)."""
    bases = (notes.base, node.attributes.get(_BASE), link.attributes.get(_BASE))
    return reduce(urljoin, (base for base in (*bases, link.attributes.get("href")) if base), "")


def _session(item: Node, prefix: str, language: str | None, channel: Node, notes: Notes) -> Session:
    where = item.where
    title = _title(item, prefix, notes)
    if title is None:
        notes.note(where, "an episode without a title")
    about = (
        item.get("description") or _said(item, f"{_ATOM}summary") or item.get(f"{_ITUNES}summary")
        or item.get(f"{_CONTENT}encoded") or _said(item, f"{_ATOM}content")
    )  # fmt: skip
    plain = about == item.get(f"{_ATOM}summary") and _is_plain(item, f"{_ATOM}summary")
    abstract = notes.block(about, html=not plain)
    links = [*_website(item, notes, "page")]
    for enclosure in item.all("enclosure"):
        links += notes.link(enclosure.where, "recording", enclosure.attributes.get("url"))
    for link in item.all(f"{_ATOM}link"):
        if link.attributes.get("rel") == "enclosure":
            links += notes.link(link.where, "recording", _address(item, link, notes))
    for name in PODCAST:
        for kind in ("transcript", "chapters"):
            for node in item.all(f"{name}{kind}"):
                said = node.attributes.get("language") or node.attributes.get("type")
                links += notes.link(node.where, kind, node.attributes.get("url"), said)
    start, day = _when(item, channel, notes)
    return Session(
        slug="",
        title=title or UNTITLED,
        start=start,
        day=day,
        planned_ms=_length(item, notes),
        language=_language(item, notes, language),
        abstract=abstract,
        people=_people(item, channel, notes),
        links=unique_links(links),
        external_ids=ids(guid=_guid(item)),
        release=_release(item, channel, notes),
    )


def _title(item: Node, prefix: str, notes: Notes) -> str | None:
    """Return an episode's title. That of iTunes is plain text, and so is another one that says the same."""
    said, plain = _said(item, f"{prefix}title"), item.get(f"{_ITUNES}title")
    html = said != plain and not _is_plain(item, f"{prefix}title")
    return notes.line(said, html=html) or notes.line(plain)


def _is_plain(node: Node, tag: str) -> bool:
    """Return whether a text of Atom is called plain, or nothing, which means the same (RFC 4287, section 3.1.1)."""
    child = node.find(tag) if tag.startswith(_ATOM) else None
    return child is not None and child.attributes.get("type", "text") == "text"


def when(item: Node, channel: Node, zone: str | None = None) -> Published:
    """Return when an episode was published, or, in feeds of Rostra, when its session was."""
    ours = GENERATOR in {channel.get("generator"), channel.get(f"{_ATOM}generator")}
    names = (f"{_ATOM}published", "pubDate", f"{_DUBLIN_CORE}date", f"{_ATOM}updated")
    texts = (item.get(name) for name in ([DATED.removeprefix("{")] if ours else names))
    return published(next(filter(None, texts), None), zone)


def _when(item: Node, channel: Node, notes: Notes) -> tuple[str | None, str | None]:
    """Return the moment of an episode, or else its day, and note what is doubtful about it."""
    found = when(item, channel, notes.source.time_zone)
    if found.doubt == NO_ZONE:
        notes.no_zone(item.where)
    elif found.doubt:
        notes.note(item.where, found.doubt)
    return found.start, found.day


def _release(item: Node, channel: Node, notes: Notes) -> Release | None:
    wish = release_wish(item, channel)
    return notes.private(item.where, wish) if wish else None


def release_wish(item: Node, channel: Node) -> str | None:
    """Return why a feed wants an episode kept from the public, or None: its directories' blocks and drafts."""
    for node, what in ((channel, "feed"), (item, "episode")):
        if node.get(f"{_ITUNES}block").lower() in {"yes", "true"}:
            return f"the {what} asks directories not to list it (itunes:block)"
        # A block that has an id is for that one platform.
        blocks = (block for prefix in PODCAST for block in node.all(f"{prefix}block"))
        if any(block.text.lower() == "yes" and "id" not in block.attributes for block in blocks):
            return f"the {what} asks platforms not to show it (podcast:block)"
    control = item.find(f"{_PUBLISHING}control")
    if control is not None and control.get(f"{_PUBLISHING}draft").lower() == "yes":
        return "the entry is a draft (app:draft)"
    return None


def licence(item: Node, channel: Node) -> str | None:
    """Return the address of an episode's licence, or its name, or what Dublin Core calls its rights."""
    for place in (item, channel):
        for prefix in PODCAST:
            if (node := place.find(f"{prefix}license")) is not None:
                address = node.attributes.get("url", "").strip()
                return address if is_web(address) else spdx_name(node.text) or node.text.strip() or None
    return item.get(f"{_DUBLIN_CORE}rights") or None


def _length(item: Node, notes: Notes) -> int | None:
    """Return iTunes' duration: seconds, ``MM:SS`` or ``HH:MM:SS``."""
    text = item.get(f"{_ITUNES}duration")
    if not text:
        return None
    if _SECONDS.fullmatch(text):
        return notes.positive(item.where, float(text) * 1000, text)
    match = _CLOCK.fullmatch(text)
    hours, minutes, seconds = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
    return notes.positive(item.where, ((hours * 60 + minutes) * 60 + seconds) * 1000, text)


def names_people(item: Node, channel: Node) -> bool:
    """Return whether an episode, or its show, says who has which part in it (``podcast:person``)."""
    return any(place.find(f"{prefix}person") is not None for place in (item, channel) for prefix in PODCAST)


def _people(item: Node, channel: Node, notes: Notes) -> tuple[Role, ...]:
    """Return an episode's people: its own ``podcast:person``, else the show's, else its author."""
    for place in (item, channel):
        roles: dict[tuple[str, str], Role] = {}
        for prefix in PODCAST:
            for node in place.all(f"{prefix}person"):
                name = notes.line(node.text, html=False)
                said = node.attributes.get("role", "host").lower()
                if name and said in _ROLES:
                    links = notes.link(node.where, "website", node.attributes.get("href"))
                    roles.setdefault(
                        (name_key(name), _ROLES[said]), Role(person=Person(name=name, links=links), role=_ROLES[said])
                    )
                elif name:
                    notes.note(node.where, f"{name!r} is {said!r}, which is no part in a session: left out")
        if roles:
            return tuple(roles.values())
    authors = [author.get(f"{_ATOM}name") for author in item.all(f"{_ATOM}author")]
    if len(authors) > 1:
        names = distinct_names(notes.line(author) for author in authors)
        return tuple(Role(person=Person(name=name), role="host") for name in names)
    named = _ADDRESSED.fullmatch(item.get("author"))
    text = authors[0] if authors else item.get(f"{_ITUNES}author")
    text = text or (named[1] if named else item.get(f"{_DUBLIN_CORE}creator")) or channel.get(f"{_ITUNES}author")
    match = _ADDRESSED.fullmatch(text)
    name = notes.line(match[1] if match else text)
    return (Role(person=Person(name=name), role="host"),) if name and not is_web(name) else ()


FORMAT = TimetableFormat(
    name="podcast-rss",
    title="Podcast feeds: RSS 2.0 and Atom, with iTunes' and the podcast: namespace",
    suffixes=(".xml", ".rss", ".atom"),
    media_types=("application/rss+xml", "application/atom+xml"),
    release_wishes="`itunes:block` or `podcast:block` of the feed or the episode, or `app:draft`: private",
    detect=detect,
    read=read,
)
