"""Text as the index sees it: folded characters, cut into words.

The indexes are tokenized by SQLite's ``unicode61 remove_diacritics 2``
(https://sqlite.org/fts5.html#unicode61_tokenizer). What is indexed, what is looked for and what is
highlighted all pass through `fold` first, which does what that tokenizer would do and leaves it nothing
to change; so a word here is a word there. SQLite itself is asked about each character when it is first
met, because its tables follow no version of Unicode that Python has.

Five things are decided before SQLite is asked:

- compatible forms are one (NFKC): full-width letters, ligatures, composed and decomposed accents;
- Greek and the Russian io lose their accents, which unicode61 leaves them;
- scripts written without spaces (Chinese, Japanese, Korean, Thai, Lao, Burmese, Khmer) are words of one
  character, so a word of theirs is searched as a phrase;
- points, accents and invisible characters that readers leave out are dropped (Arabic and Hebrew vowel
  points, soft hyphens, joiners);
- signs that spell a word but that unicode61 takes for spaces (the vowels of Devanagari) are kept, as
  characters of a private use area.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from threading import Lock
from typing import NamedTuple

from archive.sqlite import sqlite3

BARRIER = "\ue000"
"""A word that no text contains: it stands where two runs of text do not follow each other."""
MARK = "\ue001"
"""A letter that no text contains: words that begin with it are marks of stems (see `archive.index.stems`)."""

_PRIVATE = 0xF0000
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u19e0-\u19ff\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029"
    "\u3031-\u3035\u303b\u3041-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uaa60-\uaa7f\uac00-\ud7ff\uf900-\ufaff"
    "\U0001aff0-\U0001b16f\U00020000-\U0003ffff]"
)
# Conjoining jamo and half-width voicing marks join the character before them, as marks do, and are not marks.
_JOINING = re.compile("[\u1160-\u11ff\ud7b0-\ud7ff\uff9e\uff9f\uffa0-\uffdc]")
# Letters whose accents unicode61 keeps, though they are left out in capitals (Greek) or in haste (Russian).
_ACCENTED = re.compile("[\u0370-\u03ff\u1f00-\u1fff\u0401\u0451]")
_SELECTOR = re.compile("[\u034f\u180b-\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_ASCII = "".join(chr(code).lower() if chr(code).isalnum() else " " for code in range(128))
_WORD = re.compile("[^ ]+")
RECORD = "\x1e"
"""What stands between texts that are in one string."""
_ASCII_RECORDS = _ASCII[: ord(RECORD)] + RECORD + _ASCII[ord(RECORD) + 1 :]


class Token(NamedTuple):
    """A folded word and the characters ``start:end`` of the text that it came from."""

    text: str
    start: int
    end: int


def fold(text: str) -> str:
    """Return the words of a text, folded, with spaces between them."""
    if text.isascii():
        return text.translate(_ASCII)
    if unicodedata.is_normalized("NFKC", text):
        return text.translate(_LETTERS)
    return "".join(folded for folded, _, _ in _pieces(text))


def fold_each(texts: Sequence[str]) -> list[str]:
    """Return `fold` of each text; much faster for many of plain English."""
    joined = RECORD.join(texts)
    return fold_records(joined) if joined.count(RECORD) == len(texts) - 1 else [fold(text) for text in texts]


def fold_records(joined: str) -> list[str]:
    """Return `fold` of each of the texts in a string, between which `RECORD` stands."""
    if joined.isascii():
        return joined.translate(_ASCII_RECORDS).split(RECORD)
    return [fold(text) for text in joined.split(RECORD)]


def words(text: str) -> list[str]:
    """Return the folded words of a text in order.

    >>> words("Élan vital, re-use 東京")
    ['elan', 'vital', 're', 'use', '東', '京']
    """
    return fold(text).split()


def is_unspaced(word: str) -> bool:
    """Whether a folded word is a character of a script that is written without spaces."""
    return _UNSPACED.match(word) is not None


def places(text: str) -> list[tuple[int, int]]:
    """Return where the words of a text stand: characters from and to, for highlighting."""
    if text.isascii():
        return standing(text.translate(_ASCII))
    return [(start, end) for _, start, end in tokenize(text)]


def standing(folded: str) -> list[tuple[int, int]]:
    """Return where the words of a folded text stand: characters from and to."""
    return [match.span() for match in _WORD.finditer(folded)]


def tokenize(text: str) -> list[Token]:
    """Return the folded words of a text in order, each with its place."""
    if text.isascii():
        return [Token(match[0], *match.span()) for match in _WORD.finditer(text.translate(_ASCII))]
    tokens: list[Token] = []
    word, begin, end = "", 0, 0
    for folded, start, stop in _pieces(text):
        *whole, rest = folded.split(" ")
        for part in whole:
            if word or part:
                tokens.append(Token(word + part, begin if word else start, stop if part else end))
            word = ""
        if rest and not word:
            begin = start
        if word or rest:
            end = stop
        word += rest
    return [*tokens, Token(word, begin, end)] if word else tokens


def _pieces(text: str) -> Iterator[tuple[str, int, int]]:
    """Yield what becomes of each character, or of each character with its marks, and where it stood."""
    if unicodedata.is_normalized("NFKC", text):
        for index, char in enumerate(text):
            yield _LETTERS[ord(char)], index, index + 1
        return
    start = 0
    for end in range(1, len(text) + 1):
        if end < len(text) and (unicodedata.category(text[end])[0] == "M" or _JOINING.match(text[end])):
            continue
        composed = unicodedata.normalize("NFKC", text[start:end])
        yield composed.translate(_LETTERS), start, end
        start = end


class _Letters(dict[int, str]):
    """What becomes of each character that was met so far: a letter, nothing, or a space."""

    def __init__(self) -> None:
        super().__init__(enumerate(_ASCII))
        self._lock = Lock()
        self._conn = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self._conn.execute(
            "CREATE VIRTUAL TABLE probe USING fts5("
            "text, content='', contentless_delete=1, tokenize='unicode61 remove_diacritics 2')"
        )
        self._conn.execute("CREATE VIRTUAL TABLE term USING fts5vocab(probe, 'row')")

    def __missing__(self, code: int) -> str:
        folded = self[code] = self._decide(chr(code))
        return folded

    def _decide(self, char: str) -> str:
        category = unicodedata.category(char)
        if category == "Cs" or char in (BARRIER, MARK, "\u200b"):  # a zero-width space is meant as a space
            return " "
        if category == "Cf" or _SELECTOR.match(char):
            return ""
        if category in ("Mn", "Mc") and not _spells(char):
            return ""
        if ord(char) >= _PRIVATE:
            return _keep(char)
        folded = self._ask(unicodedata.normalize("NFD", char)[0] if _ACCENTED.match(char) else char)
        if folded == " " and category[0] in "LMN" and category != "Me":
            folded = _keep(char)
        return f" {folded} " if _UNSPACED.match(char) and folded.strip() else folded

    def _ask(self, char: str) -> str:
        """Return what unicode61 makes of a character inside a word: a space where it ends the word."""
        with self._lock:
            self._conn.execute("INSERT INTO probe(rowid, text) VALUES (1, ?)", (f"a{char}b",))
            terms = [term for (term,) in self._conn.execute("SELECT term FROM term")]
            self._conn.execute("INSERT INTO probe(probe) VALUES ('delete-all')")
        return terms[0][1:-1] if len(terms) == 1 else " "


def _spells(mark: str) -> bool:
    """Whether a mark is part of the spelling: not one of the points (classes 10–35) or accents (200 and more).

    Source: canonical combining classes, Unicode Standard Annex 44, table 15.
    """
    combining = unicodedata.combining(mark)
    return not 10 <= combining <= 35 and combining < 200


def _keep(char: str) -> str:
    """Return a word character that stands for one which unicode61 takes for a space."""
    plane, low = divmod(ord(char), 0x10000)
    return (chr(_PRIVATE + plane) if plane else "") + chr(_PRIVATE + low)


_LETTERS = _Letters()
