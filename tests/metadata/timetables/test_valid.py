"""What is written of real timetables, held against the schemas of those who read it."""

from __future__ import annotations

import json
from pathlib import Path

import icalendar
import pytest
from jsonschema import Draft6Validator

from metadata.model import Event
from metadata.timetables import WRITERS, read_timetables

pytestmark = pytest.mark.data

SCHEDULES = [
    "31c3-schedule.xml",
    "frab-camp2019.json",
    "hub-schedule2.json",
    "moca-2024-schedule.ics",
    "pretalx-democon.json",
    "yt-dlp-channel.info.json",
]
"""Timetables with times and rooms' names, of which a schedule can be written."""


def event(data: Path, name: str) -> Event:
    [found] = read_timetables((data / "events" / name).read_bytes(), name).events
    return found


def written(event: Event, form: str) -> bytes:
    [content] = WRITERS[form](event).files.values()
    return content


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedule_xml_is_valid_but_for_ids_that_were_published(data: Path, name: str) -> None:
    xmlschema = pytest.importorskip("xmlschema")
    schema = xmlschema.XMLSchema(str(data / "events" / "schedule.xml.xsd"))
    found = event(data, name)
    published = {each.value for s in found.sessions for each in s.external_ids if each.scheme == "guid"}
    errors = [error.reason or "" for error in schema.iter_errors(written(found, "schedule.xml").decode())]
    # In 2014 guids were no UUIDs, and the schema of today refuses that year's own file for them.
    assert [reason for reason in errors if not any(f"guid={guid!r}" in reason for guid in published)] == []
    assert len(errors) == (112 if name == "31c3-schedule.xml" else 0)


@pytest.mark.parametrize("name", SCHEDULES)
def test_schedule_json_is_valid_but_for_kinds_of_links_and_names(data: Path, name: str) -> None:
    schema = json.loads((data / "events" / "schedule.schema.json").read_bytes())
    errors = Draft6Validator(schema).iter_errors(json.loads(written(event(data, name), "schedule.json")))
    # Links keep the kind that they came with, and events the slug and zone that the archive knows them by.
    ours = ("].type", ".acronym", ".time_zone_name")
    assert [error.message for error in errors if not error.json_path.endswith(ours)] == []


@pytest.mark.parametrize("name", SCHEDULES)
def test_calendar_has_what_rfc_5545_demands(data: Path, name: str) -> None:
    found = event(data, name)
    calendar = icalendar.Calendar.from_ical(written(found, "ics"))
    components = calendar.walk("VEVENT")
    assert {"PRODID", "VERSION"} <= set(calendar)
    assert len(components) == sum(bool(s.start or s.day) for s in found.sessions)
    assert [str(c.get("SUMMARY")) for c in components if not {"UID", "DTSTAMP", "DTSTART"} <= set(c) or c.errors] == []


@pytest.mark.parametrize("name", SCHEDULES)
def test_pyvideo_has_what_it_requires(data: Path, name: str) -> None:
    files = WRITERS["pyvideo"](event(data, name)).files
    videos = [json.loads(content) for path, content in files.items() if "/videos/" in path]
    assert videos
    required = {"title", "speakers", "thumbnail_url", "videos", "recorded"}
    assert {field for video in videos for field in required - video.keys()} == set()
