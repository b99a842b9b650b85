"""OAI-PMH as a harvester asks for it, over all records and with tokens."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from lxml import etree
from oaipmh_scythe import HTTPConfig, Scythe

from archive.site.oai import OAI, RECORDS_A_PAGE
from archive.sqlite import sqlite3
from tests.archive.published_folder import FIRST_BUILD, HOSTILE, publish
from tests.archive.served import serving
from tests.archive.site.test_pages import Site

MANY = 250
EVENT = "summer-university-2022"
TALK, GONE, GONE_WITH_ITS_EVENT = "000000000001", "00000000000a", "00000000000b"
"""What names a session for good: one that is there, and two that were withdrawn."""


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("public")
    publish(folder)
    conn = sqlite3.connect(folder / f"catalogue-{FIRST_BUILD}.db")
    conn.execute("UPDATE session SET updated_at = '2026-11-2' || id || 'T00:00:00Z'")
    conn.executemany(
        "INSERT INTO session(event_id, slug, title, position, updated_at) VALUES (2, ?, 'Many', ?, ?)",
        [(f"many-{n}", n, f"2026-10-{n % 28 + 1:02}T00:00:00Z") for n in range(MANY)],
    )
    conn.executemany(
        "INSERT INTO tombstone(event, session, withdrawn_on, identity) VALUES (?, ?, '2026-11-01', ?)",
        [("launch", "gone", GONE), ("", GONE_WITH_ITS_EVENT, GONE_WITH_ITS_EVENT)],
    )
    conn.execute("INSERT INTO tombstone(event, session, withdrawn_on) VALUES ('whole-event-gone', NULL, '2026-11-01')")
    conn.commit()
    conn.close()
    return folder


@pytest.fixture(scope="module")
def address(public: Path) -> Iterator[str]:
    with serving(public) as address:
        yield address


@pytest.fixture(scope="module")
def site(public: Path) -> Iterator[Site]:
    made = Site(public, url="https://talks.example.org", title="Talks")
    yield made
    made.datasette.executor.shutdown()


def ask(site: Site, query: str) -> Any:
    response = site.get(f"/oai?{query}")
    assert (response.status_code, response.headers["content-type"]) == (200, "text/xml; charset=utf-8")
    return etree.fromstring(response.content)


def errors(site: Site, query: str) -> list[str]:
    return [element.get("code") for element in ask(site, query).iter(f"{{{OAI}}}error")]


def test_harvester_gets_every_record_once(address: str) -> None:
    with Scythe(f"{address}/oai") as scythe:
        identify = scythe.identify()
        assert (identify.protocolVersion, identify.deletedRecord) == ("2.0", "transient")
        records = list(scythe.list_records())
        headers = list(scythe.list_identifiers())
        sets = [each.setSpec for each in scythe.list_sets()]
        [form] = [each.metadataPrefix for each in scythe.list_metadata_formats()]
    names = [record.header.identifier for record in records]
    assert len(names) == len(set(names)) == MANY + 8
    assert [header.identifier for header in headers] == names
    stamps = [record.header.datestamp for record in records]
    assert stamps == sorted(stamps)
    assert [record.header.identifier for record in records if record.header.deleted] == [
        f"oai:127.0.0.1:{GONE}",
        f"oai:127.0.0.1:{GONE_WITH_ITS_EVENT}",
    ]
    assert (sets, form) == (["event:hostile", "event:launch", f"event:{EVENT}", "series:summer"], "oai_dc")
    talk = records[names.index(f"oai:127.0.0.1:{TALK}")]
    assert talk.metadata == {
        "title": ["What an archive owes its listeners"],
        "creator": ["Noor Okafor"],
        "contributor": ["Jonas Lindqvist"],
        "subject": ["Memory"],
        "description": ["Recordings that nobody can search are recordings that nobody has."],
        "publisher": ["Rostra"],
        "date": ["2022-07-23T18:00:00+02:00"],
        "type": ["Event", "Sound"],
        "format": ["audio/wav"],
        "identifier": [f"{address}/events/{EVENT}/what-an-archive-owes", f"{address}/cite/{TALK}"],
        "language": ["en", "es"],
        "relation": [f"{address}/events/{EVENT}"],
        "rights": ["CC-BY-4.0"],
    }


def test_harvester_that_posts_gets_the_same(address: str) -> None:
    by_post = HTTPConfig(http_method="POST")
    with Scythe(f"{address}/oai") as gets, Scythe(f"{address}/oai", http_config=by_post) as posts:
        asked = [[each.header.identifier for each in scythe.list_records()] for scythe in (gets, posts)]
    assert asked[0] == asked[1] != []
    form = {"content-type": "application/x-www-form-urlencoded"}
    for path, headers, body in (
        ("/oai", {"content-type": "application/json"}, b"{}"),
        ("/oai", form, b"verb=Identify&x=" + b"x" * 5_000),
        ("/events", form, b"verb=Identify"),
    ):
        assert httpx.post(f"{address}{path}", headers=headers, content=body).status_code == 405


def test_harvester_asks_for_what_is_new_and_for_sets(address: str) -> None:
    with Scythe(f"{address}/oai") as scythe:
        new = [each.identifier for each in scythe.list_identifiers(from_="2026-11-25")]
        of_series = [each.identifier for each in scythe.list_identifiers(set_="series:summer")]
        between = list(scythe.list_identifiers(from_="2026-10-05", until="2026-10-05"))
    assert new == ["oai:127.0.0.1:000000000005", "oai:127.0.0.1:000000000006"]
    assert len(of_series) == 4
    assert {each.datestamp for each in between} == {"2026-10-05T00:00:00Z"}


def test_who_harvested_on_the_day_of_a_withdrawal_hears_of_it(site: Site) -> None:
    later = ask(site, "verb=ListIdentifiers&metadataPrefix=oai_dc&from=2026-11-01T10:00:00Z&until=2026-11-02T00:00:00Z")
    assert [each.findtext(f"{{{OAI}}}identifier") for each in later.iter(f"{{{OAI}}}header")] == [
        f"oai:talks.example.org:{GONE}",
        f"oai:talks.example.org:{GONE_WITH_ITS_EVENT}",
    ]
    earliest = ask(site, "verb=Identify").findtext(f".//{{{OAI}}}earliestDatestamp")
    assert earliest == "2026-10-01T00:00:00Z"


def test_record_stays_the_same_when_a_title_is_corrected(public: Path, tmp_path: Path) -> None:
    """Its address follows the title; a harvester would otherwise hold it twice, and never hear that one is gone."""
    for file in public.glob("*.*"):
        shutil.copy(file, tmp_path)
    conn = sqlite3.connect(tmp_path / f"catalogue-{FIRST_BUILD}.db")
    conn.execute("UPDATE session SET slug = 'another-title' WHERE id = 1")
    conn.commit()
    conn.close()
    site = Site(tmp_path, url="https://talks.example.org")
    found = ask(site, f"verb=GetRecord&metadataPrefix=oai_dc&identifier=oai:talks.example.org:{TALK}")
    feed = site.get("/tracks/Memory/feed.atom").text
    podcast = site.get("/tracks/Memory/podcast.rss").text
    calendar = site.get(f"/events/{EVENT}/another-title/calendar.ics").text
    site.datasette.executor.shutdown()
    permanent = f"https://talks.example.org/cite/{TALK}"
    addresses = [each.text for each in found.iter("{http://purl.org/dc/elements/1.1/}identifier")]
    assert addresses == [f"https://talks.example.org/events/{EVENT}/another-title", permanent]
    assert f"<id>{permanent}</id>" in feed
    assert f'<guid isPermaLink="true">{permanent}</guid>' in podcast
    assert f"UID:{permanent}" in calendar


def test_what_was_withdrawn_with_its_event_is_in_no_set(site: Site) -> None:
    name = f"oai:talks.example.org:{GONE_WITH_ITS_EVENT}"
    record = ask(site, f"verb=GetRecord&metadataPrefix=oai_dc&identifier={name}").find(f".//{{{OAI}}}record")
    [header] = record
    assert (header.get("status"), [each.text for each in header]) == ("deleted", [name, "2026-11-01T23:59:59Z"])


def test_token_counts_what_was_given(site: Site) -> None:
    first = ask(site, "verb=ListIdentifiers&metadataPrefix=oai_dc")
    token = first.find(f".//{{{OAI}}}resumptionToken")
    assert dict(token.attrib) == {"completeListSize": str(MANY + 8), "cursor": "0"}
    second = ask(site, f"verb=ListIdentifiers&resumptionToken={token.text}")
    assert second.find(f".//{{{OAI}}}resumptionToken").get("cursor") == str(RECORDS_A_PAGE)


def test_hostile_text_stays_text(site: Site) -> None:
    found = ask(site, "verb=GetRecord&metadataPrefix=oai_dc&identifier=oai:talks.example.org:000000000005")
    assert found.findtext(".//{http://purl.org/dc/elements/1.1/}title") == HOSTILE


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "badVerb"),
        ("verb=Nothing", "badVerb"),
        ("verb=Identify&verb=Identify", "badVerb"),
        ("verb=Identify&set=x", "badArgument"),
        ("verb=ListRecords", "badArgument"),
        ("verb=GetRecord&metadataPrefix=oai_dc", "badArgument"),
        ("verb=ListRecords&metadataPrefix=oai_dc&from=yesterday", "badArgument"),
        ("verb=ListRecords&metadataPrefix=oai_dc&from=2026-02-30", "badArgument"),
        ("verb=ListRecords&metadataPrefix=oai_dc&until=2026-11-25T24:00:00Z", "badArgument"),
        ("verb=ListRecords&metadataPrefix=oai_dc&from=2026-1-2", "badArgument"),
        ("verb=ListRecords&metadataPrefix=oai_dc&from=2026-11-25&until=2026-11-26T00:00:00Z", "badArgument"),
        ("verb=ListRecords&metadataPrefix=oai_dc&from=2026-11-26&until=2026-11-25", "badArgument"),
        ("verb=ListRecords&metadataPrefix=oai_dc&from=2026-11-25&from=2026-11-25", "badArgument"),
        ("verb=ListRecords&metadataPrefix=oai_dc&resumptionToken=x", "badArgument"),
        ("verb=ListRecords&metadataPrefix=marc21", "cannotDisseminateFormat"),
        ("verb=GetRecord&metadataPrefix=oai_dc&identifier=oai:talks.example.org:launch/nothing", "idDoesNotExist"),
        ("verb=GetRecord&metadataPrefix=oai_dc&identifier=launch/the-launch", "idDoesNotExist"),
        ("verb=ListMetadataFormats&identifier=nothing", "idDoesNotExist"),
        ("verb=ListRecords&metadataPrefix=oai_dc&set=event:nothing", "noRecordsMatch"),
        ("verb=ListRecords&metadataPrefix=oai_dc&from=2030-01-01", "noRecordsMatch"),
        ("verb=ListRecords&resumptionToken=x", "badResumptionToken"),
        ("verb=ListRecords&resumptionToken=%C3%BC", "badResumptionToken"),
        ("verb=ListRecords&resumptionToken=WzFd", "badResumptionToken"),
        ("verb=ListSets&resumptionToken=x", "badResumptionToken"),
        ("verb=%00&%07=%07", "badVerb"),
        ("verb=Identify&%07=%07", "badArgument"),
    ],
)
def test_mistake_of_a_harvester_has_its_code(site: Site, query: str, code: str) -> None:
    assert errors(site, query) == [code]


def test_withdrawn_session_is_gone_from_the_api_too(site: Site) -> None:
    response = site.get("/api/1/sessions/launch/gone")
    assert (response.status_code, response.json()["detail"]) == (410, "It was withdrawn on 2026-11-01.")
