"""Words that are written in one piece or in several, and letters that are written as two.

Wi-Fi is indexed as two words, and so ``"wi fi"`` finds it. Whoever asks for *wifi* must find it too, and a phrase
with it. So each session's row in the session-level index has a mark for every word that it writes in pieces: a word
that no text has, made of the word in one piece and of its pieces (``wifi·wi·fi``). A search looks up there in which
pieces its words are written, and looks for these as a phrase; no passage grows by a byte. The same is done for ü,
which stands in the index as u, and which people write as ue (``mueller·muller``).

What belongs together is decided by `is_joined` alone, for texts and for queries.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import TypeAlias

from archive.index.tokens import MARK, words

HYPHENS = "-\u2010\u2011"
APOSTROPHES = "'\u2019\u2018\u2032`"
POINTS = ".\u00b7\u2027\u05f3\u05f4_"
"""Points in abbreviations and names (U.S., Node.js), in Catalan (col·lecció), in Hebrew acronyms; underscores."""
BLANKS = "\u00a0\u2009\u202f"
"""Blanks that stand between the thousands of a number: no line ends with them, and so no number does."""
MAX_LETTERS = 64
"""Characters between blanks that are looked at: nobody writes a longer word."""
REMEMBERED = 1 << 16

_COLLIDING = frozenset({"hell", "lets", "shed", "shell", "wed", "well", "were", "whore"})
"""What are other words without their apostrophe."""
_DIGRAPHS = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa", "đ": "dj", "ə": "a"}
    | {"Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "Ø": "Oe", "Å": "Aa", "Đ": "Dj", "Ə": "A"}
)
"""What these letters are also written as, beside the letter alone: in German and the languages of Scandinavia (so do
passports: ICAO Doc 9303, part 3, section 6), of the Balkans, and of Azerbaijan."""
_LETTERS = "äöüøåđəÄÖÜØÅĐƏ"
_SEPARATORS = f"{HYPHENS}{APOSTROPHES}{POINTS}{BLANKS},&/"
_PERHAPS = re.compile(f"(?<=[^\\W_])[{re.escape(_SEPARATORS)}](?=[^\\W_])|[{_LETTERS}\u0308\u030a]")
_THOUSANDS = re.compile(rf"(?<=\d)[{BLANKS}](?=\d)")
_PART = re.compile(r"[^\W_]+")

Pieces: TypeAlias = tuple[str, ...]
"""Folded words that follow each other."""


def spelling_mark(word: str, pieces: Iterable[str] = ()) -> str:
    """Return what marks that a folded word is also written in pieces; without them, what all such marks begin with."""
    return f"{MARK}{MARK}{word}{MARK}{MARK.join(pieces)}"


def pieces_of(mark: str) -> tuple[str, Pieces]:
    """Return the word and the pieces of a mark."""
    word, *pieces = mark[2:].split(MARK)
    return word, tuple(pieces)


def spelling_marks(texts: Iterable[str]) -> dict[str, None]:
    """Return the marks of the words of texts, each once, in an order of their own."""
    found: set[str] = set()
    for text in texts:
        spaced = any(blank in text for blank in BLANKS)
        found.update((_THOUSANDS.sub("'", text) if spaced else text).split())
    return dict.fromkeys(sorted(mark for marks in map(_marks.__getitem__, found) for mark in marks))


def in_one_piece(text: str) -> str:
    """Return a text without what stands between the parts of its words: ``the wifi`` for ``the Wi-Fi``."""
    return "".join(text[start:end] for start, end in _kept(text))


def with_digraphs(text: str) -> str:
    """Return a text in which letters that may be written as two are: ``Mueller`` for ``Müller``."""
    return unicodedata.normalize("NFC", text).translate(_DIGRAPHS)


def is_joined(before: str, separator: str, after: str) -> bool:
    """Whether two parts of a text with this one character between them are also written as one word.

    >>> is_joined("Wi", "-", "Fi"), is_joined("10", "-", "20"), is_joined("1", ",", "800"), is_joined("l", "'", "homme")
    (True, False, True, False)
    """
    if before.isdigit() and after.isdigit():
        thousands = separator in {",", ".", *APOSTROPHES, *BLANKS}
        return thousands and len(before) <= 3 and before[0] != "0" and len(after) == 3
    if separator in HYPHENS:
        return before.lower() != after.lower()  # a speaker who begins again
    if not (before[-1].isalpha() and after[0].isalpha()):
        return False
    if separator in APOSTROPHES:
        elided = len(before) == 1 and before not in "oO" and after[0].islower()
        return not elided and after.lower() != "s" and (before + after).lower() not in _COLLIDING
    return separator in POINTS or separator == "&" or (separator == "/" and before.isupper() and after.isupper())


class _Marks(dict[str, tuple[str, ...]]):
    """The marks of whatever stood between two blanks and was met so far."""

    def __missing__(self, text: str) -> tuple[str, ...]:
        if len(self) >= REMEMBERED:
            self.clear()
        perhaps = len(text) <= MAX_LETTERS and _PERHAPS.search(text)
        found = self[text] = tuple(_find(text)) if perhaps else ()
        return found


_marks = _Marks()


def _find(text: str) -> dict[str, None]:
    text = unicodedata.normalize("NFC", text)
    runs = [run for run in _runs(text) if len(run) > 1 and not _is_spelled_out(text, run)]
    spelled = [(run, written("".join(run))) for run in runs for written in (str, with_digraphs)]
    spelled += [([part], with_digraphs(part)) for part in _PART.findall(text)]
    found: dict[str, None] = {}
    for parts, other in spelled:
        whole, pieces = words(other), words(" ".join(parts))
        if len(whole) == 1 and pieces and whole != pieces:
            found[spelling_mark(whole[0], pieces)] = None
    return found


def _runs(text: str) -> Iterator[list[str]]:
    """Yield the parts of a text that belong together."""
    run: list[str] = []
    end = -1
    for part in _PART.finditer(text):
        if run and _belong(run[-1], text[end : part.start()], part[0]):
            run.append(part[0])
        else:
            yield run
            run = [part[0]]
        end = part.end()
    yield run


def _is_spelled_out(text: str, run: list[str]) -> bool:
    """Whether somebody says the letters of a word: b-y-t-e-s."""
    return "." not in text and len(run) > 2 and max(map(len, run)) == 1


def _kept(text: str) -> Iterator[tuple[int, int]]:
    """Yield what is left of a text without what stands between parts that belong together."""
    begin, before = 0, None
    for part in _PART.finditer(text):
        if before and _belong(before[0], text[before.end() : part.start()], part[0]):
            yield begin, before.end()
            begin = part.start()
        before = part
    yield begin, len(text)


def _belong(before: str, between: str, after: str) -> bool:
    return len(between) == 1 and is_joined(before, between, after)
