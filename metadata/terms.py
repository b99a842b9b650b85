"""Names and terms in running text: what a listener would need to have seen written.

A word counts that its writing sets apart: capitals inside (``eIDAS``, ``GSM``), digits (``Bech32``), or a capital
first letter where no sentence begins. Words with capitals that follow each other are one term. In languages that
capitalise every noun (German, Luxembourgish) a single capital says nothing, and two words in a row are needed.
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
        text: plain, or with markup, which is left out.
        language: BCP-47; None counts as one that does not capitalise nouns.
        most: how many to return.
    """
    nouns = language is not None and primary(language) in _NOUNS_IN_CAPITALS
    found = (term for part in _SENTENCES.split(_MARKUP.sub(" ", text)) for term in _in_sentence(part, nouns=nouns))
    return tuple(dict.fromkeys(found))[:most]


def _in_sentence(sentence: str, *, nouns: bool) -> Iterator[str]:
    run: list[re.Match[str]] = []
    first = True
    for match in _WORD.finditer(sentence):
        if run and sentence[run[-1].end() : match.start()].strip():
            yield from _term(sentence, run, nouns=nouns)
            run = []
        if _is_unusual(match[0]) or (match[0][0].isupper() and match[0] not in _PRONOUNS):
            # The first word of a sentence has its capital anyway, so that it begins no name.
            if not first or _is_unusual(match[0]):
                run.append(match)
        else:
            yield from _term(sentence, run, nouns=nouns)
            run = []
        first = False
    yield from _term(sentence, run, nouns=nouns)


def _term(sentence: str, run: list[re.Match[str]], *, nouns: bool) -> Iterator[str]:
    if not run or (nouns and len(run) == 1 and not _is_unusual(run[0][0])):
        return
    yield sentence[run[0].start() : run[-1].end()]


def _is_unusual(word: str) -> bool:
    """Whether a word has a capital that does not begin it, or digits and letters."""
    letters = any(char.isalpha() for char in word)
    return any(char.isupper() for char in word[1:]) or (letters and any(char.isdigit() for char in word))
