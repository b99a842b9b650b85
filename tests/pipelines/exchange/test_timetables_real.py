"""Timetables as organisers really published them, beside counts that were not made by the readers under test."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from metadata.errors import FormatError, UnknownFormatError
from metadata.timetables import read_timetables
from pipelines.exchange.timetables import import_timetables
from pipelines.storage.archive_folder import Context, init, open_archive

pytestmark = pytest.mark.data

Counts = tuple[int, int]
"""Sessions, and different people by name."""


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Context]:
    init(tmp_path / "archive", title="T")
    with open_archive(tmp_path / "archive") as context:
        yield context


def count(context: Context) -> Counts:
    """Return what the catalogue holds."""
    sessions = context.db.execute("SELECT count(*) FROM session").fetchone()[0]
    people = context.db.execute("SELECT count(DISTINCT name) FROM person").fetchone()[0]
    return int(sessions), int(people)


def of_schedule_xml(path: Path) -> Counts:
    root = ET.fromstring(path.read_bytes())  # noqa: S314 - a file of our own folder
    return len(root.findall("day/room/event")), len({" ".join((p.text or "").split()) for p in root.iter("person")})


def of_schedule_json(path: Path) -> Counts:
    schedule = json.loads(path.read_bytes())["schedule"]
    sessions = [s for day in schedule["conference"]["days"] for room in day["rooms"].values() for s in room]
    return len(sessions), len({person["public_name"] for session in sessions for person in session["persons"]})


def of_hub_json(path: Path) -> Counts:
    sessions = json.loads(path.read_bytes())["schedule"]["events"]
    return len(sessions), len({person["name"] for session in sessions for person in session["participants"]})


def of_indico(path: Path) -> Counts:
    sessions = json.loads(path.read_bytes())["results"][0]["contributions"]
    people = [p for s in sessions for p in (*s["speakers"], *s["primaryauthors"])]
    return len(sessions), len({f"{person['first_name']} {person['last_name']}".strip() for person in people})


def of_pretalx(path: Path) -> Counts:
    sessions = json.loads(path.read_bytes())
    return len(sessions), len({person["name"] for session in sessions for person in session["speakers"]})


def of_ical(path: Path) -> Counts:
    text = path.read_text(encoding="utf-8")
    return text.count("BEGIN:VEVENT"), len(
        {name.strip() for names in re.findall(r"(?m)^ORGANIZER;CN=(.*?):MAILTO", text) for name in names.split(",")}
    )


def of_pyvideo(path: Path) -> Counts:
    talks = [json.loads(file.read_bytes()) for file in path.glob("*/videos/*.json")]
    return len(talks), len({name for talk in talks for name in talk["speakers"]})


def of_ytdlp(path: Path) -> Counts:
    entries = json.loads(path.read_bytes())["entries"]
    return len(entries), len({entry["uploader"] for entry in entries})


def of_own_feed(path: Path) -> Counts:
    text = path.read_text(encoding="utf-8")
    return text.count("<item>"), 1  # one author, who is the book's


def of_namespace_example(path: Path) -> Counts:
    text = path.read_text(encoding="utf-8")
    items = re.findall(r"(?s)<item>.*?</item>", text)
    people = [p for item in items for p in re.findall(r"<podcast:person([^>]*)>([^<]+)", item)]
    return len(items), len({name for attributes, name in people if "designer" not in attributes})


KNOWN: dict[str, tuple[Callable[[Path], Counts], int]] = {
    "31c3-schedule.xml": (of_schedule_xml, 138),
    "frab-camp2019.json": (of_schedule_json, 79),
    "pretalx-democon.json": (of_schedule_json, 36),
    "hub-schedule2.json": (of_hub_json, 2),
    "indico.json": (of_indico, 37),
    "pretalx-api-submissions.json": (of_pretalx, 2),
    "moca-2024-schedule.ics": (of_ical, 88),
    "pyvideo": (of_pyvideo, 133),
    "yt-dlp-channel.info.json": (of_ytdlp, 1),
    "resilientwebdesign-podcast.rss": (of_own_feed, 8),
    "podcast-namespace-example.xml": (of_namespace_example, 3),
}
REFUSED: dict[str, tuple[type[Exception], str]] = {
    "europython-2014-schedule.xml": (FormatError, "line 1: no <conference> in <schedule>"),
    "invalid-example.json": (
        FormatError,
        "$.schedule.rooms: expected nothing, got a list",
    ),
    "europython-sessions.json": (UnknownFormatError, "not a format that Rostra knows"),
    "pretalx-youtube.json": (UnknownFormatError, "not a format that Rostra knows"),
    "schedule.schema.json": (UnknownFormatError, "not a format that Rostra knows"),
    "schedule.xml.xsd": (UnknownFormatError, "not a format that Rostra knows"),
}
DESCRIBES_PEOPLE = "pretalx-api-speakers.json"


@pytest.mark.parametrize("name", KNOWN)
def test_a_real_timetable_is_imported_whole_and_again_without_change(data: Path, archive: Context, name: str) -> None:
    path = data / "events" / name
    counter, sessions = KNOWN[name]
    import_timetables(archive, [str(path)])
    assert count(archive) == counter(path)
    assert count(archive)[0] == sessions
    again = [applied.event for each in import_timetables(archive, [str(path)]) for applied in each.applied]
    assert set(again) == {"unchanged"}


@pytest.mark.parametrize("name", REFUSED)
def test_a_real_file_that_is_no_timetable_is_refused(data: Path, archive: Context, name: str) -> None:
    kind, message = REFUSED[name]
    with pytest.raises(kind, match=re.escape(message)):
        import_timetables(archive, [str(data / "events" / name)])
    assert count(archive) == (0, 0)


def test_a_real_page_of_speakers_describes_those_who_speak(data: Path, archive: Context) -> None:
    events = data / "events"
    speakers = json.loads((events / DESCRIBES_PEOPLE).read_bytes())
    assert len(read_timetables((events / DESCRIBES_PEOPLE).read_bytes(), DESCRIBES_PEOPLE).people) == len(speakers)
    done = import_timetables(archive, [str(events / "pretalx-api-submissions.json"), str(events / DESCRIBES_PEOPLE)])
    assert done[1].unknown == ()


def test_every_real_file_is_accounted_for(data: Path) -> None:
    found = {path.name for path in (data / "events").iterdir()}
    assert found == {*KNOWN, *REFUSED, DESCRIBES_PEOPLE}
