"""Every address that the site answers, in one table. What is in none of these patterns is not there.

`archive.urls` writes the addresses that these patterns read.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from archive.site import health, iiif, oai, pages, results, suggestions
from archive.site.api import views as api
from archive.site.browsing import browse, calendar
from archive.site.cited import views as cited
from archive.site.discovery import opensearch, sitemap
from archive.site.feeds import chapters
from archive.site.feeds import views as feeds
from archive.site.feeds.listings import KINDS
from archive.site.http import errors
from archive.site.pictures import cards, covers, looks
from archive.site.research import corpus, explore, files, schema
from archive.site.session_page import moments
from archive.site.session_page import page as session
from archive.urls import CITE

_SESSION = r"/events/(?P<event>[^/]+)/(?P<session>[^/]+)"

ROUTES: tuple[tuple[str, Callable[..., Awaitable[Any]]], ...] = (
    (r"/$", pages.home),
    (r"/-/health$", health.health),
    (r"/logo$", looks.logo),
    (r"/accent\.css$", looks.accent),
    (r"/robots\.txt$", sitemap.robots),
    (r"/sitemap\.xml$", sitemap.sitemap),
    (r"/sitemaps/(?P<kind>pages|sessions)-(?P<number>[1-9]\d{0,5})\.xml$", sitemap.part),
    (r"/opensearch\.xml$", opensearch.opensearch),
    (r"/oai$", oai.oai),
    (r"/search$", results.search),
    (r"/search/help$", explore.search_help),
    (r"/search/suggest\.json$", suggestions.suggest),
    (r"/explore$", explore.explore),
    (r"/schema$", schema.schema),
    (r"/corpus$", corpus.corpus),
    (r"/corpus\.zip$", corpus.packed),
    (r"/downloads$", corpus.downloads),
    (r"/corpora/(?P<form>[a-z]{1,20})\.zip$", corpus.made),
    (r"/api/1/?$", api.index),
    (r"/api/1/openapi\.json$", api.openapi),
    (r"/api/1/search\.json$", results.search_json),
    (r"/api/1/moments\.(?P<format>csv|jsonl|parquet)$", files.moments),
    (rf"/api/1/(?P<table>{'|'.join(files.TABLES)})\.csv$", files.table),
    (r"/api/1(?P<path>/.*)$", api.api),
    (rf"(?:/(?P<kind>{'|'.join(KINDS)})/(?P<key>[^/]+))?/(?P<name>feed\.atom|podcast\.rss)$", feeds.feed),
    (r"(?:/(?P<kind>events|series)/(?P<key>[^/]+))?/cover\.png$", covers.cover),
    (r"/search/(?P<name>feed\.atom|podcast\.rss)$", feeds.search_feed),
    (r"/events/(?P<event>[^/]+)(?:/(?P<session>[^/]+))?/calendar\.ics$", calendar.calendar),
    (r"/events/(?P<event>[^/]+)/(?P<session>[^/]+)/chapters\.json$", chapters.chapters),
    (r"/events/(?P<event>[^/]+)/(?P<session>[^/]+)/manifest\.json$", iiif.manifest),
    (r"/events/(?P<event>[^/]+)/(?P<session>[^/]+)/annotations-(?P<number>\d{1,3})\.json$", iiif.transcript),
    (r"/events/(?P<event>[^/]+)/(?P<session>[^/]+)/search\.json$", iiif.search),
    (r"/events$", browse.events),
    (r"/events/(?P<event>[^/]+)$", browse.event),
    (rf"{_SESSION}$", session.session),
    (rf"{_SESSION}/captions\.(?P<format>[a-z-]+)$", session.captions),
    (rf"{_SESSION}/words\.json$", session.words),
    (rf"{CITE}/(?P<identity>[0-9a-f]{{12}})$", cited.session),
    (rf"{CITE}/(?P<identity>[0-9a-f]{{12}})/(?P<version>[0-9a-f]{{8,16}})$", cited.moment),
    (rf"{CITE}/(?P<identity>[0-9a-f]{{12}})/(?P<version>[0-9a-f]{{8,16}})\.jsonld$", cited.annotation),
    (rf"{_SESSION}/card\.png$", cards.card),
    (rf"{_SESSION}/cite$", moments.cite),
    (rf"{_SESSION}/cite\.txt$", moments.cite_as),
    (r"/embed/(?P<event>[^/]+)/(?P<session>[^/]+)$", moments.embed),
    (r"/oembed$", moments.oembed),
    (r"/people$", browse.people),
    (r"/people/(?P<person>[^/]+)$", browse.person),
    (r"/people/(?P<person>[^/]+)/portrait\.jpg$", browse.portrait),
    (r"/series$", browse.series_index),
    (r"/series/(?P<series>[^/]+)$", browse.series),
    (r"/tracks$", browse.tracks),
    (r"/tracks/(?P<track>[^/]+)$", browse.track),
    (r"/languages$", browse.languages),
    (r"/languages/(?P<language>[^/]+)$", browse.language),
    (r"/places$", browse.places),
    # The only names that are looked for, in the database first and then on the disk.
    (r"/media/(?P<sha256>[0-9a-f]{64})(?P<suffix>\.[a-z0-9]{1,8})$", pages.recording),
    # All but Datasette's pages over the published database and what those need: others of its pages
    # tell of the machine (paths, threads, configuration).
    (r"/(?!data(?:[./]|$)|-/(?:static|static-plugins|versions|jump|tables)(?:[./]|$)|favicon\.ico$)", errors.elsewhere),
)
"""Patterns that a path must match from its start, and their pages; the first that matches answers."""
