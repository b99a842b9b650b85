"""Moments at their permanent addresses, in a published folder of the example and of an archive that changes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import quote_plus, urlencode

import pytest

from archive.catalogue.addresses import address_digest
from archive.site.cited.addresses import BadAddressError, parse, plain
from tests.archive.published_folder import SENTENCES
from tests.archive.site.test_pages import TALK, Reader, Site, serve_example, squeezed

MOMENT = "/cite/000000000001/00000001"
URL = "http://127.0.0.1:8001"
SAID = "A lighthouse does not tell ships where to go,"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    digests = (
        ("person_id", address_digest("person_id", "noor-okafro")),
        ("event_id", address_digest("event_id", "summer-school")),
        ("session_id", address_digest("session_id", "what-archives-owe", "000000000001")),
    )
    former = [f"INSERT INTO former_address(digest, {owner}) VALUES ('{digest}', 1)" for owner, digest in digests]
    with serve_example(tmp_path_factory.mktemp("public"), *former, title="Radio Lighthouse") as made:
        yield made


def at(**query: str) -> str:
    return f"{MOMENT}?{urlencode(query, safe=',')}"


def page_of(site: Site, path: str, status: int = 200) -> Reader:
    answer = site.get(path)
    assert answer.status_code == status, answer.text[:400]
    return Reader(answer.text)


def test_a_session_has_an_address_that_stays(site: Site) -> None:
    answer = site.get("/cite/000000000001?t=61.2")
    assert (answer.status_code, answer.headers["location"]) == (302, f"{TALK}?t=61.2")


def test_a_person_is_found_at_the_address_of_a_former_name(site: Site) -> None:
    answer = site.get("/people/noor-okafro")
    assert (answer.status_code, answer.headers["location"]) == (301, "/people/noor-okafor")
    assert site.get("/people/noor-okafra").status_code == 404


@pytest.mark.parametrize("event", ["summer-school", "summer-university-2022"])
@pytest.mark.parametrize("session", ["what-archives-owe", "what-an-archive-owes"])
@pytest.mark.parametrize("rest", ["", "?t=61.2", "/captions.vtt", "/cite?t=27.5,33"])
def test_a_session_is_found_at_its_former_addresses(site: Site, event: str, session: str, rest: str) -> None:
    answer = site.get(f"/events/{event}/{session}{rest}")
    if f"/events/{event}/{session}" == TALK:
        assert answer.status_code == 200
    else:
        assert (answer.status_code, answer.headers["location"]) == (301, f"{TALK}{rest}")


def test_an_event_is_found_at_its_former_address(site: Site) -> None:
    answer = site.get("/events/summer-school")
    assert (answer.status_code, answer.headers["location"]) == (301, "/events/summer-university-2022")
    for path in ("/events/what-archives-owe", "/events/summer-university-2022/summer-school", "/events/none/x"):
        assert site.get(path).status_code == 404


@pytest.mark.parametrize(
    ("former", "now"),
    [
        ("/events/summer-school", "/events/summer-university-2022"),
        ("/sessions/summer-school/what-archives-owe", "/sessions/summer-university-2022/what-an-archive-owes"),
        ("/people/noor-okafro", "/people/noor-okafor"),
    ],
)
def test_programs_find_what_is_there_at_a_former_address(site: Site, former: str, now: str) -> None:
    found, wanted = (site.get(f"/api/1{path}") for path in (former, now))
    assert (found.status_code, found.json()) == (200, wanted.json())
    assert site.get(f"/api/1{former}x").status_code == 404


def test_a_moment_that_is_shared_names_its_words(site: Site) -> None:
    page = squeezed(Reader(site.get(f"{TALK}/cite?t=27.5,33").text).text)
    words = quote_plus(SENTENCES[5][2], safe=",")
    assert f"{URL}{MOMENT}?t=27.5,33&words={words}" in page
    short = site.get(f"{TALK}/cite.txt?t=27.5,29&style=csl").json()[0]["URL"]
    assert short == (
        f"{URL}{MOMENT}?t=27.5,29&words=A+lighthouse+does+not&before=and+what+was+guessed.&after=tell+ships+where+to"
    )


def test_a_moment_that_stands_is_certain(site: Site) -> None:
    page = page_of(site, at(t="27.5,31", words=SAID))
    text = squeezed(page.text)
    assert "This is the moment that was cited, and its words stand as they were cited." in text
    assert "A lighthouse does not tell ships where to go," in text
    assert f"{TALK}?t=27.5,31" in page.attributes("a", "href")
    assert any(str(each).endswith(".wav#t=27.5,31") for each in page.attributes("source", "src"))


def test_words_that_were_never_said_are_not_repeated(site: Site) -> None:
    page = page_of(site, at(t="27.5,31", words="The speaker owes everybody money and never pays"))
    text = squeezed(page.text)
    assert "It is not certain that this is the moment that was cited." in text
    assert "The archive cannot confirm that the words in the address were ever in its transcript" in text
    assert "owes everybody money" not in text


def test_words_that_are_said_at_another_time_are_shown_there_and_not_certain(site: Site) -> None:
    page = page_of(site, at(t="3,5", words=SAID))
    assert "It is not certain" in squeezed(page.text)
    assert f"{TALK}?t=27.5,30.836" in page.attributes("a", "href")


def test_an_unknown_version_is_told_and_never_certain(site: Site) -> None:
    page = page_of(site, f"/cite/000000000001/ffffffff?t=27.5&words={quote_plus(SAID)}")
    assert "The version of the transcript that the address names is not known here." in squeezed(page.text)
    assert "It is not certain" in squeezed(page.text)
    page_of(site, "/cite/000000000001/ffffffff?t=27.5&words=nothing+of+this+kind+was+ever+said+here", 404)
    page_of(site, "/cite/000000000001/ffffffff?t=27.5", 404)
    page_of(site, "/cite/ffffffffffff/00000001?t=27.5", 404)


def test_an_annotation_has_the_selectors_of_w3c(site: Site) -> None:
    path = at(t="27.5,31", words=SAID, before="and what was guessed.")
    answer = site.get(path.replace("?", ".jsonld?"))
    assert answer.headers["content-type"] == 'application/ld+json; profile="http://www.w3.org/ns/anno.jsonld"'
    fragment = {"type": "FragmentSelector", "conformsTo": "http://www.w3.org/TR/media-frags/", "value": "t=27.5,31"}
    quoted = {"type": "TextQuoteSelector", "exact": SAID, "prefix": "and what was guessed."}
    found = answer.json()
    assert found["@context"] == "http://www.w3.org/ns/anno.jsonld"
    assert found["id"] == f"{URL}{path}"
    assert found["target"] == {
        "type": "SpecificResource",
        "source": f"{URL}/api/1/transcripts/0000000100000001",
        "scope": f"{URL}/cite/000000000001",
        "selector": [fragment, quoted],
    }
    assert found["body"][0] == {
        "type": "SpecificResource",
        "purpose": "linking",
        "source": f"{URL}{TALK}",
        "selector": [
            {**fragment, "value": "t=27.5,31"},
            {"type": "TextQuoteSelector", "exact": "A lighthouse does not tell ships where to go,"},
        ],
    }
    assert found["body"][-1]["value"] == "certain"


@pytest.mark.parametrize(("accept", "linked"), [
    ("application/ld+json", True), ("application/json", True), ("text/html", False), ("*/*", False), ("", False),
    ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", False),
    ("application/ld+json;q=0.4, text/html;q=0.9", False), ("text/html;q=0.2, application/ld+json", True),
    ('application/ld+json;profile="http://www.w3.org/ns/anno.jsonld"', True), ("," * 5_000, False),
])  # fmt: skip
def test_programs_get_the_annotation_at_the_same_address(site: Site, accept: str, linked: bool) -> None:
    for _ in range(2):  # the second from memory
        answer = site.get(at(t="27.5,31", words=SAID), headers={"accept": accept})
        assert answer.headers["content-type"].startswith("application/ld+json" if linked else "text/html")
        assert "Accept" in [each.strip() for each in answer.headers["vary"].split(",")]


HOSTILE = {
    "no time": "words=x", "no number": "t=soon", "backwards": "t=9,3", "huge": "t=99999999999999999999",
    "long": "t=3&words=" + "a" * 1_001, "long before": "t=3&before=" + "b" * 201,
    "markup": "t=3&words=%3Cscript%3Ealert(1)%3C/script%3E", "controls": "t=3&words=%00%1b%5B2J%E2%80%AEgo",
    "signs": "t=3&words=%22%27%3E%3C%26...", "broken utf-8": "t=3&words=%ff%fe", "ellipses": "t=3&words=" + "…" * 90,
    "empty": "t=3&words=", "twice": "t=3&t=4&words=a&words=b", "many": "&".join(f"t={n}" for n in range(900)),
    "no letters": "t=3&words=%E2%80%A6", "repeats": "t=3,9&words=" + "+".join(["the"] * 240),
}  # fmt: skip


@pytest.mark.parametrize("query", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("form", ["", ".jsonld"])
@pytest.mark.parametrize("version", ["00000001", "ffffffff"])
def test_hostile_addresses_are_answered(site: Site, query: str, form: str, version: str) -> None:
    answer = site.get(f"/cite/000000000001/{version}{form}?{query}")
    assert answer.status_code in {200, 400, 404}
    assert "<script>alert" not in answer.text
    assert not set("\x00\x1b\u202e") & set(answer.text)
    if form:
        assert isinstance(json.loads(answer.text), dict)


@pytest.mark.parametrize("path", [
    "/cite", "/cite/", "/cite/x", "/cite/000000000001/", "/cite/000000000001/zz?t=3", "/cite/000000000001/00000001/x",
    "/cite/000000000001/" + "0" * 17, "/cite/%3Cscript%3E/00000001?t=1", "/cite/..%2f..%2f/00000001",
])  # fmt: skip
def test_addresses_of_another_form_are_not_there(site: Site, path: str) -> None:
    assert site.get(path).status_code in {301, 404}


def test_a_problem_is_said_in_words(site: Site) -> None:
    assert "needs its time, such as t=61.2" in squeezed(page_of(site, f"{MOMENT}?words=x", 400).text)
    answer = site.get(f"{MOMENT}.jsonld?t=3&words={'a' * 1_001}")
    assert (answer.status_code, answer.json()["detail"]) == (400, "words may have 1000 letters at most.")


def test_quotations_are_of_letters_and_marks() -> None:
    assert plain("Élan,\n “re-use” 50% 東京\x1b[2J\u202e 🙂 <b>") == "Élan, “re-use” 50% 東京 [2J <b>"


def test_addresses_are_read_back() -> None:
    words = {"t": "61.2,75", "words": "what … owes", "before": "ask", "after": "its"}
    address = parse("0" * 12, "1" * 8, lambda name: words.get(name, ""))
    assert address.parts == ("what", "owes")
    assert address.path == (f"/cite/{'0' * 12}/{'1' * 8}?t=61.2,75&words=what+%E2%80%A6+owes&before=ask&after=its")
    with pytest.raises(BadAddressError):
        parse("0" * 12, "1" * 8, lambda _: "")
