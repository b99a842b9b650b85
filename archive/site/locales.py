"""The languages of the interface: which one a reader gets, and the words of the site in it.

English is written in the code; other languages are catalogues of gettext beside this module, which Babel reads.
Everything that is asked here is answered in the language of the request at hand.

``python -m archive.site.locales`` brings the catalogues up to what the code and the templates say now.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from gettext import GNUTranslations, NullTranslations
from pathlib import Path
from typing import Any

from babel import Locale
from babel.core import negotiate_locale
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

LANGUAGES = ("en", "es", "fr", "de")
"""BCP-47, the first for whoever asks for none of them."""

FOLDER = Path(__file__).with_name("languages")
_CLDR = {"en": "en_GB"}
"""Whose dates and numbers a language writes, where that is not clear from its name."""

_language: ContextVar[str] = ContextVar("language", default=LANGUAGES[0])


def language() -> str:
    """Return the language of the page that is being made."""
    return _language.get()


def locale() -> Locale:
    """Return what CLDR knows of that language."""
    return locale_of(language())


@contextmanager
def speaking(tag: str) -> Iterator[None]:
    """Make whatever is made inside in a language."""
    token = _language.set(tag)
    try:
        yield
    finally:
        _language.reset(token)


def negotiate(asked: str, accepted: str) -> str:
    """Return the language of a page.

    Args:
        asked: what the address says, ``lang``; "" where it says nothing.
        accepted: the header Accept-Language (RFC 9110, section 12.5.4).

    >>> negotiate("", "pt;q=0.9, fr-CH;q=0.8, *;q=0.1"), negotiate("de", "fr"), negotiate("xx", "")
    ('fr', 'de', 'en')
    """
    if asked in LANGUAGES:
        return asked
    return negotiate_locale(_preferred(accepted), LANGUAGES, sep="-") or LANGUAGES[0]


def _preferred(accepted: str) -> list[str]:
    """Return the tags of Accept-Language, the dearest first, without those of weight 0."""
    weighed = []
    for nth, part in enumerate(accepted.split(",")[:50]):
        tag, _, weight = part.partition(";")
        try:
            share = float(weight.strip().removeprefix("q=") or 1)
        except ValueError:
            share = 0.0
        if share > 0 and tag.strip():
            weighed.append((-share, nth, tag.strip()))
    return [tag for _, _, tag in sorted(weighed)]


def gettext(message: str) -> str:
    """Return a message of the site."""
    return _translations(language()).gettext(message)


def ngettext(one: str, many: str, count: int) -> str:
    """Return the form of a message that goes with a number."""
    return _translations(language()).ngettext(one, many, count)


def pgettext(context: str, message: str) -> str:
    """Return a message that reads otherwise elsewhere."""
    return _translations(language()).pgettext(context, message)


def npgettext(context: str, one: str, many: str, count: int) -> str:
    """Return the form of such a message that goes with a number."""
    return _translations(language()).npgettext(context, one, many, count)


def install(environment: Any) -> None:
    """Let the templates of a Jinja environment say ``_("…")`` and ``ngettext("…", "…", n)``."""
    environment.add_extension("jinja2.ext.i18n")
    environment.install_gettext_callables(gettext, ngettext, newstyle=True, pgettext=pgettext, npgettext=npgettext)


@cache
def locale_of(tag: str) -> Locale:
    """Return what CLDR knows of a language of the interface."""
    return Locale.parse(_CLDR.get(tag, tag))


@cache
def _translations(tag: str) -> NullTranslations:
    if tag == LANGUAGES[0]:
        return NullTranslations()
    compiled = io.BytesIO()
    write_mo(compiled, read_catalogue(tag))
    compiled.seek(0)
    return GNUTranslations(compiled)


def read_catalogue(tag: str) -> Catalog:
    """Return the catalogue of a language."""
    with (FOLDER / f"{tag}.po").open("rb") as file:
        return read_po(file, locale=tag)


def extract() -> Catalog:
    """Return every message of the code and the templates of the site, without translations."""
    catalogue = Catalog(project="Rostra", charset="utf-8", fuzzy=False)
    here = Path(__file__).parent
    keywords: Any = {"_": None, "gettext": None, "N_": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2)}
    for method, paths in (("python", here.rglob("*.py")), ("jinja2", here.glob("templates/**/*.html"))):
        for path in sorted(paths):
            found: Iterable[Any] = extract_from_file(method, path, keywords=keywords, options={"silent": "false"})
            for line, message, comments, context in found:
                name = path.relative_to(here).as_posix()
                catalogue.add(message, None, [(name, line)], auto_comments=comments, context=context)
    return catalogue


def update() -> None:
    """Write the catalogues anew: new messages are added without a translation, those that nobody says are dropped."""
    said = extract()
    for tag in LANGUAGES[1:]:
        path = FOLDER / f"{tag}.po"
        catalogue = read_catalogue(tag) if path.exists() else Catalog(locale=tag, project="Rostra", fuzzy=False)
        catalogue.update(said, no_fuzzy_matching=True)
        catalogue.obsolete.clear()
        write_catalogue(tag, catalogue)


def write_catalogue(tag: str, catalogue: Catalog) -> None:
    """Write the catalogue of a language, so that only what has changed changes the file."""
    plurals = catalogue.plural_forms
    header = f"Language: {tag}\\n", "Content-Type: text/plain; charset=utf-8\\n", f"Plural-Forms: {plurals}\\n"
    body = io.BytesIO()
    write_po(body, catalogue, width=120, omit_header=True, include_lineno=False, sort_output=True)
    lines = "".join(f'"{line}"\n' for line in header)
    (FOLDER / f"{tag}.po").write_bytes(f'msgid ""\nmsgstr ""\n{lines}\n'.encode() + body.getvalue())


if __name__ == "__main__":
    update()
