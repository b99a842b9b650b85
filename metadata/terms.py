"""Names and terms in running text: words whose spelling a listener cannot guess.

A word is taken if its spelling is unusual: capitals inside (``eIDAS``, ``GSM``), digits (``Bech32``), or a capital
first letter that does not begin a sentence. Words with capitals in a row are one term. In languages that capitalise
every noun (German, Luxembourgish), one word with a capital is not enough: two in a row are needed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from metadata.languages import primary

_MARKUP = re.compile(r"<[^>]{0,200}>|https?://\S+|\S{1,64}@\S+")
_SENTENCES = re.compile(r"(?<=[.!?:…])[\"'”’)\]]*\s+|\n+|\s[-–—•*]\s")
_WORD = re.compile(r"[^\W_]+(?:[-'’./+]{1,2}[^\W_]+)*\+*")
_NOUNS_IN_CAPITALS = frozenset({"de", "lb", "gsw", "nds"})
_PRONOUNS = frozenset({"I", "I'm", "I’m", "I'll", "I’ll", "I've", "I’ve", "I'd", "I’d"})


def terms(text: str, language: str | None = None, *, most: int = 30) -> tuple[str, ...]:
    """Return the names and terms of a text, each once, in order of appearance.

    >>> terms("Today Noor Okafor compares Bech32 with the format of BagIt.")
    ('Noor Okafor', 'Bech32', 'BagIt')

    Args:
        text: plain text, or text with markup, which is ignored.
        language: a BCP-47 tag; None is treated as a language that does not capitalise nouns.
        most: the highest number of terms to return.
    """
    nouns = language is not None and primary(language) in _NOUNS_IN_CAPITALS
    found = (term for part in _SENTENCES.split(_MARKUP.sub(" ", text)) for term in _in_sentence(part, nouns=nouns))
    return tuple(dict.fromkeys(found))[:most]


def _in_sentence(sentence: str, *, nouns: bool) -> Iterator[str]:
    run: list[re.Match[str]] = []
    first = True
    for match in _WORD.finditer(sentence):
        word = match[0]
        # Most words are plain. This fast check matters, since every run reads the abstracts of the whole archive.
        unusual = not (word.islower() and word.isalpha()) and _is_unusual(word)
        set_apart = unusual or (word[0].isupper() and word not in _PRONOUNS)
        if run and (not set_apart or sentence[run[-1].end() : match.start()].strip()):
            yield from _term(sentence, run, nouns=nouns)
            run = []
        # The first word of a sentence always has a capital, so it does not show a name.
        if unusual or (set_apart and not first):
            run.append(match)
        first = False
    yield from _term(sentence, run, nouns=nouns)


def _term(sentence: str, run: list[re.Match[str]], *, nouns: bool) -> Iterator[str]:
    if not run or (nouns and len(run) == 1 and not _is_unusual(run[0][0])):
        return
    yield sentence[run[0].start() : run[-1].end()]


def _is_unusual(word: str) -> bool:
    """Return whether a word has a capital after its first letter, or both digits and letters."""
    letters = any(map(str.isalpha, word))
    return any(map(str.isupper, word[1:])) or (letters and any(map(str.isdigit, word)))
