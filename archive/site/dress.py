"""Datasette's own pages in the dress of the site: its header and colours, and names for fields that have none."""

from __future__ import annotations

import re
from typing import Any

from markupsafe import Markup

from archive.site.http.policy import runs
from archive.site.links import below
from archive.site.render import asset
from archive.site.settings import site_settings

TEMPLATE = "rostra/data.html"

_NAMES = {
    "_filter_column": "Column",
    "_filter_op": "Comparison",
    "_filter_value": "Value",
    "_sort": "Sort by",
    "_size": "Rows",
}
_INLINE = re.compile(r"<(script|style)>(.*?)</\1>", re.DOTALL)
_RESIZING = re.compile(r'<script src="[^"]*/cm-resize-[^"]*"></script>')
"""Of Datasette 0.65: it writes a style into the page."""
_STYLE = re.compile(r'\sstyle="[^"]*"')
"""An attribute: in texts, quotes are escaped."""
_FIELD = re.compile(r"<(select|input type=\"text\") name=\"(_filter_column|_filter_op|_filter_value|_sort|_size)")


def variables(datasette: Any) -> dict[str, Any]:
    """Return what the template knows beside Datasette's own variables."""
    settings = site_settings(datasette)
    return {
        "dress": TEMPLATE,
        "asset": asset,
        "archive_title": settings.title,
        "site": settings,
        "looks": settings.looks,
    }


def install(environment: Any) -> None:
    """Let the template mend what Datasette's pages lack."""
    environment.filters["accessible"] = accessible
    environment.filters["allowed"] = allowed
    environment.filters["below"] = lambda html, base: Markup(below(html, base))  # noqa: S704  # it is a page already


def allowed(html: str) -> Markup:
    """Return the head of a page of Datasette's without what its policy refuses, of which browsers would complain."""
    kept = _RESIZING.sub("", _INLINE.sub(lambda found: found[0] if runs(found[2]) else "", html))
    return Markup(kept)  # noqa: S704  # it is what Datasette's templates have escaped


def accessible(html: str) -> Markup:
    """Return a page of Datasette's with names for its fields, no level of headings left out, and no style of its own.

    What axe-core finds there: https://github.com/dequelabs/axe-core/blob/develop/doc/rule-descriptions.md
    """
    named = _FIELD.sub(lambda found: f'<{found[1]} aria-label="{_NAMES[found[2]]}" name="{found[2]}', html)
    named = named.replace('<textarea id="sql-editor"', '<textarea aria-label="SQL" id="sql-editor"')
    levelled = named.replace("<h3>", "<h2>").replace("</h3>", "</h2>")
    wrapped = levelled.replace('<div class="table-wrapper">', '<div class="table-wrapper" tabindex="0">')
    wrapped = _STYLE.sub("", wrapped)  # which the policy refuses
    return Markup(wrapped)  # noqa: S704  # it is what Datasette's templates have escaped
