"""Who has which part in a session, as podcast players read it.

Source: https://podcastindex.org/namespace/1.0, ``podcast:person`` and its taxonomy.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lxml import etree

from archive.site.records import Credit
from metadata.xml_text import xml_text, xml_title

NAMESPACE = "https://podcastindex.org/namespace/1.0"
_ROLES = {
    "speaker": "guest", "panellist": "guest", "chair": "host", "host": "host", "reader": "narrator",
    "author": "author", "interpreter": "translator",
}  # fmt: skip
"""Of the taxonomy, by ours."""
_GROUPS = {"author": "writing", "translator": "writing"}
"""Of the same, by its roles; the others are of the cast."""


def add_people(entry: Any, people: Iterable[Credit]) -> None:
    """Add people to an entry of a feed."""
    for person in people:
        role = _ROLES.get(person.role, "guest")
        given = {"href": xml_text(person.url), "role": role, "group": _GROUPS.get(role, "cast")}
        etree.SubElement(entry, f"{{{NAMESPACE}}}person", given).text = xml_title(person.name, person.slug)
