"""Plain text from HTML, which timetables have in abstracts. Paragraphs and list items stay separate."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from metadata.markup import readable

_MARKUP = re.compile(
    r"</?(?:p|br|div|span|a|ul|ol|li|strong|em|b|i|u|h[1-6]|blockquote|code|pre|table|tr|td|img|script|style)"
    r"(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
_BLOCKS = frozenset({"p", "div", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "table", "tr"})
_SILENT = frozenset({"script", "style"})


def html_to_text(text: str) -> str:
    r"""Return a text without its markup. A text without markup is returned unchanged.

    >>> html_to_text("<p>Tea &amp; talk</p><ul><li>one</li></ul>"), html_to_text("if a < b & b > c")
    ('Tea & talk\n\n- one', 'if a < b & b > c')
    """
    if not _MARKUP.search(text):
        return text
    reader = _Reader()
    reader.feed(readable(text))
    reader.close()
    lines = (re.sub(r"[ \t\xa0]+", " ", line).strip() for line in "".join(reader.parts).split("\n"))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, _attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SILENT:
            self._silent += 1
        elif tag == "br":
            self.parts.append("\n")
        elif tag == "li":
            self.parts.append("\n- ")
        elif tag in _BLOCKS:
            self.parts.append("\n\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in _SILENT:
            self._silent = max(0, self._silent - 1)
        elif tag in _BLOCKS:
            self.parts.append("\n\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            # A line break in HTML is a blank; it stays where it was written as plain text is.
            self.parts.append(data)
