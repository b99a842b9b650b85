"""Function words: the words of a language that say how others belong together, and nothing of what a text is about.

In a large archive those of its language are the words that stand everywhere. In a small one they may be as rare as any
other word, and so are those of other languages in any archive; then they would count as if they meant something. So
they are listed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from functools import cache
from typing import NamedTuple

from stop_words import LANGUAGE_MAPPING, get_stop_words

from archive.index.spellings import in_one_piece, with_digraphs
from archive.index.tokens import words
from archive.search.closed_classes import CLOSED_CLASSES
from metadata.languages import UNDETERMINED, primary

LEAST = 2
"""Function words of a query by which its language is told, where that is not the archive's."""
OTHER_TAGS = {"no": "nb", "nn": "nb"}
"""Languages that go by the list of another."""


class FunctionWords(NamedTuple):
    """The function words of a query, and the language in which they are that, a primary subtag; "" without any."""

    language: str
    words: frozenset[str]


def function_words(asked: Collection[str], spoken: str = UNDETERMINED) -> FunctionWords:
    """Return the function words among some folded words, in that language of which they have the most.

    Args:
        asked: the words.
        spoken: BCP-47, what an archive mostly speaks: it comes first where others have as many, and needs one word.
    """
    own = list_of(spoken)
    found = [FunctionWords(language, listed.intersection(asked)) for language, listed in lists().items()]
    told = [each for each in found if len(each.words) >= (1 if each.language == own else LEAST)]
    return max(told, key=lambda each: (len(each.words), each.language == own), default=FunctionWords("", frozenset()))


def list_of(language: str) -> str:
    """Return the primary subtag by whose list a language (BCP-47) goes."""
    tag = primary(language)
    return OTHER_TAGS.get(tag, tag)


@cache
def lists() -> dict[str, frozenset[str]]:
    """Return the function words of each language, folded, but for those of which a part alone is a word here."""
    ready = {
        language: frozenset(
            spelled[0] for spelled in map(words, _spellings(get_stop_words(language))) if len(spelled) == 1
        )
        for language in LANGUAGE_MAPPING
        if language not in CLOSED_CLASSES
    }
    # What is written with an apostrophe has no part that means anything.
    ours = {
        language: frozenset(words(" ".join(_spellings([listed, in_one_piece(listed)]))))
        for language, listed in CLOSED_CLASSES.items()
    }
    return ready | ours


def _spellings(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        yield text
        yield with_digraphs(text)
