"""Moments and figures as files: CSV, JSON lines, and Parquet where pyarrow is installed.

In CSV a text that a spreadsheet would take for a formula has an apostrophe before it, since what people say
and write is not to be run (`metadata.cells`). The other formats keep every text as it is.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from archive.errors import MissingExtraError
from archive.search.hits import Hit
from metadata.cells import harmless

COLUMNS = (
    "event", "session", "title", "language", "start_ms", "end_ms", "text", "url", "transcript", "start_at", "speaker",
    "match",
)  # fmt: skip
"""Of a moment, as `archive.search.hits.Hit` names them."""


def to_row(hit: Hit) -> dict[str, Any]:
    """Return a moment as a row."""
    return {name: getattr(hit, name) for name in COLUMNS}


def to_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """Return rows as CSV with a header (RFC 4180)."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    writer.writerows([_harmless(value) for value in row] for row in rows)
    return text.getvalue()


def _harmless(value: Any) -> Any:
    return harmless(value) if isinstance(value, str) else value


def moments_to_csv(hits: Iterable[Hit]) -> str:
    """Return moments as CSV."""
    return to_csv(COLUMNS, (list(to_row(hit).values()) for hit in hits))


def moments_to_json_lines(hits: Iterable[Hit]) -> str:
    """Return moments as JSON lines (https://jsonlines.org)."""
    return "".join(json.dumps(to_row(hit), ensure_ascii=False) + "\n" for hit in hits)


def moments_to_parquet(hits: Iterable[Hit]) -> bytes:
    """Return moments as a Parquet file.

    Raises:
        MissingExtraError: pyarrow is not installed.
    """
    try:
        # An extra, and slow to import.
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtraError("research", "Parquet") from error
    kinds = {"start_ms": pa.int64(), "end_ms": pa.int64()}
    schema = pa.schema([(name, kinds.get(name, pa.string())) for name in COLUMNS])
    sink = io.BytesIO()
    parquet.write_table(pa.Table.from_pylist([to_row(hit) for hit in hits], schema=schema), sink)
    return sink.getvalue()


FORMATS = ("csv", "jsonl", "parquet")


def write_moments(hits: Iterable[Hit], form: str) -> bytes:
    """Return moments in one of `FORMATS`.

    Raises:
        MissingExtraError: the format needs an extra that is not installed.
    """
    if form == "parquet":
        return moments_to_parquet(hits)
    return (moments_to_csv(hits) if form == "csv" else moments_to_json_lines(hits)).encode()


def format_of(file: Path) -> str | None:
    """Return the format that a file's name asks for, if it is one of `FORMATS`."""
    suffix = file.suffix.removeprefix(".").lower()
    return suffix if suffix in FORMATS else None
