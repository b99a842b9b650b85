"""What a caption format is, and how to add one.

To add a format: write a module beside this one, named after the format, with a function
``write(transcript) -> str``, a function ``read(text, source) -> Transcript``, or both, and a constant
``FORMAT`` that describes it; then add that constant to the tuple in ``metadata/captions/__init__.py``.
Formats that show text over the recording take their cues from `metadata.captions.cues`, which decides
where captions break and when they show; a module then only spells them. What is read goes through
`imported`. Add ``tests/cases/captions/NAME.SUFFIX``, and the tests pick it up.

Text comes from speech and from files of others: a writer escapes whatever its format could take for
markup, and a reader raises `FormatError`, with the place, for whatever it cannot read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from metadata.captions.cues import clean
from metadata.errors import FormatError, InvalidLanguageError
from metadata.languages import UNDETERMINED, parse_language, word_separator
from metadata.model import Segment, Transcript

LONGEST_MS = 1000 * 3600 * 1000
"""No recording is longer: a time beyond this is a mistake."""
PER_LETTER_MS = 70
"""How long a letter of what comes last takes where nobody knows when it ends: 14 a second."""
EARLY_S = -0.5
"""How long before the beginning the first word may begin, by programs that align words: it is read as the beginning."""
_HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A file of captions, and what is known of it from elsewhere.

    Attributes:
        name: the file's, for messages.
        language: BCP-47, stronger than what the file says; None where nobody has said.
        duration_ms: of the recording, where it is known.
    """

    name: str
    language: str | None = None
    duration_ms: int | None = None

    def error(self, where: str | int, reason: str) -> FormatError:
        """Return the error for a place in this file: a number is a line."""
        return FormatError(self.name, f"line {where}" if isinstance(where, int) else where, reason)


Writer: TypeAlias = Callable[[Transcript], str]
Reader: TypeAlias = Callable[[str, Source], Transcript]
Detector: TypeAlias = Callable[[str], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptionFormat:
    """A way to write a transcript down, or to read one, or both.

    Attributes:
        name: what the command line and links call it.
        title: what readers call it.
        media_type: as registered with IANA, or as players expect it.
        suffix: of a file's name, with its dot.
        other_suffixes: that other programs give such files.
        write: returns the whole file as text, to be stored as UTF-8; None where we only read the format.
        read: returns what a file says, or raises `FormatError`; None where we only write the format.
        detect: tells by a file's text whether it means to be in this format.
        cuts_characters: whether programs write a part of a character's bytes. The reader is then given each such byte
            as a surrogate (PEP 383), and puts the character together again.
    """

    name: str
    title: str
    media_type: str
    suffix: str
    other_suffixes: tuple[str, ...] = ()
    write: Writer | None = None
    read: Reader | None = None
    detect: Detector | None = None
    cuts_characters: bool = False


def imported(
    source: Source,
    segments: Iterable[Segment],
    *,
    generator: str,
    language: str | None = None,
    track: str | None = None,
    hour_ms: float = _HOUR_MS,
) -> Transcript:
    """Return what was read as a transcript: in order of time, without empty segments.

    Programmes on tape begin at one o'clock or at ten, and so do their captions: where the first lies beyond the
    recording's end, the whole hours before it are taken off, which ``parameters["hours_off"]`` says.

    Args:
        source: the file.
        segments: as the file has them; what ends before it starts ends where it starts.
        generator: what the format is called.
        language: as the file says it; what cannot be read counts as unsaid.
        track: ``chapters`` or ``descriptions``, where the file holds what nobody says.
        hour_ms: how long an hour of the file's time code lasts; the codes of NTSC may be 3.6 s late by then.
    """
    said = [
        each if each.end_ms >= each.start_ms else replace(each, end_ms=each.start_ms) for each in segments if each.text
    ]
    said.sort(key=lambda each: each.start_ms)
    parameters: dict[str, str | int | float | bool | None] = {"track": track} if track else {}
    if said and source.duration_ms and said[0].start_ms > source.duration_ms and said[0].start_ms >= hour_ms:
        parameters["hours_off"] = hours = int(said[0].start_ms // hour_ms)
        said = [_earlier(each, round(hours * hour_ms)) for each in said]
    return Transcript(
        language=source.language or declared_language(language),
        duration_ms=source.duration_ms or max((each.end_ms for each in said), default=0),
        segments=tuple(said),
        kind="imported",
        generator=generator,
        parameters=parameters,
    )


def _earlier(segment: Segment, ms: int) -> Segment:
    words = tuple(
        replace(word, start_ms=max(word.start_ms - ms, 0), end_ms=max(word.end_ms - ms, 0)) for word in segment.words
    )
    return replace(segment, start_ms=segment.start_ms - ms, end_ms=segment.end_ms - ms, words=words)


def declared_language(text: str | None) -> str:
    """Return the BCP-47 tag for what a file says of its language, or ``und``."""
    try:
        return parse_language(text) if text else UNDETERMINED
    except InvalidLanguageError:
        return UNDETERMINED


def clock_ms(parts: Sequence[str | None]) -> int:
    """Return the milliseconds of hours, minutes, seconds and the digits of a fraction; None is 0.

    >>> clock_ms((None, "1", "02", "5")), clock_ms(("1", "00", "00", "123999"))
    (62500, 3600123)
    """
    hours, minutes, seconds, fraction = parts
    whole = (int(hours or 0) * 60 + int(minutes or 0)) * 60 + int(seconds or 0)
    return whole * 1000 + (int(fraction.ljust(3, "0")[:3]) if fraction else 0)


def join_lines(lines: Iterable[str], language: str) -> str:
    """Return a caption's lines as one: what a language writes between words stands between them."""
    return word_separator(language).join(tidied for line in lines if (tidied := tidy(line)))


def tidy(text: str) -> str:
    """Return text on one line, without control characters, and with single spaces."""
    if text.isprintable() and "  " not in text:
        return text.strip()  # as nearly all is: most of the time of reading captions is spent here
    return " ".join(clean(text).split())
