"""Text as the index sees it: folded characters, cut into words.

The indexes are tokenized by SQLite's ``unicode61 remove_diacritics 2``
(https://sqlite.org/fts5.html#unicode61_tokenizer). What is indexed, what is looked for and what is
highlighted all pass through `fold` first, which does what that tokenizer would do and leaves it nothing
to change; so a word here is a word there. SQLite itself is asked about each character when it is first
met, because its tables follow no version of Unicode that Python has.

Some things are decided before SQLite is asked:

- names that are spelled with signs are words of their own: C++, C#, .NET (`SIGNS`);
- compatible forms are one (NFKC): full-width letters, ligatures, composed and decomposed accents;
- Greek, the Russian io and the Arabic alef lose their accents, which unicode61 leaves them;
- Latin letters that Unicode does not decompose (ß æ ø ł đ þ ı) become what they are written with where only
  ASCII is to be had;
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
from functools import lru_cache
from threading import Lock
from typing import NamedTuple

from archive.sqlite import sqlite3

BARRIER = "\ue000"
"""A word that no text contains: it stands where two runs of text do not follow each other."""
MARK = "\ue001"
"""A letter that no text contains: words that begin with it are marks of stems (see `archive.index.stems`)."""
SIGNS = {"++": "\ue002", "#": "\ue003", ".": "\ue004"}
"""Letters that stand at the end of a word for signs that belong to it: ``++`` and ``#`` after it, ``.`` before it."""
FOLDING = 2
"""Raise this with any change to what becomes of a text: what was indexed before is then indexed anew."""

_PRIVATE = 0xF0000
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u19e0-\u19ff\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029"
    "\u3031-\u3035\u303b\u3041-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uaa60-\uaa7f\uac00-\ud7ff\uf900-\ufaff"
    "\U0001aff0-\U0001b16f\U00020000-\U0003ffff]"
)
# Conjoining jamo and half-width voicing marks join the character before them, as marks do, and are not marks.
_JOINING = re.compile("[\u1160-\u11ff\ud7b0-\ud7ff\uff9e\uff9f\uffa0-\uffdc]")
# Letters whose accents unicode61 keeps, though they are left out in capitals (Greek) or in haste (Russian, Arabic).
_ACCENTED = re.compile("[\u0370-\u03ff\u1f00-\u1fff\u0401\u0451\u0622\u0623\u0625]")
# Letters that are left out in haste as accents are: the apostrophes of Hawaiian and Ukrainian, the Arabic tatweel.
_LEFT_OUT = re.compile("[\u02b9-\u02bf\u0640]")
_LATIN = re.compile(
    "LATIN (?:SMALL |CAPITAL )?(?:LETTER |LIGATURE )?(?:SMALL CAPITAL )?(.+?)(?: DIGRAPH)?(?: WITH .+)?"
)
_NAMED = {
    "AFRICAN D": "d", "BARRED B": "b", "DOTLESS I": "i", "DOTLESS J": "j", "ENG": "n", "ETH": "d", "HENG": "h",
    "IOTA": "i", "KRA": "q", "LONG S": "s", "OPEN E": "e", "OPEN O": "o", "REVERSED E": "e", "SCHWA": "e",
    "SCRIPT G": "g", "SHARP S": "ss", "THORN": "th", "TURNED E": "e", "U BAR": "u",
}  # fmt: skip
"""What Latin letters become that are not named after others, by their names in Unicode."""
# Each begins with its sign, for which Python looks much sooner than for what stands before it.
_SHARP = re.compile(r"[#♯＃](?<=(?<![^\W_])[^\W\d_].)(?![^\W_])")
_PLUSES = re.compile(r"[+＋](?:(?<=\+)\+|(?<=＋)＋)(?<=(?<![^\W_])[^\W\d_]..)(?![+＋])")
_DOT_NET = re.compile(r"\.(?=NET)(?<![^\W_]\.)(?<!\.\.)(NET)(?![^\W_])", re.IGNORECASE | re.ASCII)
_SELECTOR = re.compile("[\u034f\u180b-\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")
_ASCII = "".join(chr(code).lower() if chr(code).isalnum() else " " for code in range(128))
_WORD = re.compile("[^ ]+")
SOFT_HYPHEN = "\xad"
"""A character that is dropped."""
LIGATURE = 2
"""Letters that one may be made of."""
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
    return _fold(_with_signs(text))


def _fold(text: str) -> str:
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
    joined = _in_plain_letters(_with_signs(joined))
    if joined.isascii():
        return joined.translate(_ASCII_RECORDS).split(RECORD)
    texts = joined.split(RECORD)
    plain = iter(RECORD.join(filter(str.isascii, texts)).translate(_ASCII_RECORDS).split(RECORD))
    return [next(plain) if text.isascii() else _fold(text) for text in texts]


def _in_plain_letters(text: str) -> str:
    """Return a text with those of its typographic signs and accents as plain letters that have such.

    To fold plain letters takes a tenth of the time that others take.
    """
    if text.isascii():
        return text
    folded = {char: _alone(char) for char in set(_BEYOND_ASCII.findall(text))}
    if None in folded.values():
        return text
    for char, letters in folded.items():
        if letters is not None and letters.isascii():
            text = text.replace(char, letters)
    return text


@lru_cache(maxsize=4096)
def _alone(char: str) -> str | None:
    """Return what a character becomes wherever it stands; None for one that may join another."""
    if unicodedata.category(char)[0] == "M" or _JOINING.match(char):
        return None
    return unicodedata.normalize("NFKC", char).translate(_LETTERS)


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
    text = _with_signs(text)
    if text.isascii():
        return standing(text.translate(_ASCII))
    return [(start, end) for _, start, end in tokenize(text)]


def standing(folded: str) -> list[tuple[int, int]]:
    """Return where the words of a folded text stand: characters from and to."""
    return [match.span() for match in _WORD.finditer(folded)]


def tokenize(text: str) -> list[Token]:
    """Return the folded words of a text in order, each with its place."""
    text = _with_signs(text)
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


def shown(word: str) -> str:
    """Return a folded word as people write it: with its signs, and with the letters for which others stand."""
    for sign, letter in SIGNS.items():
        word = f"{sign}{word[:-1]}" if sign == "." and word.endswith(letter) else word.replace(letter, sign)
    return _KEPT.sub(_give_back, word)


def _with_signs(text: str) -> str:
    """Return a text in which letters stand for the signs of names; it is as long, and words stand where they stood."""
    if "#" in text or "♯" in text or "＃" in text:
        text = _SHARP.sub(SIGNS["#"], text)
    if "++" in text or "＋＋" in text:
        text = _PLUSES.sub(_with_pluses, text)
    if ".n" in text or ".N" in text:
        text = _DOT_NET.sub(rf"\1{SIGNS['.']}", text)
    return text


def _with_pluses(found: re.Match[str]) -> str:
    """Return a name with two pluses, the second of which is dropped, or ends the word before a number: ``C++20``."""
    following = found.string[found.end() : found.end() + 1]
    return f"{SIGNS['++']}{' ' if following.isalnum() else SOFT_HYPHEN}"


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
        if category == "Cf" or _SELECTOR.match(char) or _LEFT_OUT.match(char):
            return ""
        if category in ("Mn", "Mc") and not _spells(char):
            return ""
        if ord(char) >= _PRIVATE:
            return _keep(char)
        folded = self._ask(unicodedata.normalize("NFD", char)[0] if _ACCENTED.match(char) else char)
        if folded == " " and category[0] in "LMN" and category != "Me":
            folded = _keep(char)
        folded = _in_ascii(folded)
        return f" {folded} " if _UNSPACED.match(char) and folded.strip() else folded

    def _ask(self, char: str) -> str:
        """Return what unicode61 makes of a character inside a word: a space where it ends the word."""
        with self._lock:
            self._conn.execute("INSERT INTO probe(rowid, text) VALUES (1, ?)", (f"a{char}b",))
            terms = [term for (term,) in self._conn.execute("SELECT term FROM term")]
            self._conn.execute("INSERT INTO probe(probe) VALUES ('delete-all')")
        return terms[0][1:-1] if len(terms) == 1 else " "


def _in_ascii(letter: str) -> str:
    """Return a small Latin letter as it is written in ASCII; any other text as it is.

    Its name tells: LATIN SMALL LETTER O WITH STROKE is written O, and LATIN SMALL LETTER AE is AE. So does the
    transform Latin-ASCII of the CLDR (https://www.unicode.org/reports/tr35/tr35-general.html#Transforms).
    """
    if letter.isascii() or len(letter) > 1:
        return letter
    base = unicodedata.normalize("NFD", letter)[0]
    name = _LATIN.fullmatch(unicodedata.name(base, ""))
    if name is None:
        return letter
    return _NAMED.get(name[1]) or (name[1].lower() if len(name[1]) <= LIGATURE else letter)


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


_KEPT = re.compile(f"([{chr(_PRIVATE)}-{chr(_PRIVATE + 16)}]?)([{chr(_PRIVATE + 17)}-{chr(_PRIVATE + 0xFFFF)}])")


def _give_back(kept: re.Match[str]) -> str:
    """Return the character for which one stands that `_keep` wrote."""
    return chr(0x10000 * (ord(kept[1]) - _PRIVATE if kept[1] else 0) + ord(kept[2]) - _PRIVATE)


_LETTERS = _Letters()
