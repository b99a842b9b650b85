"""A part of the archive with a name and a permanent address: the address says what it is, and nobody has to keep it.

``/corpus?name=Tides&event=winter-school-12&speaker=noor-okafor&q=tide`` is all that one person said in the sessions of
one event in which "tide" was said.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from urllib.parse import parse_qs, urlsplit

from archive.research.corpus.reading import Selection
from archive.search.filters import Filters
from archive.urls import CORPUS, with_query

FILTERS = tuple(field.name for field in fields(Filters))
DATES = ("since", "until")
MOST = 200
"""Characters of a name."""


@dataclass(frozen=True, slots=True)
class Subcorpus:
    """A part of the archive.

    Attributes:
        selection: what it is.
        name: what it is called; "" for nothing.
    """

    selection: Selection
    name: str = ""

    @property
    def url(self) -> str:
        """Return its address."""
        return with_query(CORPUS, self.named())

    def named(self) -> dict[str, str | None]:
        """Return what its address says, by name."""
        chosen = self.selection
        return {
            "name": self.name or None,
            "q": chosen.query or None,
            **chosen.filters.chosen(),
            "translations": "yes" if chosen.translations else None,
        }


def read_subcorpus(values: Mapping[str, str]) -> Subcorpus:
    """Return the part of the archive that an address means; nothing is refused, and what is no date is left out."""
    chosen = {name: value.strip() or None for name, value in values.items() if name in FILTERS}
    filters = Filters(**{name: value for name, value in chosen.items() if name not in DATES or is_day(value)})
    query, name = (values.get(key, "").strip() for key in ("q", "name"))
    return Subcorpus(
        Selection(filters=filters, query=query, translations=values.get("translations") == "yes"),
        " ".join(name.split())[:MOST],
    )


def from_address(address: str) -> Subcorpus:
    """Return the part of the archive that an address means, with or without the site's own before it."""
    said = parse_qs(urlsplit(address).query)
    return read_subcorpus({name: values[-1] for name, values in said.items()})


def is_day(text: str | None) -> bool:
    """Whether a text is a day in ISO 8601, written in full."""
    try:
        return text is not None and bool(date.fromisoformat(text)) and len(text) == len("2022-07-23")
    except ValueError:
        return False
