"""Words and signs of a text, as corpus tools count them: each as it is written, and as search has it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from archive.index.tokens import shown, tokenize

_INNER = frozenset("'’-‐‑")
"""What holds the parts of a word together."""


class Written(NamedTuple):
    """A word or a sign: as it is written, and folded as search has it; of a sign, that is itself."""

    text: str
    folded: str


def written(text: str) -> Iterator[Written]:
    """Yield the words and signs of a text in order.

    >>> [each.text for each in written("Don't stop, 東京!")]
    ["Don't", 'stop', ',', '東', '京', '!']
    """
    begin, end, folded = 0, 0, ""
    for token in tokenize(text):
        if folded and token.start - end == 1 and text[end] in _INNER:
            end, folded = token.end, f"{folded}{text[end]}{token.text}"
            continue
        if folded:
            yield Written(text[begin:end], shown(folded))
        yield from _signs(text[end : token.start])
        begin, end, folded = token.start, token.end, token.text
    if folded:
        yield Written(text[begin:end], shown(folded))
    yield from _signs(text[end:])


def _signs(text: str) -> Iterator[Written]:
    return (Written(char, char) for char in text if not char.isspace() and char.isprintable())
