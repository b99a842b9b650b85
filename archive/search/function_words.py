"""Function words: the words of a language that say how others belong together, and nothing of what a text is about.

In the language of an archive they are the words that stand everywhere. Those of other languages are rare there, and
would count as if they meant something; so they are listed.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import cache

from stop_words import AVAILABLE_LANGUAGES, get_stop_words

from archive.index.tokens import words

LONGEST = 700
"""Words of a list: a longer one has many that mean something, as that of English has."""
LEAST = 2
"""Function words of a query by which its language is told."""


def function_words(asked: Collection[str]) -> frozenset[str]:
    """Return the function words among some folded words, in that language of which they have the most."""
    found = [known.intersection(asked) for known in _lists()]
    most = max(found, key=len)
    return most if len(most) >= LEAST else frozenset()


@cache
def _lists() -> list[frozenset[str]]:
    """Return the function words of each language, folded, but for those of which a part alone is a word here."""
    lists = (get_stop_words(language) for language in sorted(AVAILABLE_LANGUAGES))
    return [
        frozenset(spelled[0] for spelled in map(words, listed) if len(spelled) == 1)
        for listed in lists
        if len(listed) <= LONGEST
    ]
