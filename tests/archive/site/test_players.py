"""Podcasts as the program of the Podcast Index reads them, which leaves out what breaks the rules of the namespace.

What it has read is compared with what an XML parser reads. The files that episodes name are checked by their own rules.
"""

from __future__ import annotations

import io
import re
import uuid
from collections.abc import Callable, Iterator
from datetime import datetime
from email.utils import parsedate_to_datetime
from html import unescape
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import unquote

import av
import msgspec
import pytest
from lxml import etree

from archive.publication.folder import SiteNames
from archive.site.feeds.podcast import ITUNES, NAMESPACE
from archive.sqlite import Database
from tests.archive.published_folder import HOSTILE, publish
from tests.archive.site.test_pages import Site
from tests.archive.written_site import write
from tests.node import ask

URL = "https://talks.example.org"
PODCAST, APPLE, ATOM = f"{{{NAMESPACE}}}", f"{{{ITUNES}}}", "{http://www.w3.org/2005/Atom}"
FEEDS = (
    "/podcast.rss",
    "/events/summer-university-2022/podcast.rss",
    "/events/hostile/podcast.rss",
    "/series/summer/podcast.rss",
    "/people/noor-okafor/podcast.rss",
    "/people/eve/podcast.rss",
    "/tracks/Memory/podcast.rss",
    "/languages/und/podcast.rss",
    "/search/podcast.rss?q=archive+OR+lantern&person=noor-okafor",
)
TITLE = "\u202eWhy ]]> <b>&amp; \u0007the 👩‍👩‍👧 &lt;canvas> lost\u2028\u200f%s"


def fill(db: Database, _media: Path) -> None:
    """Give the sessions what strangers may give them: titles, parts, licences, chapters, and no language."""
    db.execute("UPDATE session SET title = ?, abstract = ? WHERE id = 6", [TITLE, f"{TITLE}\n\n- one\n- two"])
    db.execute("UPDATE event SET title = ?, description = ? WHERE id = 1", [TITLE, TITLE])
    db.execute(
        "UPDATE recording SET licence = 'https://creativecommons.org/licenses/by-nc-nd/4.0/deed.fr' WHERE id = 3"
    )
    db.execute("UPDATE recording SET licence = 'All rights reserved; ask the Radio' WHERE id = 4")
    db.execute("UPDATE recording SET kind = 'video' WHERE id = 1")
    db.execute("UPDATE recording SET language = 'und' WHERE id = 3")
    db.execute("UPDATE transcript SET language = 'und' WHERE id = 3")
    for position, role in enumerate(("interpreter", "reader", "author", "panellist", "host"), 5):
        person = {"id": position, "slug": role, "name": f"{role} \u0008 {HOSTILE}", "biography": None}
        db["person"].insert(person)
        part = {"session_id": 1, "person_id": position, "role": role, "affiliation": None, "position": position}
        db["session_person"].insert(part)
    made = {
        "id": 90, "recording_id": 1, "version": "v90", "language": "en", "kind": "imported", "generator": "webvtt",
        "parameters": '{"track": "chapters"}', "parameters_hash": "-", "duration_ms": 60_000, "is_current": 0,
        "created_at": "2026-11-23T09:00:00Z",
    }  # fmt: skip
    db["transcript"].insert(made)
    for position, (start_ms, title) in enumerate(((0, HOSTILE), (17_000, "Debts"), (40_500, TITLE))):
        row = {"transcript_id": 90, "position": position, "start_ms": start_ms, "end_ms": 60_000, "text": title}
        db["segment"].insert({"id": 9000 + position, **row})


class Published(NamedTuple):
    """A site, by its address and by what gives an answer to a path: its bytes, and their type where that is said."""

    url: str
    answer: Callable[[str], tuple[bytes, str | None]]

    def get(self, address: str) -> tuple[bytes, str | None]:
        """Return what the site answers at one of its whole addresses."""
        assert address.startswith(f"{self.url}/")
        return self.answer(address.removeprefix(self.url))


@pytest.fixture(scope="module", params=["", "/radio", "files"])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    public, folder = tmp_path_factory.mktemp("public"), tmp_path_factory.mktemp("files") / "talks"
    names = SiteNames(title="Talks", url=URL, contact="talks@example.org", hub="https://hub.example.org/")
    publish(public, more=fill)
    if request.param == "files":
        pytest.importorskip("pagefind", reason="no Pagefind: pip install 'rostra[static]'")
        write(public, folder, names)
        yield Published(URL, lambda path: ((folder / unquote(path).lstrip("/")).read_bytes(), None))
        return
    url = f"{URL}{request.param}"
    made = Site(public, url=url, title=names.title, contact=names.contact, hub=names.hub)

    def answer(path: str) -> tuple[bytes, str]:
        response = made.get(path)
        assert response.status_code == 200
        return response.content, response.headers["content-type"].partition(";")[0]

    yield Published(url, answer)
    made.datasette.executor.shutdown()


@pytest.mark.parametrize("path", FEEDS)
def test_program_of_the_podcast_index_reads_all_that_is_written(site: Published, path: str) -> None:
    try:
        document, _ = site.get(f"{site.url}{path}")
    except FileNotFoundError:
        assert path.startswith("/search")  # files answer no query
        return
    channel = etree.fromstring(document).find("channel")
    read, warnings = ask("partytime", document)
    items = channel.findall("item")
    assert (warnings, items != []) == ([], True)
    assert said_of(read) == written_of(channel)
    assert [episode(each, read["language"]) for each in read.get("items", ())] == [
        written(each, channel.findtext("language")) for each in items
    ]


def said_of(read: Any) -> dict[str, Any]:
    """Return what the program has read of a show."""
    plain = ("title", "description", "link", "language", "generator", "itunesType", "itunesCategory", "explicit")
    return {
        **{name: read[name] for name in (*plain, "author", "guid", "medium", "owner")},
        "image": read["itunesImage"],
        "built": datetime.fromisoformat(read["lastBuildDate"]),
        **{rel: read["pubsub"].get(rel) for rel in ("self", "hub", "next")},
    }


def written_of(channel: Any) -> dict[str, Any]:
    """Return what is written of a show, as that program names it."""
    assert uuid.UUID(channel.findtext(f"{PODCAST}guid")).version == 5
    assert re.fullmatch("[a-z]{2,3}(-[A-Za-z0-9]+)*", channel.findtext("language"))
    owner = channel.find(f"{APPLE}owner")
    links = {each.get("rel"): each.get("href") for each in channel.findall(f"{ATOM}link")}
    return {
        **{name: line(channel.findtext(name)) for name in ("title", "description", "link", "language", "generator")},
        "itunesType": channel.findtext(f"{APPLE}type"),
        "itunesCategory": [each.get("text") for each in channel.findall(f"{APPLE}category")],
        "explicit": False,
        "author": channel.findtext(f"{APPLE}author"),
        "guid": channel.findtext(f"{PODCAST}guid"),
        "medium": channel.findtext(f"{PODCAST}medium"),
        "owner": {name: owner.findtext(f"{APPLE}{name}") for name in ("name", "email")},
        "image": channel.find(f"{APPLE}image").get("href"),
        "built": parsedate_to_datetime(channel.findtext("lastBuildDate")),
        **{rel: links.get(rel) for rel in ("self", "hub", "next")},
    }


def line(text: str) -> str:
    """Return a text as the program keeps it: on one line, and with references of HTML resolved once more."""
    return re.sub(r"\s{2,}", " ", re.sub(r"\r\n|\n|\r", " ", unescape(text))).strip()


def episode(read: Any, show: str) -> dict[str, Any]:
    """Return what the program has read of an episode."""
    names = ("guid", "enclosure", "duration", "explicit", "title", "link", "itunesEpisodeType", "description")
    return {
        **{name: read[name] for name in names},
        "published": datetime.fromisoformat(read["pubDate"]),
        "image": read.get("itunesImage"),
        "transcripts": [
            (each["url"], each["type"], each.get("language", show), each.get("rel"))
            for each in read["podcastTranscripts"]
        ],
        "chapters": read["podcastChapters"],
        "people": [(each["name"], each["role"], each["group"], each["href"]) for each in read.get("podcastPeople", ())],
        "licence": read.get("license", {}).get("identifier"),
        "others": [
            (each["type"], each.get("lang"), [source["uri"] for source in each["source"]])
            for each in read.get("alternativeEnclosures", ())
        ],
    }


TYPES = {"text/vtt": "text/vtt", "application/x-subrip": "application/srt", "application/json": "application/json"}


def written(item: Any, show: str) -> dict[str, Any]:
    """Return what is written of an episode, as that program names it."""
    [enclosure], [chapters] = item.findall("enclosure"), item.findall(f"{PODCAST}chapters")
    image, licence = item.find(f"{APPLE}image"), item.find(f"{PODCAST}license")
    if licence is not None:
        assert re.fullmatch("cc-[a-z-]+-[0-9.]+|[a-z0-9.-]+", licence.text)
    return {
        **{name: line(item.findtext(name)) for name in ("guid", "title", "link", "description")},
        "enclosure": {
            "url": enclosure.get("url"),
            "length": int(enclosure.get("length")),
            "type": enclosure.get("type"),
        },
        "duration": int(item.findtext(f"{APPLE}duration")),
        "explicit": item.findtext(f"{APPLE}explicit") != "false",
        "itunesEpisodeType": item.findtext(f"{APPLE}episodeType"),
        "published": parsedate_to_datetime(item.findtext("pubDate")),
        "image": image.get("href") if image is not None else None,
        "transcripts": [
            (each.get("url"), TYPES[each.get("type")], each.get("language", show), each.get("rel"))
            for each in item.findall(f"{PODCAST}transcript")
        ],
        "chapters": dict(chapters.attrib),
        "people": [
            (unescape(each.text), each.get("role").title(), each.get("group").title(), each.get("href"))
            for each in item.findall(f"{PODCAST}person")
        ],
        "licence": licence.text if licence is not None else None,
        "others": [
            (each.get("type"), each.get("lang"), [source.get("uri") for source in each])
            for each in item.findall(f"{PODCAST}alternateEnclosure")
        ],
    }


class Said(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """A segment of a transcript in JSON."""

    start_time: Annotated[float, msgspec.Meta(ge=0)]
    end_time: Annotated[float, msgspec.Meta(ge=0)]
    body: Annotated[str, msgspec.Meta(min_length=1)]
    speaker: str | None = None


class Transcript(msgspec.Struct, forbid_unknown_fields=True):
    """A transcript in JSON.

    Source: https://github.com/Podcastindex-org/podcast-namespace/blob/main/docs/examples/transcripts/transcripts.md.
    """

    version: Literal["1.0.0"]
    segments: Annotated[list[Said], msgspec.Meta(min_length=1)]


class Chapter(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    """A chapter."""

    start_time: Annotated[float, msgspec.Meta(ge=0)]
    end_time: float
    title: Annotated[str, msgspec.Meta(min_length=1)]


class Chapters(msgspec.Struct, forbid_unknown_fields=True):
    """Chapters in JSON, with a mark of ours where a program proposes them.

    Source: https://github.com/Podcastindex-org/podcast-namespace/blob/main/docs/examples/chapters/jsonChapters.md.
    """

    version: Literal["1.2.0"]
    title: str
    chapters: Annotated[list[Chapter], msgspec.Meta(min_length=1)]
    proposed: bool = False


WORD_JOINER = "\u2060"
"""Stands in SubRip where a text would look like markup, which it cannot escape."""


def linked(site: Published, tag: str) -> Iterator[tuple[Any, bytes]]:
    """Yield every element of a name in the feed of everything, with the file that it names."""
    for each in etree.fromstring(site.get(f"{site.url}/podcast.rss")[0]).iter(f"{PODCAST}{tag}"):
        content, media_type = site.get(each.get("url"))
        assert media_type in {each.get("type"), None}
        yield each, content


def test_transcripts_of_episodes_are_what_their_type_says(site: Published) -> None:
    said: dict[str, dict[str, str]] = {form: {} for form in TYPES}
    for element, content in linked(site, "transcript"):
        form, language = element.get("type"), element.get("language")
        if form == "application/json":
            segments = msgspec.json.decode(content, type=Transcript).segments
            assert segments == sorted(segments, key=lambda each: each.start_time)
            assert [each for each in segments if each.end_time < each.start_time] == []
            texts = [each.body for each in segments]
        else:
            texts = read_by_ffmpeg(content, "webvtt" if form == "text/vtt" else "srt")
        said[form][language] = " ".join(" ".join(texts).replace(WORD_JOINER, "").split())
    assert set(said["application/json"]) == {"en", "es", "ar", "und"}
    assert said["text/vtt"] == said["application/x-subrip"] == said["application/json"]


def read_by_ffmpeg(content: bytes, form: str) -> list[str]:
    """Return the texts of captions, as FFmpeg reads them."""
    with av.open(io.BytesIO(content), format=form) as container:
        return [unescape(bytes(packet).decode()) for packet in container.demux() if packet.size]


def test_chapters_of_episodes_are_valid_and_follow_each_other(site: Published) -> None:
    files = [msgspec.json.decode(content, type=Chapters) for _, content in linked(site, "chapters")]
    assert sorted(len(each.chapters) for each in files) == [1, 1, 3]
    for each in files:
        ends = [part.end_time for part in each.chapters]
        assert [part.start_time for part in each.chapters] == [0, *ends[:-1]]
        assert ends == sorted(ends)
    assert [each.proposed for each in files if len(each.chapters) == 3] == [False]
