"""In which file an address lies, and which link leads there."""

from __future__ import annotations

import pytest

from archive.site.frozen.places import Place, Places, as_served, logo_file


@pytest.mark.parametrize(
    ("address", "file", "link"),
    [
        ("/", "index.html", "/"),
        ("/events/e", "events/e/index.html", "/events/e"),
        ("/events/e/s?t=61.2,75&q=a+b", "events/e/s/index.html", "/events/e/s?t=61.2,75&q=a+b"),
        ("/events/e/s?lang=de&t=3", "events/e/s/index.html", "/events/e/s?t=3"),
        ("/events/e/s?recording=0a1b&t=3", "events/e/s/~recording-0a1b/index.html", "/events/e/s/~recording-0a1b/?t=3"),
        (
            "/events/e/s?recording=0a1b&language=pt-BR",
            "events/e/s/~language-pt-BR-recording-0a1b/index.html",
            "/events/e/s/~language-pt-BR-recording-0a1b/",
        ),
        ("/events/e/s/captions.vtt", "events/e/s/captions.vtt", "/events/e/s/captions.vtt"),
        (
            "/events/e/s/captions.vtt?language=es",
            "events/e/s/captions~language-es.vtt",
            "/events/e/s/captions~language-es.vtt",
        ),
        (
            "/events/e/s/captions.srt?language=es&speakers=no",
            "events/e/s/captions~language-es-speakers-no.srt",
            "/events/e/s/captions~language-es-speakers-no.srt",
        ),
        ("/feed.atom?page=2", "feed~page-2.atom", "/feed~page-2.atom"),
        ("/events/e?track=Memory&language=en", "events/e/index.html", "/events/e?track=Memory&language=en"),
        ("/search?q=x&language=es", "search/index.html", "/search?q=x&language=es"),
        ("/tracks/Node.js", "tracks/Node.js/index.html", "/tracks/Node.js"),
        ("/tracks/feed.atom", "tracks/feed.atom/index.html", "/tracks/feed.atom"),
        ("/tracks/A%2FB%20%C3%BC", "tracks/A/B ü/index.html", "/tracks/A%2FB%20%C3%BC"),
        ("/tracks/A%2FB/feed.atom", "tracks/A/B/feed.atom", "/tracks/A%2FB/feed.atom"),
        ("/people/noor/portrait.jpg?v=0a", "people/noor/portrait.jpg", "/people/noor/portrait.jpg?v=0a"),
        ("/accent.css?v=1", "accent.css", "/accent.css?v=1"),
        ("/media/ab.webm", "media/ab.webm", "/media/ab.webm"),
    ],
)
def test_address_lies_where_every_server_looks_for_it(address: str, file: str, link: str) -> None:
    assert Places().of(address) == Place(file, link)


@pytest.mark.parametrize(
    "name",
    [".", "..", "..%2F..%2Fetc%2Fpasswd", "a%2F%2Fb", "%2F", "a%5Cb", "a%00b", "%0A", "~x", "a%2Findex.html",
     "a%2Ffeed.atom", "x" * 300, "%C3%BC" * 150],
)  # fmt: skip
def test_name_that_no_file_can_have_gets_one_of_its_own(name: str) -> None:
    place = Places().of(f"/tracks/{name}")
    assert place is not None
    folder, own, rest = place.file.split("/", 2)
    assert (folder, own[:1], len(own), rest, place.link) == ("tracks", "~", 17, "index.html", f"/tracks/{own}/")
    feed = Places().of(f"/tracks/{name}/feed.atom")
    assert feed is not None
    assert feed.link == f"/tracks/{own}/feed.atom"


@pytest.mark.parametrize(
    "address",
    ["/data", "/data/session?_size=max", "/explore?q=x", "/api/1/sessions/e/s", "/oai", "/oembed?url=x", "/search/help",
     "/search/suggest.json", "/search/feed.atom?q=x", "/events/e/s/search.json", "/-/health", "/corpus.zip",
     "/nothing"],
)  # fmt: skip
def test_what_asks_a_program_has_no_file(address: str) -> None:
    assert Places().of(address) is None


def test_what_is_played_may_lie_elsewhere_and_the_rest_not() -> None:
    places = Places("https://media.example.org/x", {"ab.webm"}, logo_file(b"\x89PNG\r\n\x1a\n"))
    assert places.of("/media/ab.webm#t=3") == Place("", "https://media.example.org/x/ab.webm#t=3")
    assert places.of("/media/ab.vtt") == Place("media/ab.vtt", "/media/ab.vtt")
    assert places.of("/logo?v=1") == Place("logo.png", "/logo.png?v=1")


@pytest.mark.parametrize(
    ("path", "served"),
    [
        ("/events/e/s/~recording-0a1b/", "/events/e/s?recording=0a1b"),
        ("/events/e/s/~language-pt-BR-recording-0a1b", "/events/e/s?language=pt-BR&recording=0a1b"),
        ("/events/e/s/~x", None),
        ("/events/e/s", None),
    ],
)
def test_address_of_a_file_is_understood_by_the_site(path: str, served: str | None) -> None:
    assert as_served(path) == served
