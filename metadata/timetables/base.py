"""What a timetable format is, and how to add one.

To add a format: write a module beside this one with the functions below and a constant ``FORMAT`` that describes it;
then add that constant to the tuple in ``metadata/timetables/__init__.py``. Nothing else lists formats.

- ``detect(source)`` tells from a file's name and content whether it is of this format. Be strict: a file that two
  formats claim is refused.
- ``read(source)`` returns a `Reading`: events with languages as BCP-47 tags, times as ISO 8601 with an offset, lengths
  in milliseconds, and names and titles as they are written. A file that breaks the format's rules raises `FormatError`,
  with the place and the reason. What can be read but not kept (an unknown language) is left out and becomes a
  `Notice`. What is doubtful (an hour that came twice) becomes one too. `metadata.timetables.parts` helps with both.
- ``write(event)`` returns an event as files, for a format that goes both ways.

Say in ``FORMAT`` what a file can ask about publication (``release_wishes``), and read it: a session that is not to be
recorded or shown gets a `Release` that is private (`metadata.timetables.parts.Notes.private`).

Then put a file of the format and what it must give into ``tests/cases/timetables/``, as ``name.suffix`` and
``name.suffix.expected.json``, and a file with such a wish as ``wish_FORMAT.suffix``; the tests pick them up. Files are
hostile: whatever its bytes, ``read`` returns a `Reading` or raises `MetadataError`.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import cached_property
from typing import TypeAlias

import msgspec

from metadata.encodings import guessed_encoding
from metadata.errors import FormatError
from metadata.model import Event, Person, Session
from metadata.timetables.plain_xml import Node, load_plain_xml

MAX_BYTES = 64 * 1024 * 1024
"""The largest file that is read."""

EVENT_FIELDS = frozenset(field.name for field in fields(Event)) - {"slug", "sessions"}
"""What a file can say of an event."""
SESSION_FIELDS = frozenset(field.name for field in fields(Session)) - {"slug"} | {"roles", "affiliations"}
"""What a file can say of a session, and of its people: their parts and affiliations, which many formats lack."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that whoever imports a file should know: where in the file, and what."""

    where: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What a file says.

    Attributes:
        events: usually one.
        notices: what was left out or is doubtful, in the order of the file.
        people: people without sessions, who are recognised by their external ids.
        event_fields: the fields of an event that this file can state. All others stay as they are known.
        session_fields: the same for a session.
        complete: whether a session that is missing here was removed from the timetable. Not so in feeds and in pages.
        slugs_identify: whether the author of the file gave the slugs, so that they tell which session is which.
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
    """An event as files, by name, and what the format could not hold of it (``unsaid``)."""

    files: dict[str, bytes]
    unsaid: tuple[str, ...] = ()


class Source:
    """A file that is to be read. It is parsed once, for every format that looks at it.

    Attributes:
        name: the file's name, with its suffix.
        data: its content; UTF-16 and UTF-32 have become UTF-8, and byte order marks are gone.
        time_zone: the IANA zone of times that name none, if somebody said it.
    """

    def __init__(self, name: str, data: bytes, time_zone: str | None = None) -> None:
        self.name = name
        self.data = _utf8(name, data)
        self.time_zone = time_zone

    @cached_property
    def head(self) -> bytes:
        """The beginning of the file, without blanks."""
        return self.data[:4096].lstrip()

    @cached_property
    def text(self) -> str:
        """The file as text.

        Raises:
            FormatError: it is not text in UTF-8.
        """
        try:
            return self.data.decode()
        except UnicodeDecodeError as error:
            raise FormatError(self.name, self._line(error.start), "not UTF-8 text: save it in that encoding") from None

    @cached_property
    def json(self) -> object:
        """The file as a JSON value; None for a file that does not begin as one.

        Raises:
            FormatError: it begins as JSON and is not valid.
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
        """The root element of the file; None for a file that does not begin as XML.

        Raises:
            FormatError: it begins as XML and is not well formed, or has a document type declaration.
        """
        return load_plain_xml(self.data, self.name) if self.head.startswith(b"<") else None

    def error(self, where: str, reason: str) -> FormatError:
        """Return an error about a place in this file."""
        return FormatError(self.name, where, reason)

    def _line(self, at: int) -> str:
        return f"line {self.data.count(bytes([10]), 0, at) + 1}"


def _utf8(name: str, data: bytes) -> bytes:
    """Return a file in UTF-8, without byte order marks. Spreadsheets and editors on Windows write UTF-16."""
    encoding = guessed_encoding(data)
    if encoding.startswith(("utf-16", "utf-32")):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            raise FormatError(name, "", f"not {encoding.upper()} text, as its first bytes say") from None
        # An XML declaration names the encoding, which has changed.
        data = re.sub(r"^\ufeff*\s*<\?xml[^>]*\?>", "", text).encode()
    while data.startswith(codecs.BOM_UTF8):
        data = data.removeprefix(codecs.BOM_UTF8)
    return data


Detector: TypeAlias = Callable[[Source], bool]
Reader: TypeAlias = Callable[[Source], Reading]
Writer: TypeAlias = Callable[[Event], Written]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimetableFormat:
    """A format in which timetables are read, and perhaps written.

    Attributes:
        name: identifies the format in the catalogue and in messages; it never changes.
        title: what it is, for documentation.
        suffixes: how names of such files end, with the dot, the usual one first.
        media_types: as servers send them, the usual one first.
        release_wishes: what a file can ask about publication, and what becomes of it.
        detect: tells whether a file is of this format. Raises `FormatError` for one that looks like it and cannot be
            parsed at all.
        read: returns what a file says. Raises `MetadataError` for one that breaks the format's rules.
        write: returns an event as files; None for a format that is only read.
        written_as: what the command line calls the format when it writes; None for a format that is only read.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    media_types: tuple[str, ...]
    release_wishes: str
    detect: Detector
    read: Reader
    write: Writer | None = None
    written_as: str | None = None

    def named(self, source: Source) -> bool:
        """Return whether the name of a file ends as one of this format."""
        return source.name.lower().endswith(self.suffixes)
