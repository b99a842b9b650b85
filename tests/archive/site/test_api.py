"""The API as programs ask it: what it says is described, stays, and is refused where it cannot be understood."""

from __future__ import annotations

import json
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from archive.site.api.endpoints import ENDPOINTS
from archive.site.api.openapi import describe
from archive.site.settings import SiteSettings
from archive.sqlite import Database
from tests.archive.published_folder import SENTENCES, publish
from tests.archive.served import serving
from tests.archive.site.test_pages import Site, serve_example

URL = "https://talks.example.org"
FIELDS = Path(__file__).parents[2] / "cases" / "api_fields.json"
EVENT = "summer-university-2022"
TALK = f"/sessions/{EVENT}/what-an-archive-owes"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serve_example(
        tmp_path_factory.mktemp("public"),
        "INSERT INTO portrait(person_id, picture, digest) VALUES (1, x'ffd8ff', 'abcdefabcdef')",
        "INSERT INTO word VALUES (100, 0, 0, 400, 'Good', 0.95), (100, 1, 400, 900, 'evening,', 0.9)",
        "UPDATE session SET updated_at = '2026-11-2' || id || 'T00:00:00Z'",
        url=URL,
    ) as made:
        yield made


def ask(site: Site, path: str) -> Any:
    response = site.get(f"/api/1{path}")
    assert (response.status_code, response.headers["content-type"]) == (200, "application/json; charset=utf-8")
    assert response.headers["access-control-allow-origin"] == "*"
    return response.json()


def every(site: Site, path: str) -> list[Any]:
    """Return all items of a list, two at a time."""
    items, cursor = list[Any](), ""
    while cursor is not None:
        mark = "&" if "?" in path else "?"
        page = ask(site, f"{path}{mark}limit=2" + (f"&cursor={cursor}" if cursor else ""))
        items += page["items"]
        cursor = page["next"]
    return items


def test_events_have_announcements_and_people_their_pictures(site: Site) -> None:
    assert ask(site, f"/events/{EVENT}")["announcements"] == [
        {
            "slug": "2022-07-23-over-3800",
            "title": "Over 3,800 have registered",
            "text": "Thank you! Bring a lantern.",
            "published": "2022-07-23T08:00:00+02:00",
            "source": "Summer University",
            "language": "en",
            "url": f"{URL}/events/{EVENT}#announcement-2022-07-23-over-3800",
            "elsewhere": "https://example.org/news/3800",
        }
    ]
    [hostile] = ask(site, "/events/hostile")["announcements"]
    assert (hostile["slug"], hostile["elsewhere"]) == ("hostile", None)
    picture = f"{URL}/people/noor-okafor/portrait.jpg?v=abcdefabcdef"
    people = {each["slug"]: each["portrait"] for each in every(site, "/people")}
    assert people.pop("noor-okafor") == {"url": picture, "media_type": "image/jpeg", "bytes": 3}
    assert set(people.values()) == {None}
    assert site.get(picture.removeprefix(URL)).content == b"\xff\xd8\xff"
    assert f'"image":"{picture}"' in site.get("/people/noor-okafor").text.replace('": "', '":"')
    assert site.get("/people").text.count('<img class="portrait"') == 1


def test_description_is_valid_openapi() -> None:
    validate(describe(SiteSettings()))


def test_description_has_no_schema_that_generators_of_clients_refuse() -> None:
    """A schema that is true or false is valid, but openapi-python-client makes no client of a file with one."""
    described = describe(SiteSettings())["components"]["schemas"]
    assert described["Moment"]["properties"]["matches"]["items"] == {
        "type": "array",
        "minItems": 2,
        "maxItems": 2,
        "items": {"type": "integer"},
    }
    assert '"items":false' not in json.dumps(described, separators=(",", ":"))


def test_no_field_disappears() -> None:
    """To add fields, write the new file: what is in it may never go."""
    schemas = describe(SiteSettings())["components"]["schemas"]
    now = {name: sorted(schema["properties"]) for name, schema in schemas.items()}
    kept = json.loads(FIELDS.read_text())
    gone = {name: sorted({*fields} - {*now.get(name, ())}) for name, fields in kept.items()}
    assert {name: fields for name, fields in gone.items() if fields} == {}
    assert now == kept


def test_lists_are_whole_and_in_order(site: Site) -> None:
    sessions = every(site, "/sessions")
    named = [(each["event"]["slug"], each["slug"]) for each in sessions]
    assert named == sorted(set(named))
    assert len(named) == 6
    assert [each["slug"] for each in every(site, "/events")] == ["hostile", "launch", EVENT]
    assert [each["slug"] for each in every(site, "/people")] == ["eve", "jonas-lindqvist", "noor-okafor"]
    recordings = [each["recording"]["sha256"] for each in every(site, "/recordings")]
    assert (recordings, len(recordings)) == (sorted(recordings), 4)


def test_recordings_that_others_took_the_place_of_do_not_end_the_list(tmp_path: Path) -> None:
    def add(db: Database, _media: Path) -> None:
        for key, more in ((60, {"superseded_by": 1}), (61, {"superseded_by": 60})):
            db["recording"].insert(
                {
                    "id": key, "session_id": 1, "sha256": f"{key:064x}", "kind": "audio", "role": "floor", "bytes": 1,
                    "media_type": "audio/wav", "suffix": ".wav", "pulled_at": "2026-11-23T09:00:00Z", **more,
                }
            )  # fmt: skip

    publish(tmp_path, more=add)
    site = Site(tmp_path)
    found = [each["recording"]["sha256"] for each in every(site, "/recordings")]
    site.datasette.executor.shutdown()
    assert (len(found), found) == (4, sorted(found))


def test_what_is_played_elsewhere_is_a_recording_that_plays_nothing_here(tmp_path: Path) -> None:
    address = "https://videos.example.org/watch?v=1"
    with serve_example(
        tmp_path,
        "DELETE FROM rendition WHERE recording_id IN (1, 3)",
        f"UPDATE recording SET kind = 'video', bytes = 0, suffix = '', elsewhere = '{address}' WHERE id IN (1, 3)",
        url=URL,
    ) as site:
        [floor, interpretation] = ask(site, TALK)["recordings"]
        assert (floor["role"], floor["elsewhere"], floor["file"]) == ("floor", address, None)
        assert floor["transcript"]["version"] == f"{1:08x}" * 2
        assert (interpretation["elsewhere"], interpretation["file"]["media_type"]) == (None, "audio/wav")
        listed = {each["recording"]["sha256"]: each["recording"] for each in every(site, "/recordings")}
        assert (len(listed), listed[floor["sha256"]]) == (4, floor)
        assert ask(site, f"/recordings/{floor['sha256']}")["recording"] == floor
        [named] = [each for each in linked(site, TALK.replace("/sessions", "/events")) if each["@type"] == "Event"]
        assert named["recordedIn"]["contentUrl"] == interpretation["file"]["url"]
        [named] = [each for each in linked(site, "/events/hostile/hostile") if each["@type"] == "Event"]
        assert named["recordedIn"]["sameAs"] == address
        assert not {"contentUrl", "embedUrl", "uploadDate", "potentialAction"} & named["recordedIn"].keys()
        manifest = site.get(f"{TALK.replace('/sessions', '/events')}/manifest.json").json()
        assert [each["id"].rpartition("/")[2] for each in manifest["items"]] == ["2"]
        [service] = manifest["service"]
        inside = service["id"].removeprefix(URL)
        assert site.get(f"{inside}?q=lighthouse").json()["items"] == []
        [found] = site.get(f"{inside}?q=oyentes").json()["items"]
        assert found["target"].startswith(manifest["items"][0]["id"] + "#")
        podcast = site.get("/podcast.rss").text
        assert interpretation["file"]["url"] in podcast
        assert f"chapters.json?recording={interpretation['sha256'][:12]}" in podcast
        harvested = site.get("/oai?verb=ListRecords&metadataPrefix=oai_dc").text
        assert f"<dc:relation>{address}</dc:relation>" in harvested


def linked(site: Site, path: str) -> list[Any]:
    text = site.get(path).text.partition('<script type="application/ld+json">')[2].partition("</script>")[0]
    made = json.loads(text)
    return list(made.get("@graph", [made]))


@pytest.mark.parametrize(
    ("query", "slugs"),
    [
        ("event=launch", {"the-launch"}),
        ("series=summer&recorded=true", {"arabic", "what-an-archive-owes"}),
        ("person=noor-okafor", {"arabic", "what-an-archive-owes"}),
        ("track=Memory", {"what-an-archive-owes"}),
        ("language=es", {"what-an-archive-owes"}),
        ("recorded=false", {"open-questions", "the-launch", "unplanned"}),
        ("updated_since=2026-11-25", {"arabic", "hostile"}),
        ("updated_since=2026-11-26T00:00:00Z", {"arabic"}),
        ("event=nothing", set()),
    ],
)
def test_sessions_are_those_that_were_asked_for(site: Site, query: str, slugs: set[str]) -> None:
    assert {each["slug"] for each in every(site, f"/sessions?{query}")} == slugs


def test_session_is_told_whole(site: Site) -> None:
    session = ask(site, TALK)
    recordings = session.pop("recordings")
    assert session == {
        "url": f"{URL}/events/{EVENT}/what-an-archive-owes",
        "permanent_url": f"{URL}/cite/000000000001",
        "event": {"slug": EVENT, "title": "Summer University", "url": f"{URL}/events/{EVENT}"},
        "series": {"slug": "summer", "title": "Summer University", "url": f"{URL}/series/summer"},
        "slug": "what-an-archive-owes",
        "title": "What an archive owes its listeners",
        "subtitle": None,
        "kind": "keynote",
        "track": "Memory",
        "room": "Main hall",
        "place": None,
        "start": "2022-07-23T18:00:00+02:00",
        "day": "2022-07-23",
        "planned_ms": 2_700_000,
        "language": "en",
        "abstract": "Recordings that nobody can search are recordings that nobody has.",
        "updated_at": "2026-11-21T00:00:00Z",
        "people": [
            {
                "slug": "noor-okafor",
                "name": "Noor Okafor",
                "role": "speaker",
                "affiliation": "Radio Lighthouse",
                "url": f"{URL}/people/noor-okafor",
            },
            {
                "slug": "jonas-lindqvist",
                "name": "Jonas Lindqvist",
                "role": "chair",
                "affiliation": None,
                "url": f"{URL}/people/jonas-lindqvist",
            },
        ],
        "links": [{"rel": "reading", "url": None, "title": "The Art of Memory"}],
    }
    assert [(each["role"], each["language"], each["licence"]) for each in recordings] == [
        ("floor", "en", "CC-BY-4.0"),
        ("interpretation", "es", None),
    ]
    for each in recordings:
        assert ask(site, f"/recordings/{each['sha256']}")["recording"] == each
        for file in (each["file"], *each["transcript"]["captions"]):
            response = site.get(file["url"].removeprefix(URL))
            assert response.headers["content-type"].partition(";")[0] == file["media_type"]
            assert file["bytes"] in {None, len(response.content)}


def test_transcript_comes_in_pages_with_words(site: Site) -> None:
    [version] = [each["transcript"]["version"] for each in ask(site, TALK)["recordings"][:1]]
    first = ask(site, f"/transcripts/{version}?limit=3&words=true")
    second = ask(site, f"/transcripts/{version}?cursor={first['next']}")
    segments = first["segments"] + second["segments"]
    assert [each["text"] for each in segments] == [text for _, _, text in SENTENCES]
    assert (len(first["segments"]), second["next"]) == (3, None)
    assert first["segments"][0] == {
        "position": 0,
        "start_ms": 0,
        "end_ms": 4_000,
        "text": SENTENCES[0][2],
        "language": None,
        "speaker": None,
        "confidence": 0.9,
        "flags": [],
        "overlapped": False,
        "url": f"{URL}/events/{EVENT}/what-an-archive-owes?recording={first['recording'][:12]}&t=0",
        "words": [
            {"start_ms": 0, "end_ms": 400, "text": "Good", "confidence": 0.95},
            {"start_ms": 400, "end_ms": 900, "text": "evening,", "confidence": 0.9},
        ],
    }


def test_search_and_its_kin_say_the_same_as_the_pages(site: Site) -> None:
    found = ask(site, "/search?q=debt")
    old = site.get("/api/1/search.json?q=debt").json()
    assert (found["total"], [each["count"] for each in found["sessions"]]) == (1, [old["sessions"][0]["count"]])
    assert found["sessions"][0]["hits"][0]["url"].startswith(f"{URL}/events/{EVENT}/what-an-archive-owes?t=")
    moments = every(site, "/moments?q=debt")
    lines = every(site, "/concordance?q=debt")
    assert [each["start_ms"] for each in moments] == [17_000, 22_100, 41_000]
    assert [each["match"] for each in lines] == ["debt", "debt", "debt"]
    assert [each["moment"]["start_ms"] for each in lines] == [each["start_ms"] for each in moments]
    [rate] = ask(site, "/frequency?q=debt&by=year")["items"]
    assert (rate["value"], rate["occurrences"]) == ("2022", 3)


@pytest.mark.parametrize(
    ("path", "detail"),
    [
        ("/events?page=2", "no parameter is called `page`; there are: `limit`, `cursor`."),
        ("/events/launch?limit=1", "no parameter is called `limit`; there are: none."),
        ("/events?limit=0", "Expected `int` >= 1 - at `limit`."),
        ("/events?limit=101", "Expected `int` <= 100 - at `limit`."),
        ("/events?limit=many", "Expected `int`, got `str` - at `limit`."),
        ("/events?limit=1&limit=2", "`limit` is given 2 times: give it once."),
        ("/search?sort=title", "Invalid enum value 'title' - at `sort`."),
        ("/sessions?updated_since=yesterday", "Expected `str` matching regex"),
        ("/sessions?recorded=null", "Expected `bool`, got `str` - at `recorded`."),
    ],
)
def test_question_that_cannot_be_understood_is_refused(site: Site, path: str, detail: str) -> None:
    response = site.get(f"/api/1{path}")
    assert (response.status_code, response.headers["content-type"]) == (400, "application/problem+json")
    assert response.json()["detail"].startswith(detail)


@pytest.mark.parametrize("path", ["/events/x", "/people/x", "/recordings/x", "/transcripts/x", "/sessions/launch/x"])
def test_what_is_not_there_is_a_problem(site: Site, path: str) -> None:
    response = site.get(f"/api/1{path}")
    assert (response.status_code, response.json()["detail"]) == (404, "There is none of this name.")


def test_answer_is_not_sent_again_to_who_has_it(site: Site) -> None:
    tag = site.get("/api/1/events").headers["etag"]
    assert site.get("/api/1/events", headers={"if-none-match": tag}).status_code == 304


def test_writing_is_a_problem(site: Site) -> None:
    response = site.request("POST", "/api/1/events")
    assert (response.status_code, response.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    assert response.json()["detail"] == "This site is read only."


def test_every_endpoint_is_described_and_answered(site: Site) -> None:
    described = ask(site, "/openapi.json")["paths"]
    assert set(described) == {f"/api/1{each.path}" for each in ENDPOINTS}
    assert site.get("/api/1").headers["location"] == "/api/1/openapi.json"


def test_schemathesis_finds_no_failure(tmp_path: Path) -> None:
    publish(tmp_path)
    command = Path(sysconfig.get_path("scripts")) / "schemathesis"
    with serving(tmp_path) as address:
        done = subprocess.run(
            [
                command, "run", f"{address}/api/1/openapi.json", "--checks", "all",
                "--max-examples", "5", "--phases", "examples,coverage,fuzzing,stateful",
                "--seed", "1", "--no-color", "--generation-database", "none",
            ],
            capture_output=True, text=True, check=False, cwd=tmp_path,
        )  # fmt: skip
    assert done.returncode == 0, done.stdout[-8000:]


def test_what_a_citation_needs_is_described_and_asked_for() -> None:
    described = describe(SiteSettings())["paths"]["/api/1/cite/{identity}/{version}"]["get"]["parameters"]
    assert {each["name"] for each in described if each["required"]} == {"identity", "version", "t"}


def test_a_cited_moment_is_looked_up(site: Site) -> None:
    said = "A lighthouse does not tell ships where to go,"
    query = "?t=27.5,31&words=" + said.replace(" ", "+").replace(",", "%2C")
    assert ask(site, f"/cite/000000000001/00000001{query}") == {
        "state": "certain",
        "permanent_url": f"{URL}/cite/000000000001/00000001?t=27.5,31&words={said.replace(' ', '+')}",
        "url": f"{URL}/events/{EVENT}/what-an-archive-owes?t=27.5,31",
        "session": {
            "slug": "what-an-archive-owes",
            "title": "What an archive owes its listeners",
            "url": f"{URL}/events/{EVENT}/what-an-archive-owes",
        },
        "cited_version": "0000000100000001",
        "version": "0000000100000001",
        "recording": ask(site, TALK)["recordings"][0]["sha256"],
        "start_ms": 27_500,
        "end_ms": 31_000,
        "as_cited": said,
        "as_now": said,
        "differences": [],
        "notes": [],
    }
    for query, status in (("?t=soon", 400), ("", 400), ("?t=3&words=" + "a" * 1_001, 400), ("?t=3&x=1", 400)):
        assert site.get(f"/api/1/cite/000000000001/00000001{query}").status_code == status
    assert site.get("/api/1/cite/ffffffffffff/00000001?t=3").status_code == 404


def test_parts_of_the_archive_are_compared(site: Site) -> None:
    words = {each["word"]: each["count"] for each in every(site, f"/vocabulary?event={EVENT}")}
    assert words["debt"] == 3
    assert ask(site, f"/keywords?event={EVENT}&vs_event=hostile") == {"items": [], "complete": True}
    spread = ask(site, f"/dispersion?q=debt&event={EVENT}")
    assert (spread["found_in"], spread["complete"]) == (1, True)
    assert ask(site, "/collocates?q=the&window=2&side=left")["complete"]
    spoken = ask(site, f"/speakers?event={EVENT}")["items"]
    assert [(each["person"], each["name"]) for each in spoken] == [(None, "")]
    assert spoken[0]["words"] > 100


def test_lines_of_a_concordance_are_drawn_by_a_seed(site: Site) -> None:
    some = every(site, "/concordance?q=the&sample=3&seed=1")
    assert len(some) == 3
    assert some == every(site, "/concordance?q=the&sample=3&seed=1")
    whole = every(site, "/concordance?q=the")
    assert [each for each in whole if each in some] == some


@pytest.mark.parametrize(
    ("query", "count"), [("", 3), ("&since=2022-07-23", 3), ("&until=2022-07-22", 0), ("&since=2022-07-27", 0)]
)
def test_moments_between_two_dates(site: Site, query: str, count: int) -> None:
    assert len(every(site, f"/moments?q=debt{query}")) == count
