"""Timetables as files: one module a format, one registry.

`metadata.timetables.base` says how to add a format.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from metadata.errors import FormatError, UnknownFormatError
from metadata.timetables import (
    csv_sessions,
    ical,
    indico_json,
    podcast_rss,
    pretalx_api,
    pyvideo_json,
    schedule_json,
    schedule_xml,
    yaml_event,
    ytdlp_info,
)
from metadata.timetables.base import MAX_BYTES, Reading, Source, TimetableFormat, TimetableWriter

FORMATS: Mapping[str, TimetableFormat] = MappingProxyType(
    {
        "schedule-xml": schedule_xml,
        "schedule-json": schedule_json,
        "pretalx-api": pretalx_api,
        "indico-json": indico_json,
        "icalendar": ical,
        "pyvideo-json": pyvideo_json,
        "ytdlp-info": ytdlp_info,
        "podcast-rss": podcast_rss,
        "csv-sessions": csv_sessions,
        "yaml-event": yaml_event,
    }
)
"""Every format that is read, by its identifier."""

WRITERS: Mapping[str, TimetableWriter] = MappingProxyType(
    {
        "schedule.xml": schedule_xml,
        "schedule.json": schedule_json,
        "ics": ical,
        "pyvideo": pyvideo_json,
        "csv": csv_sessions,
        "yaml": yaml_event,
    }
)
"""Every format that is written, by the name that people call it."""


def read_timetables(data: bytes, name: str) -> Reading:
    """Return what a timetable says; ``name`` is the file's name, suffix included.

    Raises:
        UnknownFormatError: no format reads this file, or several do.
        FormatError: the file breaks its format's rules.
    """
    if len(data) > MAX_BYTES:
        raise FormatError(name, "", f"larger than {MAX_BYTES // 2**20} MiB")
    source = Source(name, data)
    return FORMATS[detect_format(source, FORMATS)].read(source)


def detect_format(source: Source, formats: Mapping[str, TimetableFormat] = FORMATS) -> str:
    """Return the identifier of the one format that claims the file.

    Raises:
        UnknownFormatError: none does, or several do.
        FormatError: it is broken JSON or XML.
    """
    claims = tuple(identifier for identifier, module in formats.items() if module.detect(source))
    if len(claims) != 1:
        raise UnknownFormatError(source.name, claims or tuple(formats))
    return claims[0]
