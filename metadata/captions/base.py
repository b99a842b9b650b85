"""What a caption format is, and how to add one.

To add a format: write a module beside this one, named after the format, with a function
``write(transcript) -> str`` and a constant ``FORMAT`` that describes it; then add that constant to
the tuple in ``metadata/captions/__init__.py``. Formats that show text over the recording take their
cues from `metadata.captions.cues`, which decides where captions break and when they show; a module
then only spells them. Add ``tests/cases/captions/NAME.SUFFIX``, and the tests pick it up.

Text comes from speech and from files of others: a module escapes whatever its format could take for markup.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from metadata.model import Transcript

Writer: TypeAlias = Callable[[Transcript], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionFormat:
    """A way to write a transcript down.

    Attributes:
        name: what the command line and links call it.
        title: what readers call it.
        media_type: as registered with IANA, or as players expect it.
        suffix: of a file's name, with its dot.
        write: returns the whole file as text, to be stored as UTF-8.
    """

    name: str
    title: str
    media_type: str
    suffix: str
    write: Writer
