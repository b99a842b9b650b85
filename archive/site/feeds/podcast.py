"""Podcasts: RSS 2.0 with the namespaces that players read.

Sources: https://www.rssboard.org/rss-specification, https://podcasters.apple.com/support/823-podcast-requirements and
https://podcastindex.org/namespace/1.0.
"""

from __future__ import annotations

import re
import uuid
from collections import Counter
from html import escape
from typing import Any

from feedgen.entry import FeedEntry
from feedgen.ext.base import BaseEntryExtension, BaseExtension
from feedgen.feed import FeedGenerator
from lxml import etree

from archive import urls
from archive.site.feeds.atom import NAMESPACE as ATOM
from archive.site.feeds.atom import TERMS, paging
from archive.site.feeds.credits import NAMESPACE, add_people
from archive.site.feeds.listings import Listing, how_found
from archive.site.labels import outside
from archive.site.records import File, Recording, Session
from archive.site.settings import SiteSettings
from metadata.captions.podcast_chapters import FORMAT as CHAPTERS
from metadata.feed_dates import DATED, GENERATOR
from metadata.languages import UNDETERMINED
from metadata.licences import spdx_name
from metadata.moments import site_name
from metadata.xml_text import xml_text, xml_title

MEDIA_TYPE = "application/rss+xml; charset=utf-8"
DUBLIN_CORE = "http://purl.org/dc/elements/1.1/"
ITUNES = "http://www.itunes.com/dtds/podcast-1.0.dtd"
FEEDS = uuid.UUID("ead4c236-bf58-58c6-a2c6-a6b28d128cb6")
"""The namespace of ids of podcasts, in the documentation of ``podcast:guid``."""
CAPTIONS = ("vtt", "srt", "podcast-json")
"""Forms of a transcript that players read, the best first."""
_CREATIVE_COMMONS = re.compile(r"https?://creativecommons\.org/(?:licenses|publicdomain)/([a-z-]+)/(\d\.\d)\b")


def write_podcast(listing: Listing, settings: SiteSettings, *, feed: str, page: int, built_at: str) -> bytes:
    """Return a podcast of the sessions that were recorded.

    Args:
        listing: what it is of.
        settings: for whole addresses.
        feed: the path of the feed itself, with its query but for the page.
        page: which page of it this is, from 1.
        built_at: when a feed without episodes last changed, ISO 8601.
    """
    address = settings.absolute(feed)
    made = FeedGenerator()
    made.load_extension("podcast", atom=False)
    made.load_extension("dc", atom=False)
    made.register_extension("podcastindex", _Channel, _Episode, atom=False)
    title = xml_title(listing.title, settings.name)
    about = xml_title(listing.description, f"Recordings of {title}")
    made.title(title)
    made.description(about)
    itself, *others = paging(listing, settings, feed, page)
    made.link(**itself, type="application/rss+xml")
    made.link(href=settings.absolute(listing.page), rel="alternate")
    made.language(_language(listing))
    made.generator(GENERATOR)
    made.lastBuildDate(listing.updated(built_at))
    made.podcast.itunes_author(xml_text(settings.name))
    made.podcast.itunes_summary(about)
    made.podcast.itunes_category("Education")
    made.podcast.itunes_type("episodic")
    recorded = [
        (session, result, played, played.file)
        for session, result in listing.entries
        if (played := session.played) and played.file
    ]
    made.podcast.itunes_image(settings.absolute(urls.cover_url(listing.page)))
    if settings.contact:
        made.podcast.itunes_owner(xml_text(settings.name), settings.contact)
        made.managingEditor(f"{settings.contact} ({xml_text(settings.name)})")
    made.podcastindex.guid = str(uuid.uuid5(FEEDS, address.partition("://")[2].rstrip("/")))
    made.podcastindex.links = [*others, *([{"rel": "hub", "href": settings.hub}] if settings.hub else [])]
    made.podcastindex.medium = (
        "video" if recorded and all(each.kind == "video" for _, _, each, _ in recorded) else "podcast"
    )
    for session, result, recording, file in recorded:
        episode = _add_episode(made, session, recording, file)
        if result:
            episode.category(term=result.match, scheme=settings.absolute(urls.SEARCH_HELP))
            episode.description(_as_html(f"{xml_text(how_found(result))}\n\n{_description(session)}"))
    return bytes(made.rss_str(pretty=True))


def _language(listing: Listing) -> str:
    """Return the language that most of it is in; directories take no podcast without one."""
    spoken = Counter(_spoken(session, each) for session in listing.sessions if (each := session.played))
    ranked = (listing.language, *(each for each, _ in spoken.most_common()))
    return next((each for each in ranked if each and each != UNDETERMINED), "en")


def _spoken(session: Session, recording: Recording) -> str:
    return recording.language or session.language or UNDETERMINED


def _add_episode(made: FeedGenerator, session: Session, recording: Recording, file: File) -> FeedEntry:
    episode: FeedEntry = made.add_entry(order="append")
    title = xml_title(session.title, session.slug)
    episode.title(title)
    episode.guid(session.permanent_url, permalink=True)
    episode.link(href=session.url)
    episode.description(_as_html(_description(session)))
    # An hour that nobody knows is not made up: then it is when the session last changed.
    episode.pubDate(session.starts or session.updated)
    episode.dc.dc_language(_spoken(session, recording))  # that of the channel is one for all
    if session.people:
        episode.dc.dc_creator([xml_text(each.name) for each in session.people])
    episode.enclosure(file.url, str(file.bytes or 0), file.media_type)
    episode.podcast.itunes_title(title)
    if recording.duration_ms:
        episode.podcast.itunes_duration(recording.duration_ms // 1000)
    if recording.poster:
        episode.podcast.itunes_image(recording.poster.url)
    episode.podcast.itunes_episode_type("full")
    episode.podcastindex.session = session
    return episode


def _description(session: Session) -> str:
    return xml_title(session.abstract, f"{session.title}, {session.event.title}")


def _as_html(text: str) -> str:
    """Return a text as HTML, which a description of an episode is, alone of all texts (RSS 2.0)."""
    paragraphs = (escape(each, quote=False).replace("\n", "<br>") for each in re.split(r"\n{2,}", text) if each.strip())
    return "".join(f"<p>{each}</p>" for each in paragraphs)


class _Channel(BaseExtension):  # type: ignore[misc]  # feedgen has no types
    """What a podcast says of itself beyond iTunes' namespace."""

    def __init__(self) -> None:
        self.guid, self.medium = "", "podcast"
        self.links: list[dict[str, str]] = []

    def extend_ns(self) -> dict[str, str]:
        return {"podcast": NAMESPACE, **TERMS}

    def extend_rss(self, feed: Any) -> Any:
        channel = feed.find("channel")
        _element(channel, f"{{{NAMESPACE}}}guid", self.guid)
        _element(channel, f"{{{NAMESPACE}}}medium", self.medium)
        _element(channel, f"{{{ITUNES}}}explicit", "false")
        for link in self.links:  # of which feedgen writes that to the feed itself alone
            _element(channel, f"{{{ATOM}}}link", **link)
        return feed


class _Episode(BaseEntryExtension):  # type: ignore[misc]  # feedgen has no types
    """What an episode says of itself beyond iTunes' namespace."""

    def __init__(self) -> None:
        self.session: Session | None = None

    def extend_rss(self, entry: Any) -> Any:
        if self.session is None or (played := self.session.played) is None:
            return entry
        if known := self.session.start or self.session.day:
            _element(entry, DATED, known)
        add_people(entry, self.session.people)
        for recording in self.session.recordings:
            if recording.file:
                _recording(entry, recording, recording.file, first=recording is played)
        if played.transcript:
            chosen = "" if played is self.session.recordings[0] else f"?recording={played.key}"
            address = urls.beside(self.session.url, urls.CHAPTERS) + chosen
            _element(entry, f"{{{NAMESPACE}}}chapters", url=address, type=CHAPTERS.media_type)
        _element(entry, f"{{{ITUNES}}}explicit", "false")
        return entry


def _recording(entry: Any, recording: Recording, file: File, *, first: bool) -> None:
    if transcript := recording.transcript:
        for form in CAPTIONS:
            caption = transcript.written_as(form)
            rel = {"rel": "captions"} if form == "vtt" else {}
            given = {"url": caption.url, "type": caption.media_type, "language": transcript.language}
            _element(entry, f"{{{NAMESPACE}}}transcript", **given, **rel)
    if first and recording.licence:
        _licence(entry, recording.licence)
    if not first:
        _alternate(entry, recording, file)


def _licence(entry: Any, licence: str) -> None:
    """Add a licence: its name, which is SPDX's in small letters where it has one, and its address.

    The namespace allows another name only with an address; without, it is what Dublin Core calls rights.
    """
    known, address = _CREATIVE_COMMONS.match(licence), outside(licence)
    name = spdx_name(f"{'CC0' if known[1] == 'zero' else f'CC-{known[1]}'}-{known[2]}" if known else licence)
    called = name.lower() if name else address and (site_name(address) or licence)
    if called:
        _element(entry, f"{{{NAMESPACE}}}license", xml_text(called)[:128], **({"url": address} if address else {}))
    else:
        _element(entry, f"{{{DUBLIN_CORE}}}rights", xml_text(licence))


def _alternate(entry: Any, recording: Recording, file: File) -> None:
    given = {"type": file.media_type, "length": str(file.bytes or 0)}
    if recording.language:
        given["lang"] = recording.language
    element = _element(entry, f"{{{NAMESPACE}}}alternateEnclosure", **given)
    _element(element, f"{{{NAMESPACE}}}source", uri=file.url)


def _element(parent: Any, tag: str, text: str | None = None, **attributes: str) -> Any:
    element = etree.SubElement(parent, tag, {name: xml_text(value) for name, value in attributes.items()})
    element.text = text
    return element
