"""Cells of a spreadsheet that are text: what a spreadsheet would run as a formula is written so that it does not.

An apostrophe before the text says that it is text (OWASP, CSV Injection:
https://owasp.org/www-community/attacks/CSV_Injection). It is taken off again when such a sheet is read, so that nothing
changes on the way. It also stands within a text where another cell would begin: a spreadsheet whose cells are parted by
semicolons or tabs opens a file of commas as well, and then a quote that stands after a comma keeps nothing together.
"""

from __future__ import annotations

import re

_FORMULA = re.compile(
    r"""(?:\A(?='*[" \u00a0\ufeff]*[\t\r\n])|(?:\A|[;|\t\r\n])(?='*[" \u00a0\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20]))"""
)
"""Where a cell may begin with what formulas begin with, also in full width, and behind quotes, which some readers take
off. Apostrophes before it are those that were added, or were there."""
_WRITTEN = re.compile(f"{_FORMULA.pattern}'")


def harmless(text: str) -> str:
    """Return text for a cell.

    >>> harmless("=1+1"), harmless("-5 degrees"), harmless("1+1"), harmless("one; =1+1")
    ("'=1+1", "'-5 degrees", '1+1', "one;' =1+1")
    """
    return _FORMULA.sub(lambda found: f"{found[0]}'", text)


def as_written(cell: str) -> str:
    """Return the text of a cell that was written by `harmless`; any other as it is.

    >>> as_written("'=1+1"), as_written("one;' =1+1"), as_written("'tis")
    ('=1+1', 'one; =1+1', "'tis")
    """
    return _WRITTEN.sub(lambda found: found[0][:-1], cell)
