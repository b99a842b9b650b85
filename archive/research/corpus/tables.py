"""The tables of a corpus, and the forms that are made of them: CSV, JSON lines and Parquet.

Sources: RFC 4180 (CSV), https://jsonlines.org, https://parquet.apache.org/docs/file-format/. Text of a CSV cell that a
spreadsheet would run as a formula has an apostrophe before it (`metadata.cells`); the other two keep it as it is.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from typing import IO, Any, ClassVar, Literal

from archive.errors import MissingExtraError
from archive.research.corpus.base import About, Column, Document, Folder, Table, joined
from metadata.cells import harmless

_DOCUMENT = Column("document", "string", "The version of the transcript, which names it for good.")
_EVENT = Column("event", "string", "Slug of the event.")
_SESSION = Column("session", "string", "Slug of the session within its event.")
_DATE = Column("date", "date", "Day of the session, or the first day of its event.")
_TITLE = Column("title", "string", "Title of the session.")
_START = Column("start_ms", "integer", "Where it begins in the recording.", "ms")
_END = Column("end_ms", "integer", "Where it ends in the recording.", "ms")
_CONFIDENCE = Column("confidence", "number", "How sure the machine was; empty where nobody said.", "0 to 1")
_LANGUAGE = Column("language", "string", "BCP-47 tag of the language.")

DOCUMENTS = Table(
    "documents",
    "Transcripts, with what is known of their sessions.",
    (
        _DOCUMENT,
        _EVENT,
        Column("event_title", "string", "Title of the event."),
        _SESSION,
        _TITLE,
        _DATE,
        Column("start_at", "string", "When the session began, ISO 8601 with an offset."),
        Column("track", "string", "Track of the timetable."),
        Column("room", "string", "Room of the timetable."),
        Column("session_kind", "string", "Kind of session: talk, panel, workshop and others."),
        _LANGUAGE,
        Column("recording", "string", "What was recorded: floor, interpretation or screen."),
        Column("kind", "string", "Where the text is from: asr (a machine), human, imported, or translation."),
        Column("generator", "string", "What made the transcript, with its version."),
        Column("duration_ms", "integer", "Length of the recording.", "ms"),
        Column("licence", "string", "Licence of the recording, as the archive has it."),
        Column("credit", "string", "Who is to be named for the recording."),
        Column("url", "string", "Address of the session's page."),
    ),
    ("document",),
)
PEOPLE = Table(
    "people",
    "Who took part in sessions.",
    (
        _EVENT,
        _SESSION,
        Column("person", "string", "Slug of the person."),
        Column("name", "string", "Name of the person."),
        Column("role", "string", "Speaker, chair, interpreter and others."),
        Column("affiliation", "string", "Whom they stood for at the time."),
    ),
    ("event", "session", "person", "role"),
)
SEGMENTS = Table(
    "segments",
    "What was said, sentence by sentence or caption by caption.",
    (
        _DOCUMENT,
        Column("position", "integer", "Place in the transcript, from 0."),
        _DATE,
        _EVENT,
        _SESSION,
        _TITLE,
        Column("speaker", "string", "Name of who speaks, or what the transcript calls the voice."),
        Column("person", "string", "Slug of the person who it is, if that is known."),
        _LANGUAGE,
        _START,
        _END,
        Column("text", "string", "What was said."),
        _CONFIDENCE,
        Column("doubtful", "boolean", "Whether it was heard with doubt: it may not have been said."),
        Column("flags", "list", "Why it was heard with doubt."),
        Column("overlapped", "boolean", "Whether others speak at the same time."),
        Column("url", "string", "Address of this second on the session's page."),
    ),
    ("document", "position"),
)
WORDS = Table(
    "words",
    "Words with times of their own; transcripts from captions mostly have none.",
    (
        _DOCUMENT,
        Column("segment", "integer", "Position of its segment in the transcript."),
        Column("position", "integer", "Place in the segment, from 0."),
        _START,
        _END,
        Column("text", "string", "The word, as it was written."),
        _CONFIDENCE,
    ),
    ("document", "segment", "position"),
)
TABLES = (DOCUMENTS, PEOPLE, SEGMENTS, WORDS)

Row = tuple[Any, ...]


def rows_of(document: Document) -> Iterator[tuple[Table, Row]]:
    """Yield the rows of a document, each with its table; people may be there twice, for two transcripts."""
    yield DOCUMENTS, tuple(getattr(document, column.name) for column in DOCUMENTS.columns)
    for part in document.people:
        yield (
            PEOPLE,
            (document.event, document.session, part.person, part.name, part.role, part.affiliation),
        )
    for said in document.utterances:
        url = f"{document.url}?t={said.start_ms // 1000}"
        yield (
            SEGMENTS,
            (
                *(document.document, said.position, document.date, document.event, document.session, document.title),
                *(said.speaker, said.person, said.language, said.start_ms, said.end_ms, said.text, said.confidence),
                *(bool(said.flags), said.flags, said.overlapped, url),
            ),
        )
        for number, word in enumerate(said.words):
            where = (document.document, said.position, number)
            yield WORDS, (*where, word.start_ms, word.end_ms, word.text, word.confidence)


class _Rows:
    """Gives the rows of documents, those of `PEOPLE` once."""

    def __init__(self) -> None:
        self._told: set[Row] = set()

    def of(self, document: Document) -> Iterator[tuple[Table, Row]]:
        for table, row in rows_of(document):
            if table is PEOPLE:
                if row in self._told:
                    continue
                self._told.add(row)
            yield table, row


def schema_of(table: Table, lists: Literal["string", "array", "any"]) -> dict[str, Any]:
    """Return a table's schema (https://specs.frictionlessdata.io/table-schema/).

    Args:
        table: the table.
        lists: the type of lists in the form that it is of.
    """
    fields = [
        {
            "name": column.name,
            "type": lists if column.type == "list" else column.type,
            "description": column.about,
            **({"unit": column.unit} if column.unit else {}),
        }
        for column in table.columns
    ]
    return {"fields": fields, "primaryKey": list(table.key), "missingValues": [""]}


class Csv:
    """CSV, for spreadsheets, R and anything else."""

    name: ClassVar[str] = "csv"
    title: ClassVar[str] = "CSV"
    about: ClassVar[str] = "Tables for spreadsheets, R and pandas."
    extra: ClassVar[str | None] = None

    def write(self, documents: Iterable[Document], folder: Folder, about: About) -> None:  # noqa: ARG002 one signature
        """Write the four tables."""
        for _ in _as_csv(documents, folder, TABLES):
            pass


def _as_csv(documents: Iterable[Document], folder: Folder, tables: Iterable[Table]) -> Iterator[Document]:
    """Write tables as CSV while documents pass by."""
    with ExitStack() as stack:
        writers = {table.name: _csv_writer(stack, folder, table) for table in tables}
        rows = _Rows()
        for document in documents:
            for table, row in rows.of(document):
                if table.name in writers:
                    writers[table.name].writerow([_cell(value) for value in row])
            yield document


def _csv_writer(stack: ExitStack, folder: Folder, table: Table) -> Any:
    file = stack.enter_context(
        folder.writing(
            f"{table.name}.csv",
            "text/csv",
            format="csv",
            encoding="utf-8",
            profile="tabular-data-resource",
            description=table.about,
            schema=schema_of(table, "string"),
        )
    )
    text = stack.enter_context(io.TextIOWrapper(file, "utf-8", newline=""))
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([column.name for column in table.columns])
    return writer


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        value = joined(value)
    # What ends a line for a reader of lines is no end of a row.
    return harmless(value.replace("\r\n", "\n").replace("\r", "\n")) if isinstance(value, str) else value


class JsonLines:
    """JSON lines, for programs."""

    name: ClassVar[str] = "jsonl"
    title: ClassVar[str] = "JSON lines"
    about: ClassVar[str] = "An object a line, for programs that read as they go."
    extra: ClassVar[str | None] = None

    def write(self, documents: Iterable[Document], folder: Folder, about: About) -> None:  # noqa: ARG002 one signature
        """Write the four tables, each row an object."""
        with ExitStack() as stack:
            files = {table.name: self._open(stack, folder, table) for table in TABLES}
            rows = _Rows()
            for document in documents:
                for table, row in rows.of(document):
                    named = dict(zip((column.name for column in table.columns), row, strict=True))
                    files[table.name].write(json.dumps(named, ensure_ascii=False).encode() + b"\n")

    def _open(self, stack: ExitStack, folder: Folder, table: Table) -> IO[bytes]:
        return stack.enter_context(
            folder.writing(
                f"{table.name}.jsonl",
                "application/jsonl",
                format="jsonl",
                encoding="utf-8",
                description=table.about,
                schema=schema_of(table, "array"),
            )
        )


ROWS = 50_000
"""Rows of a group of a Parquet file: as many are in memory."""


class Parquet:
    """Parquet, for large corpora."""

    name: ClassVar[str] = "parquet"
    title: ClassVar[str] = "Parquet"
    about: ClassVar[str] = "Typed and small, for DuckDB, pandas, Polars and Arrow."
    extra: ClassVar[str | None] = "research"

    def write(self, documents: Iterable[Document], folder: Folder, about: About) -> None:  # noqa: ARG002 one signature
        """Write the four tables, in groups of rows."""
        try:
            # An extra, and slow to import.
            import pyarrow as pa
            from pyarrow import parquet
        except ImportError as error:
            raise MissingExtraError("research", "Parquet") from error
        kinds = {"integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_(), "date": pa.date32()}
        kinds["list"] = pa.list_(pa.string())
        with ExitStack() as stack:
            writers, held = {}, {table.name: list[Row]() for table in TABLES}
            for table in TABLES:
                schema = pa.schema(
                    [
                        pa.field(column.name, kinds.get(column.type, pa.string()), metadata={"about": column.about})
                        for column in table.columns
                    ]
                )
                file = stack.enter_context(
                    folder.writing(
                        f"{table.name}.parquet",
                        "application/vnd.apache.parquet",
                        format="parquet",
                        description=table.about,
                        # The validator of data packages counts no bytes of Parquet, and takes its lists for no arrays.
                        sized=False,
                        schema=schema_of(table, "any"),
                    )
                )
                writers[table.name] = stack.enter_context(parquet.ParquetWriter(file, schema, compression="zstd"))

            def flush(name: str) -> None:
                writer = writers[name]
                columns = list(zip(*held[name], strict=True)) or [()] * len(writer.schema)
                arrays = [
                    pa.array(each, pa.string() if pa.types.is_date(field.type) else field.type).cast(field.type)
                    for each, field in zip(columns, writer.schema, strict=True)
                ]
                writer.write_table(pa.Table.from_arrays(arrays, schema=writer.schema))
                held[name] = []

            rows = _Rows()
            for document in documents:
                for table, row in rows.of(document):
                    held[table.name].append(row)
                    if len(held[table.name]) == ROWS:
                        flush(table.name)
            for name in held:
                flush(name)


def with_index(documents: Iterable[Document], folder: Folder) -> Iterable[Document]:
    """Return documents, of which what is known of their sessions is written in passing: for forms of words alone.

    Nothing is written twice where CSV is written, too.
    """
    return documents if folder.has(f"{DOCUMENTS.name}.csv") else _as_csv(documents, folder, (DOCUMENTS, PEOPLE))
