"""What search engines, social networks and reference managers find: linked data, tags, and lists of pages."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from lxml import etree
from pyld import jsonld

from archive.site.discovery import sitemap
from archive.site.discovery.schema_org import iso_duration
from archive.site.records import Reader as Records
from archive.site.settings import SiteSettings
from archive.sqlite import sqlite3
from tests.archive.published_folder import FIRST_BUILD, HOSTILE, SENTENCES
from tests.archive.site.test_pages import PAGES, TALK, Reader, Site, serve_example
from tests.node import MODULES, ask

URL = "https://talks.example.org"
EVENT = "/events/summer-university-2022"
VIDEO_OBJECT = "https://schema.org/VideoObject"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serve_example(
        tmp_path_factory.mktemp("public"),
        "UPDATE recording SET kind = 'video' WHERE id = 1",
        "INSERT INTO rendition(recording_id, kind, sha256, suffix, media_type, bytes)"
        f" VALUES (1, 'poster', '{'b' * 64}', '.jpg', 'image/jpeg', 3)",
        "UPDATE session SET updated_at = '2026-11-2' || id || 'T00:00:00Z'",
        url=URL,
        title="Talks",
    ) as made:
        yield made


def linked(site: Site, path: str) -> dict[str, Any]:
    """Return the linked data of a page by type."""
    [text] = re.findall(r'<script type="application/ld\+json">(.*?)</script>', site.get(path).text)
    return {each["@type"]: each for each in json.loads(text)["@graph"]}


def meta(site: Site, path: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for tag, attrs in Reader(site.get(path).text).elements:
        if tag == "meta" and (name := attrs.get("property") or attrs.get("name")):
            found.setdefault(name, []).append(str(attrs["content"]))
    return found


def test_recording_is_a_video_object_with_clips_and_its_words(site: Site) -> None:
    session = linked(site, TALK)["Event"]
    recording = session["recordedIn"]
    assert (session["name"], session["startDate"], session["endDate"]) == (
        "What an archive owes its listeners",
        "2022-07-23T18:00:00+02:00",
        "2022-07-23T18:45:00+02:00",
    )
    assert [each["name"] for each in session["performer"]] == ["Noor Okafor", "Jonas Lindqvist"]
    assert (recording["@type"], recording["duration"], recording["uploadDate"], recording["thumbnailUrl"]) == (
        "VideoObject",
        "PT1M0S",
        "2026-11-23T09:00:00Z",
        f"{URL}/media/{'b' * 64}.jpg",
    )
    assert recording["transcript"] == " ".join(text for _, _, text in SENTENCES if "subscribe" not in text)
    assert recording["hasPart"] == [
        {
            "@type": "Clip",
            "name": "What an archive owes its listeners",
            "startOffset": 0.0,
            "endOffset": 60.0,
            "url": f"{URL}{TALK}?t=0",
        }
    ]
    assert recording["potentialAction"]["target"] == f"{URL}{TALK}?t={{seek_to_second_number}}"
    assert site.get(f"{TALK}?t=42").status_code == 200
    assert recording["embedUrl"] == f"{URL}{TALK.replace('/events/', '/embed/')}"
    assert site.get(recording["embedUrl"].removeprefix(URL)).status_code == 200


def test_linked_data_is_read_by_a_processor(site: Site) -> None:
    """A JSON-LD processor needs the vocabulary; of its context, the parts that matter here are given."""

    def load(url: str, _options: Any) -> dict[str, Any]:
        assert url == "https://schema.org"
        context = {"@vocab": "https://schema.org/", "url": {"@type": "@id"}, "item": {"@type": "@id"}}
        return {"contextUrl": None, "documentUrl": url, "document": {"@context": context}}

    for path in ("/", EVENT, TALK, "/people/noor-okafor"):
        [text] = re.findall(r'<script type="application/ld\+json">(.*?)</script>', site.get(path).text)
        expanded = jsonld.expand(json.loads(text), {"documentLoader": load})
        kinds = {kind for each in expanded for kind in each["@type"]}
        assert all(kind.startswith("https://schema.org/") for kind in kinds)
        crumbs = [each for each in expanded if "https://schema.org/BreadcrumbList" in each["@type"]]
        assert len(crumbs) == (path != "/")
    triples = jsonld.to_rdf(
        json.loads(re.findall(r'ld\+json">(.*?)</script>', site.get(TALK).text)[0]), {"documentLoader": load}
    )
    objects = {triple["object"]["value"] for triple in triples["@default"]}
    assert VIDEO_OBJECT in objects


def test_session_is_where_its_event_is_unless_somebody_knows_more(site: Site) -> None:
    def where(path: str) -> Any:
        return linked(site, path)["Event"]["location"]

    assert where(TALK) == [{"@type": "Place", "name": "Main hall"}]
    assert where("/events/launch/the-launch") == [
        {
            "@type": "Place",
            "name": "The Reading Room",
            "address": {"@type": "PostalAddress", "addressLocality": "London", "addressCountry": "GB"},
        }
    ]
    # Its event is online, and has a party of watchers alone.
    assert where(f"{EVENT}/arabic") == [{"@type": "VirtualLocation", "url": f"{URL}{EVENT}"}]


def test_event_person_and_site_are_told(site: Site) -> None:
    event = linked(site, EVENT)["EventSeries"]
    assert (event["startDate"], event["endDate"], event["eventAttendanceMode"]) == (
        "2022-07-23",
        "2022-07-26",
        "https://schema.org/OnlineEventAttendanceMode",
    )
    assert [each["url"] for each in event["subEvent"]] == [
        f"{URL}{EVENT}/{slug}" for slug in ("unplanned", "what-an-archive-owes", "open-questions", "arabic")
    ]
    person = linked(site, "/people/noor-okafor")["Person"]
    assert (person["name"], person["sameAs"]) == ("Noor Okafor", ["https://example.org/noor"])
    action = linked(site, "/")["WebSite"]["potentialAction"]
    assert action["target"]["urlTemplate"] == f"{URL}/search?q={{search_term_string}}"


def test_text_in_linked_data_ends_no_element(site: Site) -> None:
    page = site.get("/events/hostile/hostile").text
    assert "<script>alert" not in page
    session = linked(site, "/events/hostile/hostile")["Event"]
    assert (session["name"], session["description"]) == (HOSTILE, HOSTILE)
    assert "license" not in session["recordedIn"]


@pytest.mark.parametrize("path", PAGES)
def test_page_runs_no_script_of_its_own(site: Site, path: str) -> None:
    scripts = [attrs for tag, attrs in Reader(site.get(path).text).elements if tag == "script"]
    assert all("src" in attrs or attrs["type"] == "application/ld+json" for attrs in scripts)


def test_session_shows_a_card_and_can_be_cited(site: Site) -> None:
    found = meta(site, TALK)
    [wav] = [path.name for path in (site.public / "media").glob("*.wav") if path.name in found["og:video"][0]]
    assert {name: values for name, values in found.items() if name.startswith(("og:", "twitter:", "citation_"))} == {
        "og:site_name": ["Talks"],
        "og:type": ["video.other"],
        "og:title": ["What an archive owes its listeners"],
        "og:description": ["Recordings that nobody can search are recordings that nobody has."],
        "og:url": [f"{URL}{TALK}"],
        "og:image": [f"{URL}/media/{'b' * 64}.jpg"],
        "og:image:type": ["image/jpeg"],
        "og:video": [f"{URL}/media/{wav}"],
        "og:video:type": ["audio/wav"],
        "twitter:card": ["summary_large_image"],
        "citation_title": ["What an archive owes its listeners"],
        "citation_author": ["Noor Okafor"],
        "citation_author_institution": ["Radio Lighthouse"],
        "citation_publication_date": ["2022/07/23"],
        "citation_date": ["2022/07/23"],
        "citation_conference_title": ["Summer University"],
        "citation_language": ["en"],
        "citation_keywords": ["Memory"],
        "citation_public_url": [f"{URL}{TALK}"],
        "citation_abstract_html_url": [f"{URL}{TALK}"],
        "citation_fulltext_html_url": [f"{URL}{TALK}"],
    }


@pytest.mark.parametrize(
    "path", ["/", EVENT, "/events/launch/the-launch", "/people/noor-okafor", "/series/summer", "/languages/ar"]
)
def test_page_without_a_still_shows_the_picture_of_its_podcast(site: Site, path: str) -> None:
    found = meta(site, path)
    [picture] = found["og:image"]
    answer = site.get(picture.removeprefix(URL))
    assert picture.endswith("/cover.png")
    assert (answer.status_code, found["og:image:type"]) == (200, [answer.headers["content-type"]])
    assert found["twitter:card"] == ["summary"]


@pytest.mark.parametrize("path", ["/", EVENT, TALK, "/people/noor-okafor", "/search?q=debt"])
def test_alternates_of_a_page_are_there(site: Site, path: str) -> None:
    links = [attrs for tag, attrs in Reader(site.get(path).text).elements if tag == "link"]
    named = [each for each in links if each["rel"] in {"alternate", "search"}]
    tongues = {str(each["hreflang"]): str(each["href"]) for each in named if "hreflang" in each}
    assert tongues.keys() == {"en", "es", "fr", "de", "x-default"}
    assert tongues["x-default"] == URL + path
    for each in named:
        response = site.get(str(each["href"]).removeprefix(URL))
        if "hreflang" in each:
            # A search engine believes alternates that are whole addresses and each the canonical one of its page
            # (https://developers.google.com/search/docs/specialty/international/localized-versions).
            [canonical] = re.findall('<link rel="canonical" href="([^"]*)">', response.text)
            assert html.unescape(canonical) == each["href"]
            assert each["hreflang"] in {response.headers["content-language"], "x-default"}
        else:
            # What discovers oEmbed has a type of its own, and its answer the one that JSON has (https://oembed.com).
            kind = response.headers["content-type"].partition(";")[0].replace("/json", "/json+oembed")
            assert each["type"] in {kind, kind.replace("+oembed", "")}


def locations(site: Site, path: str) -> list[str]:
    root = etree.fromstring(site.get(path).content)
    return [element.text.removeprefix(URL) for element in root.iter("{*}loc")]


def test_sitemap_names_every_page_once(site: Site) -> None:
    parts = locations(site, "/sitemap.xml")
    assert parts == ["/sitemaps/pages-1.xml", "/sitemaps/sessions-1.xml"]
    pages = [page for path in parts for page in locations(site, path)]
    assert len(pages) == len(set(pages))
    assert {"/", "/events", EVENT, TALK, "/people/eve", "/series/summer", "/tracks/Memory"} <= {*pages}
    assert "/sitemaps/pages-1.xml" in parts
    assert site.get("/sitemaps/pages-2.xml").status_code == 404
    assert f"Sitemap: {URL}/sitemap.xml" in site.get("/robots.txt").text


def test_address_that_is_too_long_for_a_sitemap_is_not_in_it(tmp_path: Path) -> None:
    with serve_example(tmp_path, "UPDATE session SET track = printf('%.5000c', 'x') WHERE id = 1", url=URL) as site:
        assert [
            each for each in locations(site, "/sitemaps/pages-1.xml") if "/tracks/" in each and "x" * 99 in each
        ] == []
        assert site.get(f"/tracks/{'x' * 5_000}").status_code == 200


def test_sitemap_shows_videos_with_a_still(site: Site) -> None:
    root = etree.fromstring(site.get("/sitemaps/sessions-1.xml").content)
    [video] = root.iter(f"{{{sitemap.VIDEO}}}video")
    assert {etree.QName(each).localname: each.text for each in video if "content" not in each.tag} == {
        "thumbnail_loc": f"{URL}/media/{'b' * 64}.jpg",
        "title": "What an archive owes its listeners",
        "description": "Recordings that nobody can search are recordings that nobody has.",
        "duration": "60",
        "publication_date": "2022-07-23T18:00:00+02:00",
        "family_friendly": "yes",
        "live": "no",
    }
    changed = {entry.findtext("{*}loc"): entry.findtext("{*}lastmod") for entry in root}
    assert changed[f"{URL}{TALK}"] == "2026-11-21T00:00:00Z"


def test_sitemap_is_valid_whatever_a_video_is_called(tmp_path: Path) -> None:
    odd = "\u202e]]> <b>&amp; \u0007 \u2028 \N{WOMAN}\u200d\N{GIRL} %s " * 200
    with serve_example(
        tmp_path,
        "UPDATE recording SET kind = 'video', duration_ms = CASE id WHEN 1 THEN 43200000 WHEN 3 THEN 400 END",
        "INSERT INTO rendition(recording_id, kind, sha256, suffix, media_type, bytes)"
        " SELECT id, 'poster', printf('%064d', id), '.jpg', 'image/jpeg', 3 FROM recording",
        f"UPDATE session SET title = '{odd}', abstract = '{odd}' WHERE id IN (1, 6)",
        f"UPDATE session SET track = substr('{odd}', 1, 60), start_at = NULL WHERE id = 5",
        url=URL,
    ) as site:
        lists = {path: site.get(path).content for path in ("/sitemap.xml", *locations(site, "/sitemap.xml"))}
    videos = 0
    for path, document in lists.items():
        read, warnings = ask("sitemap", document)
        root = etree.fromstring(document)
        assert (warnings, [each["url"] for each in read]) == ([], [each.text for each in root.iter("{*}loc")])
        videos += sum(len(each.get("video", ())) for each in read)
        for video in [*root.iter(f"{{{sitemap.VIDEO}}}video")]:
            video.getparent().remove(video)  # of which the schema says nothing
        schema = etree.XMLSchema(etree.parse(MODULES / "sitemap" / "schema" / "sitemap.xsd"))
        assert path == "/sitemap.xml" or schema.validate(root), schema.error_log
    assert videos == 3


def test_long_sitemap_is_split(site: Site) -> None:
    sizes = sitemap.SIZES | {"sessions": 4}
    settings = SiteSettings(url=URL)
    with closing(sqlite3.connect(site.public / f"catalogue-{FIRST_BUILD}.db")) as conn:
        conn.row_factory = sqlite3.Row
        root = etree.fromstring(sitemap.list_of_lists(conn, settings, sizes))
        lists = [
            sitemap.list_of_pages(Records(conn, settings, FIRST_BUILD), "sessions", nth, sizes) for nth in range(3)
        ]
    assert [each.text.removeprefix(URL) for each in root.iter("{*}loc")][1:] == [
        "/sitemaps/sessions-1.xml",
        "/sitemaps/sessions-2.xml",
    ]
    assert [each and len(list(etree.fromstring(each))) for each in lists] == [4, 2, None]


def test_browsers_learn_how_to_search(site: Site) -> None:
    root = etree.fromstring(site.get("/opensearch.xml").content)
    assert root.findtext("{*}ShortName") == "Talks"
    templates = {each.get("type"): each.get("template") for each in root.iter("{*}Url")}
    for media_type in ("text/html", "application/atom+xml"):
        address = templates[media_type].removeprefix(URL).replace("{searchTerms}", "debt")
        response = site.get(address)
        assert response.headers["content-type"].partition(";")[0] == media_type


@pytest.mark.parametrize(
    ("ms", "text"), [(0, "PT0S"), (59_600, "PT1M0S"), (3_723_000, "PT1H2M3S"), (7_200_000, "PT2H0S")]
)
def test_length_is_iso_8601(ms: int, text: str) -> None:
    assert iso_duration(ms) == text
