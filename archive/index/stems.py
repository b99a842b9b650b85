"""Stems: what the forms of a word have in common, kept in the indexes beside the words themselves.

A word whose stem differs from it leaves a mark in what is indexed: a word of its own that no text can
contain, made of the language and the stem (``running`` in English marks ``en·run``). Marks stand after the
text that they come from, each once. So phrases, and words as they were said, are looked for as if there
were no stems; and a word is looked for by its forms by asking for itself, its stem and the stem's mark.

Stems are those of the Snowball project (https://snowballstem.org), computed from folded words
(`archive.index.tokens`), so that accents that a writer left out change nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import cache
from threading import RLock

import snowballstemmer

from archive.index.tokens import MARK
from metadata.languages import primary

ALGORITHMS = {
    "ar": "arabic",
    "ca": "catalan",
    "cs": "czech",
    "da": "danish",
    "de": "german",
    "el": "greek",
    "en": "english",
    "eo": "esperanto",
    "es": "spanish",
    "et": "estonian",
    "eu": "basque",
    "fa": "persian",
    "fi": "finnish",
    "fr": "french",
    "ga": "irish",
    "hu": "hungarian",
    "hy": "armenian",
    "id": "indonesian",
    "it": "italian",
    "lt": "lithuanian",
    "nb": "norwegian",
    "nl": "dutch",
    "nn": "norwegian",
    "no": "norwegian",
    "pl": "polish",
    "pt": "portuguese",
    "ro": "romanian",
    "ru": "russian",
    "sr": "serbian",
    "st": "sesotho",
    "sv": "swedish",
    "ta": "tamil",
    "tr": "turkish",
    "yi": "yiddish",
}
"""Snowball's names by primary language. Hindi and Nepali are missing: `archive.index.tokens` says why, at vowels."""

SUFFIXED = frozenset(
    {"ca", "cs", "da", "de", "en", "es", "et", "eu", "fi", "fr", "hu", "hy"}
    | {"it", "lt", "nb", "nn", "no", "pl", "pt", "ro", "ru", "sv", "tr"}
)
"""Languages of which every word begins with the same letter as its stem, as only endings are taken off."""

REMEMBERED = 1 << 18
"""Words whose stems are kept in memory, for each language."""

_lock = RLock()


class _Stems:
    """The stem of every word that was met so far in a language, and the words of each stem."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._stems: dict[str, str] = {}
        self._words: defaultdict[str, set[str]] = defaultdict(set)

    def of(self, word: str) -> str:
        """Return the stem of a word."""
        with _lock:
            if word in self._stems:
                return self._stems[word]
            if len(self._stems) >= REMEMBERED:
                self._stems.clear()
                self._words.clear()
            found = self._stems[word] = _stem(self._language, word)
            self._words[found].add(word)
            return found

    def among(self, found: str, words: set[str]) -> set[str]:
        """Return those of some words that have a stem."""
        with _lock:
            # A dict as such is looked into; of what derives from it Python goes through all that it holds.
            for word in words.difference(self._stems):
                self.of(word)
            return words & self._words.get(found, set())


_stems = cache(_Stems)


def stem(language: str, word: str) -> str:
    """Return the stem of a folded word; the word itself where nobody knows the language's stems.

    Args:
        language: a primary subtag, such as ``en``.
        word: as `archive.index.tokens.fold` writes it.
    """
    return _stems(language).of(word)


def forms(language: str, found: str, words: set[str]) -> set[str]:
    """Return those of some folded words that have a stem in a language (a primary subtag)."""
    return _stems(language).among(found, words)


def _stem(language: str, word: str) -> str:
    stemmer = _stemmer(language)
    if stemmer is None:
        return word
    with _lock:  # a stemmer keeps the word that it works on in itself
        return stemmer(word) or word


@cache
def _stemmer(language: str) -> Callable[[str], str] | None:
    """Return the function that stems a language, if there is one."""
    # A version of snowballstemmer may have fewer than another.
    name = ALGORITHMS.get(language)
    if name not in snowballstemmer.algorithms():
        return None
    stemmer: Callable[[str], str] = snowballstemmer.stemmer(name).stemWord
    return stemmer


def mark_of(language: str, found: str) -> str:
    """Return the mark of a stem."""
    return f"{MARK}{language}{MARK}{found}"


class _Marks(dict[str, str]):
    """The mark of every word that was met so far in a language; "" for a word that is its own stem."""

    def __init__(self, language: str) -> None:
        super().__init__()
        self._language = language

    def __missing__(self, word: str) -> str:
        if len(self) >= REMEMBERED:
            self.clear()
        found = _stem(self._language, word)
        self[word] = "" if found == word else mark_of(self._language, found)
        return self[word]


_marks = cache(_Marks)


def marks(language: str, words: Iterable[str]) -> dict[str, None]:
    """Return the marks of words, each once, in the words' order.

    Args:
        language: BCP-47.
        words: folded.
    """
    known = primary(language)
    if known not in ALGORITHMS:
        return {}
    found = dict.fromkeys(map(_marks(known).__getitem__, words))
    found.pop("", None)
    return found


def is_stemmed(language: str) -> bool:
    """Whether the words of a language (BCP-47) are found by their stems."""
    return primary(language) in ALGORITHMS
