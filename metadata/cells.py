"""Cells of a spreadsheet that are text: what a spreadsheet would run as a formula is written so that it does not.

An apostrophe before the text says that it is text (OWASP, CSV Injection:
https://owasp.org/www-community/attacks/CSV_Injection). It is taken off again when such a sheet is read, so that nothing
changes on the way.
"""

from __future__ import annotations

import re

_FORMULA = re.compile(r"""('*)[" \u00a0\ufeff]*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]""")
"""What formulas begin with, also in full width, and behind quotes, which some readers take off; apostrophes before it
are those that were added, or were there."""


def harmless(text: str) -> str:
    """Return text for a cell.

    >>> harmless("=1+1"), harmless("-5 degrees"), harmless("1+1")
    ("'=1+1", "'-5 degrees", '1+1')
    """
    return f"'{text}" if _FORMULA.match(text) else text


def as_written(cell: str) -> str:
    """Return the text of a cell that was written by `harmless`; any other as it is."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell
