"""Languages: BCP 47 tags inside Rostra, whatever people write outside.

Source: BCP 47 (RFC 5646). English names, ISO 639-2 codes, and the languages of countries come from
``langcodes``, which carries the tables of CLDR and of IANA.
"""

from __future__ import annotations

import re
import string
from functools import cache, lru_cache

import langcodes
from langcodes.tag_parser import LanguageTagError

from metadata.errors import InvalidLanguageError

UNDETERMINED = "und"
"""The BCP 47 tag for a language that nobody has named yet."""

_CODE = re.compile(r"[A-Za-z]{2,3}(?![^-_,;/])", re.ASCII)
"""A text that begins so is a tag, or several. It is never a name, although Au, Edo and Ge are languages' names too."""
_LEGACY = {"zh-chs": "zh-Hans", "zh-cht": "zh-Hant"}
"""Codes of Windows for Chinese. They are not BCP 47, although ``cht`` is the code of Cholón."""


@lru_cache(maxsize=1024)
def parse_language(value: str) -> str:
    """Return the canonical BCP 47 tag for a tag, an ISO 639-1/-2/-3 code or an English name.

    A text of two or three letters is only read as a code: ``ua`` is a country, and no language.

    >>> parse_language("ger"), parse_language("pt_br"), parse_language("Spanish")
    ('de', 'pt-BR', 'es')

    Raises:
        InvalidLanguageError: the text names no language. The error names the language that was likely meant.
    """
    text = value.strip()
    if not text.isprintable():
        raise InvalidLanguageError(value)  # the keys of langcodes' table of names end in control characters
    if tag := _tag(text):
        return tag
    if not _CODE.match(text) and (tag := _named(text)):
        return tag
    likely = _likely(text)
    raise InvalidLanguageError(value, likely, display_name(likely) if likely else None)


def _tag(text: str) -> str | None:
    """Return the canonical form of a valid BCP 47 tag or ISO 639 code."""
    try:
        language = langcodes.Language.get(text)
    except LanguageTagError:
        return None
    if not text or text.lower().replace("_", "-") in _LEGACY:
        return None
    # langcodes does not check extended subtags: each is a language's code too (RFC 5646, section 2.2.2).
    extended = (langcodes.Language.get(each) for each in language.extlangs or ())
    return language.to_tag() if language.is_valid() and all(each.is_valid() for each in extended) else None


def _named(text: str) -> str | None:
    """Return the tag of the language that has this English name."""
    try:
        return langcodes.find(text, language="en").to_tag()
    except LookupError:
        return None


def _likely(text: str) -> str | None:
    """Return the tag that was likely meant by a code that is none: ``ua`` → ``uk``, ``jp-JP`` → ``ja-JP``."""
    parts = re.split(r"[-_.@]", text)
    if tag := _LEGACY.get("-".join(parts[:2]).lower()):
        return tag
    if not _CODE.fullmatch(parts[0]):
        return None
    first = _tag(parts[0]) or _of_country(parts[0]) or _beginning(parts[0]) or _named(parts[0])
    if first is None:
        return None
    kept = (_tag("-".join([first, *parts[1:end]])) for end in range(len(parts), 1, -1))
    return next(filter(None, kept), first)


def _of_country(code: str) -> str | None:
    """Return the language that most people of a country speak, for the country's ISO 3166 code."""
    if len(code) != 2:
        return None
    country = langcodes.Language.get(f"und-{code}")
    known = country.is_valid() and not country.territory_name("en").startswith("Unknown Region")
    return country.maximize().language if known else None


def _beginning(letters: str) -> str | None:
    """Return the most spoken of the languages with two-letter codes whose English name begins so."""
    wanted = letters.lower()
    found = [code for code, name in _two_letter_names().items() if name.startswith(wanted)]
    return max(found, key=lambda code: langcodes.Language.get(code).speaking_population(), default=None)


@cache
def _two_letter_names() -> dict[str, str]:
    """Return the lower-case English name of every language that ISO 639-1 has a code for."""
    codes = (a + b for a in string.ascii_lowercase for b in string.ascii_lowercase)
    languages = {code: langcodes.Language.get(code) for code in codes}
    return {code: each.display_name("en").lower() for code, each in languages.items() if each.is_valid()}


def primary(tag: str) -> str:
    """Return the primary subtag, which Whisper and the stemmers go by: ``pt-BR`` → ``pt``."""
    return tag.split("-", 1)[0].lower()


def display_name(tag: str, within: str = "en") -> str:
    """Return a language's name in English, or within another: ``pt-BR`` → ``Portuguese (Brazil)``."""
    return langcodes.Language.get(tag).display_name(within)


def autonym(tag: str) -> str:
    """Return a language's name in that language, as a menu of languages should show it: ``de`` → ``Deutsch``."""
    name = langcodes.Language.get(tag).autonym()
    return name[:1].upper() + name[1:]


def direction(tag: str) -> str:
    """Return ``rtl`` or ``ltr``: the value of HTML's ``dir`` for text in this language."""
    rtl_scripts = {"Arab", "Hebr", "Thaa", "Syrc", "Nkoo", "Adlm", "Rohg"}
    return "rtl" if langcodes.Language.get(tag).maximize().script in rtl_scripts else "ltr"


@lru_cache(256)
def word_separator(tag: str) -> str:
    """Return what stands between written words: nothing in languages that are written without spaces.

    Source: Unicode Standard Annex 14, classes ID and SA. Korean separates words with spaces.
    """
    return "" if primary(tag) in {"zh", "yue", "ja", "th", "lo", "km", "my", "bo"} else " "
