from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from urllib.parse import quote

import bibtexparser
import defusedxml.ElementTree as DefusedET
import pytest
import rispy
from citeproc.source.json import CiteProcJSON

from archive.site.session_page import citing
from archive.site.session_page.citing import Source
from metadata.names import readable_name
from tests.archive.published_folder import HOSTILE
from tests.archive.site.test_pages import TALK, Reader, Site, serve_example, squeezed

URL = "http://127.0.0.1:8001"
MOMENT = "/cite/000000000001/00000001"
EMBED = TALK.replace("/events/", "/embed/")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serve_example(tmp_path_factory.mktemp("public"), title="Radio Lighthouse") as made:
        yield made


def cited(site: Site, style: str, path: str = TALK) -> str:
    return str(site.get(f"{path}/cite.txt?t=61.2,75&style={style}").text)


AS_TEXT = {
    "apa": "Noor Okafor. (2022, July 23). What an archive owes its listeners [Audio recording]. Radio Lighthouse. "
    "Summer University. {url} (1:01–1:15)",
    "mla": "Noor Okafor. “What an Archive Owes Its Listeners”. Radio Lighthouse, Summer University, {url}. "
    "Audio recording. (1:01–1:15)",
    "chicago": "Noor Okafor. 2022. “What an Archive Owes Its Listeners”. Summer University. Radio Lighthouse, "
    "July 23. Audio recording. {url}. (1:01–1:15)",
}


@pytest.mark.parametrize(("style", "text"), AS_TEXT.items())
def test_moment_is_cited_as_text(site: Site, style: str, text: str) -> None:
    assert cited(site, style) == text.format(url=f"{URL}{MOMENT}?t=61.2,75")


def test_bibtex_is_read_back(site: Site) -> None:
    [entry] = bibtexparser.loads(cited(site, "bibtex")).entries
    assert entry == {
        "ENTRYTYPE": "misc",
        "ID": "summer-university-2022-what-an-archive-owes-61",
        "author": "{Noor Okafor}",
        "title": "{What an archive owes its listeners}",
        "howpublished": "Audio recording",
        "booktitle": "Summer University",
        "publisher": "Radio Lighthouse",
        "year": "2022",
        "month": "7",
        "language": "en",
        "url": f"{URL}{MOMENT}?t=61.2,75",
        "note": "at 1:01–1:15",
    }


def test_ris_is_read_back(site: Site) -> None:
    [entry] = rispy.loads(cited(site, "ris"))
    assert entry["type_of_reference"] == "SOUND"
    assert (entry["authors"], entry["title"], entry["year"]) == (
        ["Noor Okafor"],
        "What an archive owes its listeners",
        "2022",
    )
    assert entry["urls"] == [f"{URL}{MOMENT}?t=61.2,75"]
    assert entry["notes"] == ["at 1:01–1:15"]


@pytest.mark.filterwarnings("ignore:The following arguments for Reference are unsupported")
def test_csl_is_read_back(site: Site) -> None:
    items = json.loads(cited(site, "csl"))
    source = CiteProcJSON(items)[items[0]["id"]]
    assert (str(source.title), str(source.URL)) == (
        "What an archive owes its listeners",
        f"{URL}{MOMENT}?t=61.2,75",
    )
    assert items[0]["author"] == [{"literal": "Noor Okafor"}]


@pytest.mark.parametrize("style", [*citing.TEXTS, *citing.FILES])
def test_hostile_title_stays_in_its_place(style: str) -> None:
    source = Source(
        key="hostile",
        title="100% {braces} \\write18{x} $5 & #1_2\nER  - \nTY  - BOOK",
        people=("Eve {O'Neil}",),
        event=HOSTILE,
        place=None,
        publisher=None,
        day=date(2022, 1, 5),
        language=None,
        kind="video",
        url="https://example.org/events/hostile/hostile",
    )
    if style in citing.TEXTS:
        assert "braces" in citing.text(source, style)
        return
    written = citing.FILES[style][0](source)
    if style == "bibtex":
        [entry] = bibtexparser.loads(written).entries
        assert entry["title"].count("{") == entry["title"].count("}")
        assert r"\textbackslash{}write18" in entry["title"]
    elif style == "ris":
        [entry] = rispy.loads(written)
        assert entry["title"] == "100% {braces} \\write18{x} $5 & #1_2 ER - TY - BOOK"
    else:
        assert json.loads(written)[0]["title"] == source.title


def test_page_of_citations_has_all_of_them(site: Site) -> None:
    page = Reader(site.get(f"{TALK}/cite?t=61.2,75").text)
    assert cited(site, "apa") in squeezed(page.text)
    assert f"{TALK}/cite.txt?t=61.2,75&style=ris" in page.attributes("a", "href")


def test_citation_is_saved_under_a_readable_name(site: Site) -> None:
    name = site.get(f"{TALK}/cite.txt?style=ris").headers["content-disposition"]
    expected = "2022-07-23 Summer University – What an archive owes its listeners.ris"
    assert name == f"inline; filename*=utf-8''{quote(expected)}"


def test_only_the_player_may_be_framed(site: Site) -> None:
    assert "frame-ancestors *" in site.get(f"{EMBED}?t=3").headers["content-security-policy"]
    for path in (TALK, "/", f"{TALK}/cite", "/data", "/nothing"):
        assert "frame-ancestors 'none'" in site.get(path).headers["content-security-policy"], path


def test_player_for_other_sites_has_the_clip_its_captions_and_the_way_back(site: Site) -> None:
    page = Reader(site.get(f"{EMBED}?t=3,9").text)
    assert str(page.attributes("source", "src")[0]).endswith(".wav#t=3,9")
    assert page.attributes("audio", "data-end") == ["9"]
    assert page.attributes("track", "src") == [f"{TALK}/captions.vtt?language=en"]
    assert f"{TALK}?t=3" in page.attributes("a", "href")
    assert site.get(f"{TALK}/captions.vtt?language=en").status_code == 200


def test_oembed_is_discovered_and_answers(site: Site) -> None:
    links = [attrs for tag, attrs in Reader(site.get(TALK).text).elements if tag == "link"]
    [found] = [str(each["href"]) for each in links if each.get("type") == "application/json+oembed"]
    answer = site.get(found).json()
    assert {name: answer[name] for name in ("version", "type", "title", "provider_name", "width", "height")} == {
        "version": "1.0",
        "type": "rich",
        "title": "What an archive owes its listeners",
        "provider_name": "Radio Lighthouse",
        "width": 640,
        "height": 190,
    }
    assert re.search(rf'src="{URL}{EMBED}"', answer["html"])


def test_oembed_keeps_the_moment_and_the_width_that_is_asked_for(site: Site) -> None:
    asked = quote(f"{URL}{TALK}?t=61.2,75", safe="")
    answer = site.get(f"/oembed?url={asked}&maxwidth=320").json()
    assert f"{EMBED}?t=61.2,75" in answer["html"]
    assert (answer["width"], answer["height"]) == (320, 190)


def test_oembed_as_xml_escapes(site: Site) -> None:
    asked = quote(f"{URL}/events/hostile/hostile", safe="")
    root = DefusedET.fromstring(site.get(f"/oembed?url={asked}&format=xml").text)
    assert root.findtext("title") == HOSTILE
    assert site.get(f"/oembed?url={asked}&format=yaml").status_code == 501


@pytest.mark.parametrize(
    ("parts", "name"),
    [
        (("2014-12-27", "31C3", "Title", None, "en"), "2014-12-27 31C3 – Title.en"),
        ((None, None, None), "recording"),
        ((None, "A/B: C?", 'D "E" <F>|*\\'), "A B C – D E F"),
        (("2022-07-23", None, "..\x00\n"), "2022-07-23"),
    ],
)
def test_name_of_a_file_is_readable_and_fits_any_disk(parts: tuple[str | None, ...], name: str) -> None:
    assert readable_name(*parts) == name


def test_name_of_a_file_is_no_longer_than_disks_allow() -> None:
    name = readable_name("2022-07-23", "Veranstaltung", "ü" * 400, "interpretation", "de")
    assert len(name.encode()) < 240
    assert name.endswith("ü.interpretation.de")


def test_media_and_captions_are_saved_under_readable_names(site: Site) -> None:
    page = Reader(site.get(TALK).text)
    title = "2022-07-23 Summer University – What an archive owes its listeners"
    [vtt] = [href for href in page.attributes("a", "href") if str(href).endswith("captions.vtt")]
    for path, name in ((vtt, f"{title}.en.vtt"), (page.attributes("source", "src")[0], f"{title}.en.wav")):
        headers = site.get(str(path)).headers
        assert headers["content-disposition"] == f"inline; filename*=utf-8''{quote(name)}"


def test_embedding_of_a_site_below_a_path_is_found(tmp_path: Path) -> None:
    home = "https://example.org/talks"
    with serve_example(tmp_path, url=home) as made:
        answer = made.get(f"/talks/oembed?url={home}{TALK}")
    assert (answer.status_code, answer.json()["provider_url"]) == (200, f"{home}/")
    assert f'src="{home}{TALK.replace("/events/", "/embed/")}"' in answer.json()["html"]
