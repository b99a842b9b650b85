"""Comparing names and titles, which are kept as they were written.

Unicode can spell one text in several ways: ``é`` is one character (NFC, as most systems write it) or an ``e`` and a
combining accent (NFD, as macOS writes it in the names of files). Both look the same and mean the same (UAX 15,
"canonical equivalence"). So two texts are compared by `same_text`, and two names by `name_key`, which also ignores case
and extra spaces.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable


def composed(text: str) -> str:
    r"""Return a text in Unicode's composed form (NFC).

    >>> composed("Zoe\u0308") == "Zoë"
    True
    """
    return unicodedata.normalize("NFC", text)


def same_text(one: str | None, other: str | None) -> bool:
    """Return whether two texts are canonically equivalent. None equals only None."""
    if one is None or other is None:
        return one is other
    return one == other or composed(one) == composed(other)


def name_key(name: str) -> str:
    r"""Return the form in which names are compared: without case, extra spaces and differences of encoding.

    This is the canonical caseless match of the Unicode Standard (section 3.13, D145).

    >>> name_key("ZOE\u0308  KRÄMER") == name_key("Zoë Krämer")
    True
    """
    folded = unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())
    return composed(" ".join(folded.split()))


def distinct_names(names: Iterable[str | None]) -> tuple[str, ...]:
    """Return names in order, as they are written, each once; None and empty texts are left out."""
    found: dict[str, str] = {}
    for name in names:
        if name:
            found.setdefault(name_key(name), name)
    return tuple(found.values())


def readable_name(day: str | None, event: str | None, title: str | None, *more: str | None) -> str:
    """Return a file's name that people can read: ``2014-12-27 31C3 – Title.en``; no character that a disk refuses.

    Sources of what is refused: POSIX (``/``), Windows' naming of files
    (https://learn.microsoft.com/windows/win32/fileio/naming-a-file), and 255 bytes of most file systems.
    """
    whole = " – ".join(filter(None, [" ".join(filter(None, [day, event])), title])) or "recording"
    clean = "".join(" " if char in '<>:"/\\|?*' or not char.isprintable() else char for char in whole)
    short = " ".join(clean.split()).encode()[:180].decode(errors="ignore").strip(" .–") or "recording"
    return ".".join([short, *(each for each in more if each)])
