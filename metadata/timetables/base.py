"""How a timetable becomes an `Event`, and how to add a format.

To add one, write a module beside this one with the two functions of `TimetableFormat`, and one line in
the registry in ``metadata/timetables/__init__.py``:

- ``detect(source)`` says whether a file is of this format, from its name and what is in it. Be strict: a
  file that two formats claim is refused.
- ``read(source)`` returns a `Reading`: events with languages as BCP-47 tags, times as ISO 8601 with an
  offset, lengths in milliseconds, and names and titles as they were written. What breaks the format's
  rules raises `FormatError` with the place and the reason. What can be read but not kept as it stands
  (a language that nobody knows) is left out and becomes a `Notice`, as does what is doubtful (an hour that
  came twice): nothing is bent silently. `metadata.timetables.parts` helps with both.

A format that goes both ways also has ``write(event)``, and a line in ``WRITERS``.

Then put a file of that format and what it must give into ``tests/cases/timetables/``, as ``name.suffix``
beside ``name.expected.json``. The file is hostile until proved otherwise: whatever its bytes, ``read``
returns a `Reading` or raises `MetadataError`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from functools import cached_property
from typing import Protocol

import msgspec

from metadata.errors import FormatError
from metadata.model import Event, Person, Session
from metadata.timetables.plain_xml import Node, load_plain_xml

MAX_BYTES = 64 * 1024 * 1024
"""The largest file that is read."""

EVENT_FIELDS = frozenset(field.name for field in fields(Event)) - {"slug", "sessions"}
SESSION_FIELDS = frozenset(field.name for field in fields(Session)) - {"slug"} | {"roles", "affiliations"}
"""What can be said of a session; of its people also their parts and affiliations, which many formats lack."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a reader of the report should know: where in the file, and what."""

    where: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a file says.

    Attributes:
        events: usually one.
        notices: what was left out or is doubtful, in the order of the file.
        people: persons without sessions, to be known by their external ids.
        event_fields: what this file can say of an event; whatever else is known of it stays.
        session_fields: the same of a session.
        complete: whether sessions that are not here are no longer in the timetable. Feeds and pages are not.
        slugs_identify: whether slugs were given by whoever wrote the file, and so say which session is which.
    """

    events: tuple[Event, ...]
    notices: tuple[Notice, ...] = ()
    people: tuple[Person, ...] = ()
    event_fields: frozenset[str] = EVENT_FIELDS
    session_fields: frozenset[str] = SESSION_FIELDS
    complete: bool = True
    slugs_identify: bool = False


@dataclass(frozen=True, slots=True)
class Written:
    """An event as one or several files, by name, and what the format could not hold of it."""

    files: dict[str, bytes]
    unsaid: tuple[str, ...] = ()


class Source:
    """A file that is to be read, parsed once for all who look at it.

    Attributes:
        name: the file's name, suffix included.
        data: its bytes, in UTF-8 even where it was in UTF-16 with a mark.
        time_zone: of times that name none (IANA), where somebody has said.
    """

    def __init__(self, name: str, data: bytes, time_zone: str | None = None) -> None:
        self.name = name
        self.data = _utf8(name, data)
        self.time_zone = time_zone

    @cached_property
    def head(self) -> bytes:
        """The first bytes that are no blanks and no byte order mark."""
        return self.data[:4096].removeprefix(b"\xef\xbb\xbf").lstrip()

    @cached_property
    def text(self) -> str:
        """The file as text without a byte order mark.

        Raises:
            FormatError: it is none.
        """
        try:
            return self.data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise FormatError(self.name, self._line(error.start), "not UTF-8 text: save it in that encoding") from None

    @cached_property
    def json(self) -> object:
        """The JSON value of a file that begins as one; None of another.

        Raises:
            FormatError: it begins as JSON and is none.
        """
        if not self.head.startswith((b"{", b"[")):
            return None
        try:
            return msgspec.json.decode(self.text)
        except RecursionError:
            raise FormatError(self.name, "", "nested too deep") from None
        except msgspec.DecodeError as error:
            reason, _, place = str(error).removeprefix("JSON is malformed: ").partition(" (byte ")
            at = int(place.removesuffix(")")) if place else len(self.data)
            raise FormatError(self.name, self._line(at), f"not valid JSON: {reason}") from None

    @cached_property
    def xml(self) -> Node | None:
        """The root element of a file that begins as XML; None of another.

        Raises:
            FormatError: it begins as XML and is not well formed, or uses what is refused.
        """
        return load_plain_xml(self.data, self.name) if self.head.startswith(b"<") else None

    def error(self, where: str, reason: str) -> FormatError:
        """Return an error about a place in this file."""
        return FormatError(self.name, where, reason)

    def _line(self, at: int) -> str:
        return f"line {self.data.count(bytes([10]), 0, at) + 1}"


def _utf8(name: str, data: bytes) -> bytes:
    """Return a file in UTF-8; spreadsheets and editors of Windows write UTF-16 with a mark."""
    if not data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data
    try:
        text = data.decode("utf-16")
    except UnicodeDecodeError:
        raise FormatError(name, "", "not UTF-16 text, as its first bytes say") from None
    # Of XML, what the declaration says is no longer so.
    return re.sub(r"^<\?xml[^>]*\?>", "", text).encode()


class TimetableFormat(Protocol):
    """What a module of this package offers; the first line of its docstring names it in the documentation."""

    def detect(self, source: Source, /) -> bool:
        """Return whether a file is of this format.

        Raises:
            FormatError: it looks like one and cannot be parsed at all.
        """

    def read(self, source: Source, /) -> Reading:
        """Return what a file says.

        Raises:
            MetadataError: the file breaks the format's rules.
        """


class TimetableWriter(Protocol):
    """What a module that goes both ways offers besides."""

    def write(self, event: Event, /) -> Written:
        """Return an event as files of this format."""
