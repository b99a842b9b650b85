"""Text that XML can hold (XML 1.0, section 2.2): without the control characters that no document may have."""

from __future__ import annotations

_FORBIDDEN = {
    **dict.fromkeys(range(0x20)),
    **dict.fromkeys(range(0xD800, 0xE000)),
    0xFFFE: None,
    0xFFFF: None,
}
for _allowed in (0x9, 0xA, 0xD):
    del _FORBIDDEN[_allowed]


def xml_text(text: str | None) -> str:
    """Return a text without what no XML document may hold; "" for None."""
    return (text or "").translate(_FORBIDDEN)


def xml_title(*texts: str | None) -> str:
    """Return the first of some texts of which XML can hold something to read; "" for none: titles may not be empty."""
    return next((text for text in map(xml_text, texts) if text.strip()), "")
