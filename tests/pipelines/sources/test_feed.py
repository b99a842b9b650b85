from __future__ import annotations

import io
import json
import os
import wave
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import msgspec
import numpy as np
import pytest

from metadata.model import ExternalId, Session
from metadata.timetables import read_timetables
from pipelines.config import PullSettings as Settings
from pipelines.run.executors import InProcess, Local
from pipelines.run.runner import RunSummary, run_stage
from pipelines.sources import Found, Shelf, find
from pipelines.sources import feed as feed_source
from pipelines.sources.base import shelf_name
from pipelines.sources.feed import Episode
from pipelines.stages.captions import Captions
from pipelines.stages.pull import Pull
from pipelines.stages.words import PullWords
from pipelines.storage.archive_folder import Context, init, open_archive
from tests.metadata.timetables.test_cases import CASES
from tests.pipelines.sources.server import Behaviour, Handler, Site, file, redirect, serving
from tests.pipelines.trials import Watch

FEED = "/podcast.xml"


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as site:
        yield site


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    init(tmp_path / "archive", title="Test")
    settings = tmp_path / "archive" / "rostra.toml"
    settings.write_text('[pull]\nprivate_hosts = ["127.0.0.1"]\nretry_seconds = 0\n')
    with open_archive(tmp_path / "archive") as context:
        yield context


def sound(number: int) -> bytes:
    """A recording of a tenth of a second, whose bytes are its own."""
    data = io.BytesIO()
    with wave.open(data, "wb") as writer:
        writer.setnchannels(1)
        writer.setsampwidth(2)
        writer.setframerate(8000)
        writer.writeframes(np.full(800, number, dtype="<i2").tobytes())
    return data.getvalue()


def entry(number: int, url: str, **more: str) -> str:
    parts = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in more.items())
    return (
        f"<item><guid isPermaLink='false'>episode-{number}</guid><title>Episode {number}</title>{parts}"
        f"<enclosure url='{url}/{number}.wav' type='audio/wav' length='{len(sound(0))}'/></item>"
    )


def document(entries: str) -> bytes:
    return (
        "<?xml version='1.0'?><rss version='2.0' xmlns:dc='http://purl.org/dc/elements/1.1/'><channel>"
        f"<title>Lectures</title><language>en-GB</language>{entries}</channel></rss>"
    ).encode()


def feed(body: bytes, etag: str) -> Behaviour:
    def answer(handler: Handler) -> None:
        if handler.headers.get("if-none-match") == etag:
            handler.send(304, b"", etag=etag)
        else:
            handler.send(200, body, etag=etag, content_type="application/rss+xml")

    return answer


def publish(site: Site, numbers: range, etag: str) -> None:
    site.answers[FEED] = feed(document("".join(entry(number, site.url) for number in numbers)), etag)
    for number in numbers:
        site.answers[f"/{number}.wav"] = file(sound(number), etag=None)


def pull(context: Context, site: Site) -> RunSummary:
    return run_stage(context, Pull([site.url + FEED]), InProcess(), Watch())


def count(context: Context, table: str) -> int:
    return int(context.db.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def test_feed_of_500_updated_twice_brings_what_is_new_alone(context: Context, site: Site) -> None:
    answered: list[int] = []
    for newest, etag in ((500, '"one"'), (503, '"two"'), (510, '"three"')):
        publish(site, range(newest - 500, newest), etag)
        site.asked.clear()
        answered.append(sum(pull(context, site).counts.values()))
        assert len([path for path, _ in site.asked if path.endswith(".wav")]) == answered[-1]
        assert len(site.at(FEED)) == (2 if newest == 500 else 1)  # before it is known as one, it is looked at
    assert answered == [500, 3, 7]
    assert count(context, "recording") == 510
    site.asked.clear()
    assert dict(pull(context, site).counts) == {}
    assert site.asked == [(FEED, None)]


def test_unchanged_feed_is_not_sent_again_and_what_failed_of_it_is_tried(context: Context, site: Site) -> None:
    publish(site, range(3), '"one"')
    gone = site.answers.pop("/1.wav")
    assert dict(pull(context, site).counts) == {"done": 2, "failed": 1}
    context.db.execute("DELETE FROM stage_run WHERE status = 'failed'")
    context.db.conn.commit()
    site.answers["/1.wav"] = gone
    assert dict(pull(context, site).counts) == {"done": 1}
    assert count(context, "recording") == 3


def test_episode_describes_its_session_with_provenance(context: Context, site: Site) -> None:
    more = {
        "link": "https://example.org/1",
        "pubDate": "Sat, 23 Jul 2022 18:00:00 +0200",
        "dc:creator": "Noor Okafor",
        "description": "<p>On <b>tides</b> &amp; tables.</p><script>alert(1)</script>",
    }
    site.answers[FEED] = feed(document(entry(1, site.url, **more)), '"one"')
    site.answers["/1.wav"] = file(sound(1))
    pull(context, site)
    row = next(iter(context.db.query("SELECT slug, title, abstract, start_at, language FROM session")))
    assert row == {
        "slug": "episode-1",
        "title": "Episode 1",
        "abstract": "On tides & tables.",
        "start_at": "2022-07-23T18:00:00+02:00",
        "language": "en-GB",
    }
    assert context.db.execute("SELECT name FROM person").fetchall() == [("Noor Okafor",)]
    assert context.db.execute("SELECT rel, url FROM link").fetchall() == [("website", "https://example.org/1")]
    place, about = context.db.execute("SELECT place, about FROM provenance").fetchone()
    assert place == f"{site.url}{FEED}#episode-1"
    assert json.loads(about)["session"]["title"] == "Episode 1"


def test_episode_with_other_bytes_takes_the_place_of_the_old_one(context: Context, site: Site) -> None:
    publish(site, range(1), '"one"')
    pull(context, site)
    body = document(entry(0, site.url)).replace(b"0.wav", b"corrected.wav")
    site.answers |= {FEED: feed(body, '"two"'), "/corrected.wav": file(sound(99))}
    pull(context, site)
    rows = context.db.execute("SELECT session_id, superseded_by FROM recording ORDER BY id").fetchall()
    assert [tuple(row) for row in rows] == [(1, 2), (1, None)]


def test_feed_that_cannot_be_read_fails_until_it_can(context: Context, site: Site) -> None:
    publish(site, range(2), '"one"')
    pull(context, site)
    good = site.answers.pop(FEED)
    for _ in range(5):
        assert dict(pull(context, site).counts) == {"failed": 1}
    site.answers[FEED] = lambda handler: handler.send(200, b"<html>Moved</html>", content_type="text/html")
    assert dict(pull(context, site).counts) == {"failed": 1}
    site.answers[FEED] = good
    assert dict(pull(context, site).counts) == {"done": 1}
    assert dict(pull(context, site).counts) == {}


HOSTILE = b"""<?xml version='1.0'?>
<!DOCTYPE rss [
<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;'><!ENTITY f SYSTEM 'file:///etc/passwd'>
]>
<rss version='2.0'><channel><title>&f;</title>
<item><guid isPermaLink='false'>1</guid><title>../../&b;&f;\x7f</title>
  <enclosure url='file:///etc/passwd' type='audio/wav'/></item>
<item><guid isPermaLink='false'>2</guid><title>Inside</title>
  <enclosure url='http://169.254.169.254/x' type='audio/wav'/></item>
<item><guid>3</guid><title>Page</title><enclosure url='https://example.org' type='text/html'/></item>
<item><guid>4</guid><title>No file</title></item>
<item><guid isPermaLink='false'>2</guid><title>Twice</title>
  <enclosure url='http://10.0.0.1/' type='audio/wav'/></item>
</channel></rss>
"""


def test_hostile_feed_reads_no_file_and_asks_no_private_address(context: Context, site: Site) -> None:
    site.answers[FEED] = feed(HOSTILE, '"one"')
    report = pull(context, site)
    assert {item.subject.partition("#")[2]: (outcome.status, outcome.code) for item, outcome in report.troubles} == {
        "1": ("refused", "address"),
        "2#http://169.254.169.254/x": ("refused", "address"),
        "2#http://10.0.0.1/": ("refused", "address"),
        f"{site.url}/3": ("skipped", "enclosure"),
    }
    assert "root:" not in json.dumps([item.label for item, _ in report.troubles])
    assert count(context, "recording") == 0


def enclosed(site: Site, *items: tuple[str, str, str, str]) -> None:
    """Publish episodes by title, id, media type and date, each with a recording of its own."""
    entries = []
    for number, (title, guid, media_type, date) in enumerate(items):
        where = f"/{number}.torrent" if media_type == "application/x-bittorrent" else f"/{number}.wav"
        site.answers[where] = file(sound(number), etag=None)
        entries.append(
            f"<item><title>{title}</title><guid isPermaLink='false'>{guid}</guid><pubDate>{date}</pubDate>"
            f"<enclosure url='{site.url}{where}' type='{media_type}'/></item>"
        )
    site.answers[FEED] = feed(document("".join(entries)), '"one"')


NEW_YEAR = "Mon, 01 Jan 2024 10:00:00 +0000"


def test_episodes_that_share_an_id_are_all_pulled_and_told(context: Context, site: Site, tmp_path: Path) -> None:
    enclosed(site, *((title, guid, "audio/wav", NEW_YEAR) for title, guid in (("A", "s"), ("B", "s"), ("C", "t"))))
    report = pull(context, site)
    assert dict(report.counts) == {"done": 3}
    assert count(context, "session") == 3
    places = context.db.execute("SELECT place FROM provenance ORDER BY place").fetchall()
    assert [place.partition("#")[2] for (place,) in places] == [f"s#{site.url}/0.wav", f"s#{site.url}/1.wav", "t"]
    assert dict(pull(context, site).counts) == {}
    found = listed(site, tmp_path, Settings(private_hosts=("127.0.0.1",)))
    assert [each.doubts for each in found if isinstance(each, Episode)] == [("2 episodes share the id 's'",)] * 2 + [()]


@pytest.mark.parametrize(
    "media_type",
    [
        "Audio/Wav", "audio/wav; codecs=1", " audio/wav", "AUDIO/MPEG", "video/mp4", "application/octet-stream",
        "binary/octet-stream", "mp3", "", "image/jpeg", "text/plain",
    ],
)  # fmt: skip
def test_enclosure_is_tried_by_its_type_or_name(context: Context, site: Site, media_type: str) -> None:
    enclosed(site, ("A", "a", media_type, NEW_YEAR))
    assert dict(pull(context, site).counts) == {"done": 1}


def test_enclosure_that_is_no_recording_is_told(context: Context, site: Site) -> None:
    enclosed(site, ("A", "a", "application/x-bittorrent", NEW_YEAR))
    [(item, outcome)] = pull(context, site).troubles
    assert (outcome.status, outcome.code, item.subject.partition("#")[2]) == ("skipped", "enclosure", "a")
    assert site.at("/0.torrent") == []


def test_media_rss_is_read_where_there_is_no_enclosure(context: Context, site: Site) -> None:
    site.answers["/a.wav"] = file(sound(1), etag=None)
    item = (
        "<item xmlns:media='http://search.yahoo.com/mrss/'><title>A</title><guid>a</guid>"
        f"<media:content url='{site.url}/a.jpg' medium='image'/>"
        f"<media:content url='{site.url}/a.wav' type='audio/wav'/></item>"
    )
    site.answers[FEED] = feed(document(item), '"one"')
    assert dict(pull(context, site).counts) == {"done": 1}


def test_dates_are_those_of_an_import(site: Site, tmp_path: Path) -> None:
    data = (CASES / "rss_dates.rss").read_bytes()
    site.answers[FEED] = feed(data, '"one"')
    found = listed(site, tmp_path, Settings(private_hosts=("127.0.0.1",)))
    [event] = read_timetables(data, "rss_dates.rss").events
    pulled = [(each.about.title, each.about.start, each.about.day) for each in found if each.about]
    assert pulled == [(each.title, each.start, each.day) for each in event.sessions]


@pytest.mark.parametrize("name", ["wish_podcast-rss.rss", "wish_feed.rss", "wish_draft.atom"])
def test_wishes_are_those_of_an_import(site: Site, tmp_path: Path, name: str) -> None:
    data = (CASES / name).read_bytes()
    link = b"<link rel='enclosure' href='https://radio.example/a.mp3'/></entry>"
    site.answers[FEED] = feed(data.replace(b"</entry>", link), '"one"')
    found = listed(site, tmp_path, Settings(private_hosts=("127.0.0.1",)))
    [event] = read_timetables(data, name).events
    assert [each.about.release for each in found if each.about] == [each.release for each in event.sessions][
        : len(found)
    ]
    assert any(each.about.release for each in found if each.about)


TEXT = "WEBVTT\n\n00:00.000 --> 00:00.090\n<v Noor Okafor>The sea is a timetable.\n"
SRT = "1\n00:00:00,000 --> 00:00:00,090\nThe sea is a timetable\n"
JSON = '{"version":"1.0.0","segments":[{"startTime":0,"endTime":0.09,"body":"Das Meer ist ein Fahrplan."}]}'


def transcribed(number: int, url: str, *transcripts: tuple[str, str, str]) -> str:
    elements = "".join(
        f"<p:transcript xmlns:p='https://podcastindex.org/namespace/1.0' url='{where}' type='{kind}' {more}/>"
        for where, kind, more in transcripts
    )
    return entry(number, url).replace("</item>", f"{elements}</item>")


def test_transcripts_come_with_their_episode(context: Context, site: Site) -> None:
    one = transcribed(
        1,
        site.url,
        ("/1.vtt", "text/vtt", ""),
        ("/1.txt", "text/plain", ""),
        ("/1.html", "text/html", ""),
        ("/1.srt", "application/x-subrip", "language='en'"),
        ("/1.de.json", "application/json", "language='de'"),
    )
    site.answers[FEED] = feed(document(entry(0, site.url) + one), '"one"')
    site.answers |= {f"/{number}.wav": file(sound(number), etag=None) for number in range(2)}
    for path, text in (("/1.vtt", TEXT), ("/1.srt", SRT), ("/1.de.json", JSON)):
        site.answers[path] = file(text.encode(), etag=None)
    assert dict(pull(context, site).counts) == {"done": 2}
    assert dict(run_stage(context, Captions([]), InProcess(), Watch()).counts) == {"done": 3}
    assert not [path for path, _ in site.asked if path in {"/1.txt", "/1.html"}]
    rows = context.db.execute(
        "SELECT session.slug, transcript.language, transcript.kind, is_current, text FROM transcript"
        " JOIN recording ON recording.id = recording_id JOIN session ON session.id = session_id"
        " JOIN segment ON transcript_id = transcript.id ORDER BY transcript.id"
    ).fetchall()
    assert sorted(rows) == [
        ("episode-1", "de", "translation", 1, "Das Meer ist ein Fahrplan."),
        ("episode-1", "en", "imported", 0, "The sea is a timetable"),
        ("episode-1", "en-GB", "imported", 1, "The sea is a timetable."),
    ]
    assert context.db.execute("SELECT label FROM speaker_tag").fetchall() == [("Noor Okafor",)]
    site.asked.clear()
    assert dict(pull(context, site).counts) == {}
    assert dict(run_stage(context, Captions([]), InProcess(), Watch()).counts) == {}
    assert site.asked == [(FEED, None)]


def test_transcript_that_comes_later_is_fetched(context: Context, site: Site) -> None:
    publish(site, range(1, 2), '"one"')
    pull(context, site)
    body = document(transcribed(1, site.url, ("/1.srt", "application/srt", "")))
    site.answers |= {FEED: feed(body, '"two"'), "/1.srt": file(SRT.encode())}
    assert dict(pull(context, site).counts) == {"done": 1}
    assert dict(run_stage(context, Captions([]), InProcess(), Watch()).counts) == {"done": 1}
    assert (count(context, "recording"), count(context, "transcript")) == (1, 1)


def test_transcripts_that_cannot_be_had_keep_nobody_from_the_recording(context: Context, site: Site) -> None:
    bad = (
        "http://10.0.0.1/1.vtt", "file:///etc/passwd", "http://[bad/1.vtt", "/inside.vtt", "/gone.vtt", "/large.vtt", ""
    )  # fmt: skip
    kinds = [(where, "text/vtt", "") for where in (*bad, "/1.vtt", "/1.vtt")]
    site.answers[FEED] = feed(document(transcribed(1, site.url, *kinds)), '"one"')
    site.answers |= {
        "/1.wav": file(sound(1)),
        "/1.vtt": file(TEXT.encode()),
        "/inside.vtt": redirect("http://169.254.169.254/1.vtt"),
        "/large.vtt": file(b"x" * (feed_source.TRANSCRIPT_BYTES + 1)),
    }
    watch = Watch()
    report = run_stage(context, Pull([site.url + FEED]), InProcess(), watch)
    assert dict(report.counts) == {"done": 1}
    remark = watch.remarks[f"{site.url}{FEED}#episode-1"]
    assert remark is not None
    said = [part.partition(": ") for part in remark.removeprefix("no transcript from ").split("; no transcript from ")]
    assert [(where.removeprefix(site.url), why[:36]) for where, _, why in said] == [
        ("http://10.0.0.1/1.vtt", "10.0.0.1 is at 10.0.0.1, a private a"),
        ("file:///etc/passwd", "the scheme '' is not among pull.sche"),
        ("/inside.vtt", "169.254.169.254 is at 169.254.169.25"),
        ("/gone.vtt", "the server answers 404 Not Found"),
        ("/large.vtt", "it is larger than 16 MB"),
    ]
    companions = json.loads(context.db.execute("SELECT about FROM provenance").fetchone()[0])["companions"]
    assert len(companions) == 1
    assert [path.suffix for path in context.layout.sources.iterdir() if path.suffix not in {".feed", ".json"}] == []


def test_chapters_and_licence_come_with_their_episode(context: Context, site: Site) -> None:
    space = "xmlns:p='https://podcastindex.org/namespace/1.0'"
    both = (
        "<p:chapters {0} url='{1}/{2}.json' type='application/json+chapters'/><p:license {0}>cc-by-nc-4.0</p:license>"
    )
    items = [
        entry(number, site.url).replace("</item>", both.format(space, site.url, number) + "</item>")
        for number in (1, 2, 3)
    ]
    site.answers[FEED] = feed(document("".join(items)), '"one"')
    site.answers |= {f"/{number}.wav": file(sound(number), etag=None) for number in (1, 2, 3)}
    made = {"version": "1.2.0", "chapters": [{"startTime": 0, "title": "Tides"}, {"startTime": "0.5", "title": "Time"}]}
    site.answers |= {
        "/1.json": file(json.dumps(made).encode(), etag=None),
        "/2.json": file(json.dumps(made | {"proposed": True}).encode(), etag=None),
    }
    watch = Watch()
    assert dict(run_stage(context, Pull([site.url + FEED]), InProcess(), watch).counts) == {"done": 3}
    assert watch.remarks[f"{site.url}{FEED}#episode-3"] == (
        f"no chapters from {site.url}/3.json: the server answers 404 Not Found"
    )
    watch = Watch()
    assert dict(run_stage(context, Captions([]), InProcess(), watch).counts) == {"done": 2}
    passed = "is passed over: its chapters are those that a program proposes"
    assert watch.remarks[f"{site.url}{FEED}#episode-2#recording.chapters.json"] == passed
    rows = context.db.execute(
        "SELECT licence, parameters, is_current, start_ms, text FROM segment"
        " JOIN transcript ON transcript.id = transcript_id JOIN recording ON recording.id = recording_id"
        " ORDER BY start_ms"
    ).fetchall()
    assert [tuple(row) for row in rows] == [
        ("CC-BY-NC-4.0", '{"track":"chapters"}', 0, 0, "Tides"),
        ("CC-BY-NC-4.0", '{"track":"chapters"}', 0, 500, "Time"),
    ]
    site.asked.clear()
    assert dict(pull(context, site).counts) == {}
    assert site.asked == [(FEED, None)]


def test_transcripts_of_a_feed_that_is_no_sound_xml_are_left(context: Context, site: Site) -> None:
    body = document(transcribed(1, site.url, ("/1.srt", "application/srt", ""))).replace(b"</channel>", b"<br>")
    site.answers |= {FEED: feed(body, '"one"'), "/1.wav": file(sound(1))}
    assert dict(pull(context, site).counts) == {"done": 1}
    assert not [path for path, _ in site.asked if path == "/1.srt"]


def listed(site: Site, folder: Path, settings: Settings) -> list[Found]:
    return list(find(site.url + FEED, Shelf(folder, settings)))


def test_listing_gives_what_the_catalogue_needs(site: Site, tmp_path: Path) -> None:
    publish(site, range(7, 8), '"one"')
    [found] = listed(site, tmp_path, Settings(private_hosts=("127.0.0.1",)))
    assert (found.place, found.name, found.stamp, found.bytes) == (
        f"{site.url}{FEED}#episode-7",
        "Episode 7.wav",
        (f"{site.url}/7.wav", str(len(sound(7)))),
        len(sound(7)),
    )
    assert found.about == Session(
        slug="episode-7",
        title="Episode 7",
        language="en-GB",
        external_ids=(ExternalId(scheme="guid", value="episode-7"),),
    )


def test_feed_at_a_private_address_is_refused(site: Site, tmp_path: Path) -> None:
    publish(site, range(1), '"one"')
    [found] = listed(site, tmp_path, Settings())
    assert found.failed
    assert site.asked == []


def test_addresses_are_fetched_by_child_processes(context: Context, site: Site) -> None:
    publish(site, range(2), '"one"')
    site.answers |= {"/talk.wav": file(sound(50)), "/inside": redirect("http://10.0.0.1/")}
    places = [site.url + path for path in (FEED, "/talk.wav", "/inside", "/gone")]
    report = run_stage(context, Pull(places), Local(2, context.layout.work), Watch())
    assert dict(report.counts) == {"done": 3, "refused": 1, "failed": 1}
    assert sorted(row[0] for row in context.db.execute("SELECT original_name FROM recording").fetchall()) == [
        "Episode 0.wav",
        "Episode 1.wav",
        "talk.wav",
    ]
    assert [path.suffix for path in context.layout.sources.iterdir() if path.suffix not in {".feed", ".json"}] == []


def configured(context: Context, **settings: Any) -> Context:
    pull = msgspec.structs.replace(context.config.pull, **settings)
    return replace(context, config=msgspec.structs.replace(context.config, pull=pull))


def test_refusal_stands_until_the_rule_is_loosened(context: Context, site: Site) -> None:
    publish(site, range(3), '"one"')
    strict = configured(context, max_gigabytes=1e-9)
    assert dict(pull(strict, site).counts) == {"refused": 3}
    assert dict(pull(strict, site).counts) == {}
    assert dict(pull(configured(context, max_gigabytes=2e-9), site).counts) == {"refused": 3}
    site.asked.clear()
    assert dict(pull(context, site).counts) == {"done": 3}
    assert dict(pull(strict, site).counts) == {}
    assert len([path for path, _ in site.asked if path.endswith(".wav")]) == 3


def test_address_that_was_refused_is_asked_once_it_may_be(context: Context, site: Site) -> None:
    publish(site, range(1), '"one"')
    site.answers["/0.wav"] = redirect(f"http://localhost:{site.port}/inside.wav")
    site.answers["/inside.wav"] = file(sound(0))
    assert dict(pull(context, site).counts) == {"refused": 1}
    assert dict(pull(context, site).counts) == {}
    assert dict(pull(configured(context, private_hosts=("127.0.0.1", "localhost")), site).counts) == {"done": 1}


def test_what_is_half_here_goes_a_day_after_it_was_given_up(context: Context, site: Site) -> None:
    publish(site, range(1), '"one"')
    site.answers["/0.wav"] = file(sound(0), resets_after=[500] + [0] * 100)

    def halves() -> list[Path]:
        return [path for path in context.layout.sources.iterdir() if ".part" in path.name]

    assert dict(pull(context, site).counts) == {"failed": 1}
    assert dict(pull(context, site).counts) == {}
    assert sorted(path.suffix for path in halves()) == [".json", ".part"]
    for path in halves():
        os.utime(path, (0, 0))
    assert dict(pull(context, site).counts) == {}
    assert halves() == []
    assert (context.layout.sources / f"{shelf_name(site.url + FEED)}.feed").exists()


def test_progress_of_a_pull_is_told_in_bytes(context: Context, site: Site) -> None:
    publish(site, range(2), '"one"')
    watch = Watch()
    run_stage(context, Pull([site.url + FEED]), InProcess(), watch)
    assert {done for _, done in watch.progress} == {len(sound(0))}


def test_transcripts_of_a_feed_come_without_its_recordings(context: Context, site: Site) -> None:
    body = document(transcribed(1, site.url, ("/1.vtt", "text/vtt", "")) + entry(2, site.url))
    site.answers |= {FEED: feed(body, '"one"'), "/1.vtt": file(TEXT.encode())}
    words = PullWords([site.url + FEED], kind="human")
    report = run_stage(context, words, InProcess(), Watch())
    assert dict(report.counts) == {"done": 1, "refused": 1}
    assert dict(run_stage(context, Captions([]), InProcess(), Watch()).counts) == {"done": 1}
    rows = context.db.execute(
        "SELECT session.title, elsewhere, transcript.kind FROM session JOIN recording ON session_id = session.id"
        " JOIN transcript ON recording_id = recording.id"
    ).fetchall()
    assert rows == [("Episode 1", f"{site.url}/1.wav", "human")]
    assert not [path for path, _ in site.asked if path.endswith(".wav")]
    assert not run_stage(context, words, InProcess(), Watch()).counts
