"""Links of pages, as templates write them: paths from the site's root.

Templates escape what they show, so that a double quote in a page ends an attribute that a template began.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_NAMED = "href|src|action|poster|data-words|data-page|data-peaks|data-citations|data-script"
_LINK = re.compile(rf' ({_NAMED})="(/(?!/)[^"]*)"')
_QUERY = re.compile(r' (href)="(\?[^"]*)"')


def rewrite(html: str, change: Callable[[str], str]) -> str:
    """Return a page in which each path that an attribute names is what ``change`` makes of it; both are escaped."""
    return _LINK.sub(lambda found: f' {found[1]}="{change(found[2])}"', html)


def rewrite_queries(html: str, change: Callable[[str], str]) -> str:
    """Return a page in which each link to the page itself, with another query, is what ``change`` makes of it."""
    return _QUERY.sub(lambda found: f' {found[1]}="{change(found[2])}"', html)


def below(html: str, base: str) -> str:
    """Return a page of a site that begins at a path: ``base`` stands before every path that the page names."""
    return rewrite(html, lambda path: base + path) if base else html
