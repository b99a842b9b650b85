"""Languages: BCP-47 inside, whatever people write outside.

Source: BCP 47 (RFC 5646); names and ISO 639-2 codes come from ``langcodes``, which carries CLDR's.
"""

from __future__ import annotations

from functools import lru_cache

import langcodes
from langcodes.tag_parser import LanguageTagError

from metadata.errors import InvalidLanguageError

UNDETERMINED = "und"
"""BCP-47's tag for a language nobody has named yet."""


@lru_cache(maxsize=1024)
def parse_language(value: str) -> str:
    """Return the canonical BCP-47 tag for a tag, an ISO 639-1/-2/-3 code or an English name.

    >>> parse_language("ger"), parse_language("pt_br"), parse_language("Spanish")
    ('de', 'pt-BR', 'es')

    Raises:
        InvalidLanguageError: the text names no language.
    """
    text = value.strip()
    if not text.isprintable():
        raise InvalidLanguageError(value)  # langcodes' table of names ends its keys in control characters
    try:
        language = langcodes.Language.get(text)
        if text and language.is_valid():
            return language.to_tag()
    except LanguageTagError:
        pass  # not a tag: perhaps a name
    try:
        return langcodes.find(text, language="en").to_tag()
    except LookupError:
        raise InvalidLanguageError(value) from None


def primary(tag: str) -> str:
    """Return the primary subtag, which is what Whisper and stemmers go by: ``pt-BR`` → ``pt``."""
    return tag.split("-", 1)[0].lower()


def display_name(tag: str) -> str:
    """Return a language's English name: ``pt-BR`` → ``Portuguese (Brazil)``."""
    return langcodes.Language.get(tag).display_name("en")


def autonym(tag: str) -> str:
    """Return a language's name in itself, as a menu of languages should show it: ``de`` → ``Deutsch``."""
    name = langcodes.Language.get(tag).autonym()
    return name[:1].upper() + name[1:]


def direction(tag: str) -> str:
    """Return ``rtl`` or ``ltr``: the value of HTML's ``dir`` for text in this language."""
    rtl_scripts = {"Arab", "Hebr", "Thaa", "Syrc", "Nkoo", "Adlm", "Rohg"}
    return "rtl" if langcodes.Language.get(tag).maximize().script in rtl_scripts else "ltr"


def word_separator(tag: str) -> str:
    """Return what stands between written words: nothing in languages that are written without spaces.

    Source: Unicode Standard Annex 14, classes ID and SA. Korean separates words with spaces.
    """
    return "" if primary(tag) in {"zh", "yue", "ja", "th", "lo", "km", "my", "bo"} else " "
