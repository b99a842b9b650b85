"""Which encoding a file of text is in."""

from __future__ import annotations

import codecs
import re

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


def guessed_encoding(data: bytes) -> str:
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
