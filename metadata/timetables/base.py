"""How a timetable becomes an `Event`, and how to add a format.

To add one, write a module beside this one with the two functions of `TimetableFormat`, and one line in
the registry in ``metadata/timetables/__init__.py``:

- ``detect(name, head)`` says whether a file is of this format, from its name and its first
  `HEAD_BYTES` bytes. Be strict: a file that two formats claim is refused.
- ``read(data, source)`` returns the `Event`, with languages as BCP-47 tags, times as ISO 8601 with an
  offset, lengths in milliseconds, and names and titles as they were written. What breaks the format's
  rules raises `FormatError` with ``source``, the place and the reason; nothing is guessed.

Then put a file of that format and the event that it must give into ``tests/cases/timetables/``, as
``name.suffix`` beside ``name.expected.json``. The file is hostile until proved otherwise: whatever
its bytes, ``read`` returns an `Event` or raises `MetadataError`.
"""

from __future__ import annotations

from typing import Protocol

from metadata.model import Event

HEAD_BYTES = 4096
"""How much of a file ``detect`` is shown."""


class TimetableFormat(Protocol):
    """What a module of this package offers."""

    def detect(self, name: str, head: bytes, /) -> bool:
        """Return whether the file of this name that begins with ``head`` is of this format."""

    def read(self, data: bytes, source: str, /) -> Event:
        """Return the event that a file holds; ``source`` is its name, for messages.

        Raises:
            MetadataError: the file breaks the format's rules.
        """
