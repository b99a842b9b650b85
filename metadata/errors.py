"""What can go wrong while a format is read or written.

::

    MetadataError
    ├── InvalidLanguageError     not a language that has a code
    ├── InvalidTimeError         not a time, a date or a time zone
    ├── UnknownFormatError       not one of the registered formats
    └── FormatError              the right format, wrongly written: where, and why
        └── NotSaidError         the right format, rightly written, with nothing in it that anybody says
"""

from __future__ import annotations


class MetadataError(Exception):
    """Base of every error that this package raises."""


class InvalidLanguageError(MetadataError):
    """A language that is neither a BCP 47 tag, an ISO 639 code nor an English name.

    Attributes:
        value: the text as it was given.
        likely: the BCP 47 tag that was likely meant, if there is one.
    """

    def __init__(self, value: str, likely: str | None = None, likely_name: str | None = None) -> None:
        use = f"did you mean {likely!r} ({likely_name})? Use" if likely else "use"
        super().__init__(
            f"unknown language {value!r}: {use} a code such as 'en' or 'pt-BR', or an English name such as 'French'"
        )
        self.value = value
        self.likely = likely


class InvalidTimeError(MetadataError):
    """A time, date or time zone that cannot be read.

    Attributes:
        value: the text as it was given.
        expected: the forms that are understood, in words.
    """

    def __init__(self, value: str, expected: str) -> None:
        super().__init__(f"cannot read {value!r} as a time: expected {expected}")
        self.value = value
        self.expected = expected


class UnknownFormatError(MetadataError):
    """No registered format has this name or reads this file, or more than one does.

    Attributes:
        name: the name of the file or format.
        candidates: the names of the formats that were considered.
    """

    def __init__(self, name: str, candidates: tuple[str, ...]) -> None:
        known = ", ".join(candidates)
        super().__init__(f"{name}: not a format that Rostra knows here ({known})")
        self.name = name
        self.candidates = candidates


class FormatError(MetadataError):
    """A file that breaks the rules of its format.

    Attributes:
        source: the file's name.
        where: the place in the file: ``line 12``, or a path such as ``$.sessions[3].start``; may be empty.
        reason: what is wrong there, and what was expected.
    """

    def __init__(self, source: str, where: str, reason: str) -> None:
        super().__init__(f"{source}: {where}: {reason}" if where else f"{source}: {reason}")
        self.source = source
        self.where = where
        self.reason = reason


class NotSaidError(FormatError):
    """A file of captions that holds data for programs, which nobody says: who looks for captions passes it over."""
