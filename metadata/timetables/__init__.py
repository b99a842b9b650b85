"""Timetables as files: one module a format, one registry.

`metadata.timetables.base` says how to add a format.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from metadata.errors import UnknownFormatError
from metadata.model import Event
from metadata.timetables import yaml_event
from metadata.timetables.base import HEAD_BYTES, TimetableFormat

FORMATS: Mapping[str, TimetableFormat] = MappingProxyType({"yaml-event": yaml_event})
"""Every format that is read, by its identifier."""


def read_timetable(data: bytes, name: str) -> Event:
    """Return the event that a timetable holds; ``name`` is the file's name, suffix included.

    Raises:
        UnknownFormatError: no format reads this file, or several do.
        FormatError: the file breaks its format's rules.
    """
    return FORMATS[detect_format(data[:HEAD_BYTES], name, FORMATS)].read(data, name)


def detect_format(head: bytes, name: str, formats: Mapping[str, TimetableFormat] = FORMATS) -> str:
    """Return the identifier of the one format that claims the file.

    Raises:
        UnknownFormatError: none does, or several do.
    """
    claims = tuple(identifier for identifier, module in formats.items() if module.detect(name, head))
    if len(claims) != 1:
        raise UnknownFormatError(name, claims or tuple(formats))
    return claims[0]
