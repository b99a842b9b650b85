"""Captions and transcripts as files: one module a format, one registry (see `metadata.captions.base`)."""

from __future__ import annotations

import codecs
import re
from pathlib import PurePath

from metadata.captions import (
    podcast_html,
    podcast_json,
    sbv,
    scc,
    srt,
    text,
    transcript_json,
    ttml,
    webvtt,
    whisper_json,
    whisper_tsv,
)
from metadata.captions.base import CaptionFormat, Reader, Source, Writer
from metadata.captions.prefixes import without_speakers
from metadata.errors import FormatError, UnknownFormatError
from metadata.model import Transcript

__all__ = [
    "FORMATS",
    "READERS",
    "SUFFIXES",
    "WRITERS",
    "CaptionFormat",
    "Source",
    "detect_format",
    "read_captions",
    "without_speakers",
    "writer",
]

FORMATS: dict[str, CaptionFormat] = {
    each.name: each
    for each in (
        webvtt.FORMAT,
        srt.FORMAT,
        ttml.FORMAT,
        text.FORMAT,
        podcast_json.FORMAT,
        podcast_html.FORMAT,
        transcript_json.FORMAT,
        sbv.FORMAT,
        scc.FORMAT,
        whisper_json.FORMAT,
        whisper_tsv.FORMAT,
    )
}
"""Every format, by name, in the order in which readers are offered them."""

WRITERS: dict[str, Writer] = {name: each.write for name, each in FORMATS.items() if each.write}
"""Every format that a transcript can be written in."""

READERS: dict[str, Reader] = {name: each.read for name, each in FORMATS.items() if each.read}
"""Every format that is read."""


SUFFIXES: frozenset[str] = frozenset(
    PurePath(suffix).suffix or suffix
    for each in FORMATS.values()
    if each.read and each.detect
    for suffix in (each.suffix, *each.other_suffixes)
)
"""How the names of files end, with the dot, that are read as captions by what is in them."""


_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, whose mark it begins with
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_ZEROS = {
    (False, True, False, True): "utf-16-le",
    (True, False, True, False): "utf-16-be",
    (False, True, True, True): "utf-32-le",
    (True, True, True, False): "utf-32-be",
}
"""Which of the first four bytes are zero where a file begins with two letters of ASCII (RFC 4627, section 3)."""
_DECLARED = re.compile(rb"""\s*<\?xml[^>]{1,100}?\sencoding\s*=\s*["']([A-Za-z][A-Za-z0-9._-]{0,40})["']""")
_ENCODINGS = ("iso8859", "cp125", "koi8", "mac", "shift_jis", "euc", "gb", "big5", "ascii")


def writer(name: str) -> Writer:
    """Return the function that writes this format: ``vtt``, ``srt``, ``ttml`` and so on.

    Raises:
        UnknownFormatError: there is no such format.
    """
    try:
        return WRITERS[name]
    except KeyError:
        raise UnknownFormatError(name, tuple(sorted(WRITERS))) from None


def read_captions(data: bytes, source: Source) -> Transcript:
    """Return what a file of captions says, as a transcript of kind ``imported``.

    Args:
        data: the whole file: UTF-8, UTF-16 or UTF-32, with or without a mark; XML also in the encoding that it names.
        source: its name, and what is known of it.

    Raises:
        UnknownFormatError: no format reads this file, or several do.
        FormatError: it breaks its format's rules.
    """
    content = _decoded(data, source, "replace")
    name = detect_format(content, source.name)
    if "\ufffd" in content:
        content = _decoded(data, source, "surrogateescape" if FORMATS[name].cuts_characters else "strict")
    try:
        return READERS[name](content, source)
    except RecursionError as error:
        raise FormatError(source.name, "", "its parts lie inside each other too deeply") from error


def detect_format(content: str, name: str) -> str:
    """Return the name of the one format that claims a file by its text; what ends in ``.txt`` may be any text.

    Raises:
        UnknownFormatError: none does, or several do.
    """
    suffix = PurePath(name).suffix.lower()
    claims = [each.name for each in FORMATS.values() if each.detect and each.detect(content)]
    named = [each for each in ("vtt", "srt", "sbv", "scc", "ttml", "txt") if FORMATS[each].suffix == suffix]
    # SRT has no mark of its own, so a file that is called something else is read as that, and its mistake named.
    if named and (not claims or (claims == ["srt"] and suffix != ".txt")):
        claims = named
    if len(claims) != 1:
        raise UnknownFormatError(name, tuple(claims or READERS))
    return claims[0]


def _decoded(data: bytes, source: Source, errors: str) -> str:
    encoding = _encoding(data)
    try:
        # A mark of the byte order is no text, wherever joined files leave one (Unicode 16.0, section 23.8).
        return data.decode(encoding, errors).replace("\ufeff", "")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise FormatError(
            source.name, f"line {line}", f"not {encoding.upper()} text: save it in that encoding"
        ) from error


def _encoding(data: bytes) -> str:
    """Return the encoding of a file by its first bytes, where zeros betray UTF-16 and UTF-32 without a mark.

    XML names its encoding (XML 1.0, section 4.3.3), which is believed where the file is not UTF-8.
    """
    for mark, encoding in _MARKS.items():
        if data.startswith(mark):
            return encoding
    zeros = tuple(byte == 0 for byte in data[:4])
    if zeros in _ZEROS:
        return _ZEROS[zeros]
    declared = _DECLARED.match(data)
    return (
        declared[1].decode().lower() if declared and not _is_utf8(data) and _is_known(declared[1].decode()) else "utf-8"
    )


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _is_known(encoding: str) -> bool:
    """Whether it is an encoding of 8 bits a letter or of East Asia, as files of captions are in."""
    try:
        return codecs.lookup(encoding).name.startswith(_ENCODINGS)
    except LookupError:
        return False
