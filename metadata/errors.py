"""What can go wrong while reading or writing a format.

::

    MetadataError
    ├── InvalidLanguageError     not a language that anyone has a code for
    ├── InvalidTimeError         not a time, a date or a time zone
    ├── UnknownFormatError       not a format of ours
    └── FormatError              the right format, wrongly written: where, and why
"""

from __future__ import annotations


class MetadataError(Exception):
    """Base of every error that this package raises."""


class InvalidLanguageError(MetadataError):
    """A language that is neither a BCP-47 tag, an ISO 639 code nor an English name.

    Attributes:
        value: the text as it was given.
    """

    def __init__(self, value: str) -> None:
        super().__init__(
            f"unknown language {value!r}: use a code such as 'en' or 'pt-BR', or an English name such as 'French'"
        )
        self.value = value


class InvalidTimeError(MetadataError):
    """A time, date or time zone that cannot be read.

    Attributes:
        value: the text as it was given.
        expected: what would have been understood, in words.
    """

    def __init__(self, value: str, expected: str) -> None:
        super().__init__(f"cannot read {value!r} as a time: expected {expected}")
        self.value = value
        self.expected = expected


class UnknownFormatError(MetadataError):
    """No registered format has this name or reads this file, or several do.

    Attributes:
        name: the file's or format's name.
        candidates: identifiers of the formats that were considered.
    """

    def __init__(self, name: str, candidates: tuple[str, ...]) -> None:
        known = ", ".join(candidates)
        super().__init__(f"{name}: not a format that Rostra knows here ({known})")
        self.name = name
        self.candidates = candidates


class FormatError(MetadataError):
    """A file of a known format that breaks its rules.

    Attributes:
        source: the file's name.
        where: the place inside it: ``line 12``, or a path such as ``$.sessions[3].start``; may be empty.
        reason: what is wrong there, and what was expected.
    """

    def __init__(self, source: str, where: str, reason: str) -> None:
        super().__init__(f"{source}: {where}: {reason}" if where else f"{source}: {reason}")
        self.source = source
        self.where = where
        self.reason = reason
