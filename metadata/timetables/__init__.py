"""Timetables as files: one module a format, one registry. `metadata.timetables.base` says how to add a format."""

from __future__ import annotations

from collections.abc import Mapping

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
from metadata.timetables.base import MAX_BYTES, Reading, Source, TimetableFormat, Writer

__all__ = [
    "FORMATS",
    "SUFFIXES",
    "SUFFIX_OF_MEDIA_TYPE",
    "WRITERS",
    "Reading",
    "Source",
    "TimetableFormat",
    "detect_format",
    "read_timetables",
]

FORMATS: dict[str, TimetableFormat] = {
    each.name: each
    for each in (
        schedule_xml.FORMAT,
        schedule_json.FORMAT,
        pretalx_api.FORMAT,
        indico_json.FORMAT,
        ical.FORMAT,
        pyvideo_json.FORMAT,
        ytdlp_info.FORMAT,
        podcast_rss.FORMAT,
        csv_sessions.FORMAT,
        yaml_event.FORMAT,
    )
}
"""Every format, by name."""

WRITERS: dict[str, Writer] = {
    each.written_as: each.write for each in FORMATS.values() if each.write and each.written_as
}
"""The functions that write a format, by the name that the command line has for it."""

SUFFIXES: frozenset[str] = frozenset(suffix for each in FORMATS.values() for suffix in each.suffixes)
"""How the names of timetables end, with the dot."""

SUFFIX_OF_MEDIA_TYPE: dict[str, str] = {
    media_type: each.suffixes[0] for each in reversed(FORMATS.values()) for media_type in each.media_types
}
"""The usual suffix of a file that a server sends with this media type."""


def read_timetables(data: bytes, name: str, time_zone: str | None = None) -> Reading:
    """Return what a timetable says.

    Args:
        data: the file.
        name: its name, with the suffix.
        time_zone: the IANA zone of times that name none.

    Raises:
        UnknownFormatError: no format reads this file, or several do.
        FormatError: the file is too large, or breaks its format's rules.
    """
    if len(data) > MAX_BYTES:
        raise FormatError(name, "", f"larger than {MAX_BYTES // 2**20} MiB")
    source = Source(name, data, time_zone)
    return FORMATS[detect_format(source)].read(source)


def detect_format(source: Source, formats: Mapping[str, TimetableFormat] = FORMATS) -> str:
    """Return the name of the one format that claims the file.

    Raises:
        UnknownFormatError: no format claims it, or several do.
        FormatError: it is broken JSON or XML.
    """
    claims = tuple(name for name, each in formats.items() if each.detect(source))
    if len(claims) != 1:
        raise UnknownFormatError(source.name, claims or tuple(formats))
    return claims[0]
