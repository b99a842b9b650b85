"""The permanent address of a moment: the session, the transcript's version, the times and the words.

``/cite/SESSION/VERSION?t=61.2,75&words=what+an+archive+owes``: the times are a temporal fragment of W3C Media Fragments
(https://www.w3.org/TR/media-frags/, section 4.2.1), the words are those of a TextQuoteSelector of Web Annotation
(https://www.w3.org/TR/annotation-model/#text-quote-selector), with ``before`` and ``after`` for its prefix and suffix
where the words are few. A long quotation is named by its beginning and its end, with ``…`` between.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from archive.anchoring.spoken import Spoken
from archive.site.session_page.page import TimeSpan, parse_span
from archive.urls import permanent_url

MOST_LETTERS = 1_000
"""Of the words of an address."""
MOST_AROUND = 200
"""Letters of the words before and after them."""
LONG = 40
"""Words from which a quotation is named by its ends."""
END = 15
"""Words of each end."""
ELLIPSIS = "…"
SHORT = 8
"""Tokens below which the words around are named, too."""
AROUND = 4
"""Of these, so many on each side."""
SENTENCE = 12
"""Words of a moment that has no end."""
_SAID = frozenset("LMN")
_WRITTEN = frozenset({"Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Pc", "Sc", "Sm"})
"""Categories of Unicode that quotations may have beside letters, marks and numbers: no control, no picture."""


class BadAddressError(ValueError):
    """An address of a moment cannot be read; the text says why, for readers."""


@dataclass(frozen=True, slots=True)
class Address:
    """What the address of a moment names.

    Attributes:
        identity: of the session, 12 hexadecimal digits.
        version: the beginning of the transcript's version.
        span: the times, in milliseconds.
        words: the quotation as it was written; "" for none.
        before, after: words around it.
    """

    identity: str
    version: str
    span: TimeSpan
    words: str = ""
    before: str = ""
    after: str = ""

    @property
    def parts(self) -> tuple[str, ...]:
        """The quotation, or its beginning and its end; empty where there are no words."""
        parts = [part for each in self.words.split(ELLIPSIS) if (part := each.strip())]
        return (parts[0], parts[-1]) if len(parts) > 1 else tuple(parts)

    @property
    def path(self) -> str:
        """The address, from the site's root."""
        return self.in_form("")

    def in_form(self, form: str) -> str:
        """Return the address in another form, such as ``.jsonld``."""
        named = {"t": self.span.text, "words": self.words, "before": self.before, "after": self.after}
        query = urlencode({name: value for name, value in named.items() if value}, safe=",")
        return f"{permanent_url(self.identity, self.version, form)}?{query}"


def parse(identity: str, version: str, argument: Callable[[str], str]) -> Address:
    """Return what an address names.

    Args:
        identity: the session's, which the path has as hexadecimal digits.
        version: likewise the transcript's.
        argument: returns a value of the query by its name, "" for none.

    Raises:
        BadAddressError: it has no times that can be read, or its words are too long.
    """
    span = parse_span(argument("t"))
    if span is None:
        raise BadAddressError("the address of a moment needs its time, such as t=61.2 or t=61.2,75 (seconds)")
    words = {"words": MOST_LETTERS, "before": MOST_AROUND, "after": MOST_AROUND}
    for name, most in words.items():
        if len(argument(name)) > most:
            raise BadAddressError(f"{name} may have {most} letters at most")
    return Address(identity, version, span, *(plain(argument(name)) for name in words))


def plain(text: str) -> str:
    """Return a quotation as one line of letters, figures and marks of writing: nothing else can be in a citation."""
    kept = (char if (kind := unicodedata.category(char))[0] in _SAID or kind in _WRITTEN else " " for char in text)
    return " ".join("".join(kept).split())


def address_of(identity: str, version: str, said: Spoken, span: TimeSpan) -> Address:
    """Return the address of a moment of a transcript, with the words that are said in it.

    Args:
        identity: the session's.
        version: the transcript's.
        said: what the transcript says.
        span: from when to when; where it has no end, the words that begin there are named.
    """
    if not said.tokens:
        return Address(identity, version, span)
    if span.end_ms is None:
        first = said.at(span.start_ms)
        end = min(first + SENTENCE, len(said.tokens))
    else:
        first, end = said.between(span.start_ms, span.end_ms)
    if first == end:
        return Address(identity, version, span)
    first, end = said.whole(first, end)
    words = said.text(first, end).split()
    if len(words) > LONG:
        words = [*words[:END], ELLIPSIS, *words[-END:]]
    around = ("", "")
    if end - first < SHORT:
        around = (said.text(max(first - AROUND, 0), first), said.text(end, min(end + AROUND, len(said.tokens))))
    return Address(identity, version, span, plain(" ".join(words)), *map(plain, around))
