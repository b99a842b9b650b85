"""Datasette's own pages in the dress of the site: its header and colours, and names for fields that have none."""

from __future__ import annotations

import json
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
_WRITTEN = re.compile(r'<(script|style)>(.*?)</\1>|\s(?:style|on[a-z]+)="[^"]*"', re.DOTALL)
"""Scripts and styles in a page, and attributes that are such: in texts, quotes are escaped."""
_VALUE = re.compile(r"\s*(?:window\.)?(\w+) = ")
_STYLING = re.compile(r'<script src="[^"]*/cm-(?:resize|editor)-[^"]*"></script>')
"""They write styles into the page: the editor's handle of Datasette 0.65, and the editor of 1.0."""
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
    """Return a part of a page of Datasette's without what its policy refuses, of which browsers would complain.

    A script that holds values of the page is refused: `data.js` reads them, and does what is lost without it.
    """
    return Markup(_STYLING.sub("", _WRITTEN.sub(_kept, html)))  # noqa: S704  # Datasette's templates have escaped it


def _kept(written: re.Match[str]) -> str:
    """Return what counts of a script or a style: all of it, or nothing, or the value that it gives a name, as data."""
    text = written[2]
    if text is None:
        return ""
    if runs(text):
        return written[0]
    named = _VALUE.match(text)
    if named is None:
        return ""
    try:
        value, _ = json.JSONDecoder().raw_decode(text, named.end())
    except ValueError:
        return ""
    data = json.dumps(value).replace("<", "\\u003c")
    return f'<script type="application/json" data-name="{named[1]}">{data}</script>'


def accessible(html: str) -> Markup:
    """Return a page of Datasette's with names for its fields, no level of headings left out, and nothing refused.

    What axe-core finds there: https://github.com/dequelabs/axe-core/blob/develop/doc/rule-descriptions.md
    """
    named = _FIELD.sub(lambda found: f'<{found[1]} aria-label="{_NAMES[found[2]]}" name="{found[2]}', html)
    named = named.replace('<textarea id="sql-editor"', '<textarea aria-label="SQL" id="sql-editor"')
    levelled = named.replace("<h3>", "<h2>").replace("</h3>", "</h2>")
    wrapped = levelled.replace('<div class="table-wrapper">', '<div class="table-wrapper" tabindex="0">')
    return allowed(wrapped)
