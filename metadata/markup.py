"""HTML as Python's parser reads it the same way in every version, and loses nothing that was said."""

from __future__ import annotations

import re

_MARKED = re.compile(r"<!\[[^>]*>")


def readable(html: str) -> str:
    """Return HTML for `html.parser.HTMLParser`.

    To HTML, what is marked by ``<![`` is a comment (13.2.5.42); the parser raises on those that it does not know. What
    begins as a comment or a tag and never ends was said, or is cut off: older parsers read it as text, newer ones drop
    it, and with it all that follows.

    >>> readable("so a <b and <!-- c"), readable("<!-- a --> <p>b <!-- c</p> d")
    ('so a &lt;b and &lt;!-- c', '<!-- a --> <p>b &lt;!-- c</p> d')
    """
    end = html.rfind(">") + 1
    whole, rest = _MARKED.sub("<!---->", html[:end]), html[end:].replace("<", "&lt;")
    closed = whole.rfind("-->") + 1
    return whole[:closed] + whole[closed:].replace("<!--", "&lt;!--") + rest
