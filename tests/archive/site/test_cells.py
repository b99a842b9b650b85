from __future__ import annotations

import csv
import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.site.http.cells import _Records
from metadata.cells import as_written, harmless

CELL = st.one_of(st.text(max_size=8), st.text(alphabet="=+-@\t\r\n'\",;|\uff1d 1é", max_size=8))
FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def sheet(rows: list[list[str]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()


def is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.isascii() and not text.strip("+-0123456789.eE")


@given(st.lists(st.lists(CELL, min_size=2, max_size=3), max_size=5), st.integers(1, 9))
def test_cells_are_harmless_however_the_answer_is_cut(rows: list[list[str]], size: int) -> None:
    rows = [[cell.replace("\ud800", "") for cell in row] for row in rows]
    data = sheet(rows).encode("utf-8", "surrogatepass")
    records = _Records()
    parts = [data[at : at + size] for at in range(0, len(data), size)]
    written = b"".join(records.written(part, last=False) for part in parts) + records.written(b"", last=True)
    back = list(csv.reader(io.StringIO(written.decode(), newline="")))
    expected = [[cell if is_number(cell) else harmless(cell) for cell in row] for row in rows]
    assert back == expected


@given(CELL)
def test_text_is_the_same_after_a_sheet(text: str) -> None:
    assert as_written(harmless(text)) == text
    assert not harmless(text).lstrip('" \u00a0\ufeff').startswith((*FORMULA, "\t", "\r"))


@given(CELL)
def test_no_cell_begins_a_formula_where_others_part_cells(text: str) -> None:
    """A spreadsheet that parts cells by semicolons takes what stands after one for a cell, and a line for a row."""
    cells = re.split(r"[;|\t\r\n]", harmless(text))
    assert [cell for cell in cells if cell.lstrip('" \u00a0\ufeff').startswith(FORMULA)] == []


@pytest.mark.parametrize("text", ["'=1", "''=1", "'", "it's", "'tis", "", "1+1", ";'=1", "a; 'b"])
def test_apostrophes_that_were_there_stay(text: str) -> None:
    assert as_written(harmless(text)) == text


def test_long_cells_take_no_longer_than_their_length() -> None:
    cell = '"' + "x\n" * 200_000 + '"'
    assert _Records().written(f"a,{cell}\r\n".encode(), last=False) == f"a,{cell}\r\n".encode()


@pytest.mark.parametrize("part", ["x\n", "; ", ";'", '"', "'", "\t"])
def test_time_to_make_a_text_harmless_grows_with_its_length(part: str) -> None:
    assert as_written(harmless(part * 200_000)) == part * 200_000
