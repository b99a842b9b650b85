"""Figures and moments as files: CSV for each kind of question, moments as JSON lines and Parquet as well."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from archive.errors import MissingExtraError
from archive.index.tokens import words
from archive.research import Research
from archive.research.company import Collocate, Keyword
from archive.research.concordance import Line
from archive.research.frequency import Rate
from archive.research.speaking import Spoken
from archive.search import exports
from archive.site.http.respond import respond
from archive.site.published import current
from archive.site.render import not_found
from archive.site.research.asked import Question, read, read_against
from metadata.names import name_key

BUDGET_MS = 10_000
LINES = 100_000
MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/jsonl; charset=utf-8",
    "parquet": "application/vnd.apache.parquet",
}

Rows = Iterable[Sequence[Any]]


class Asked(NamedTuple):
    """A request: who answers, the question, and the request itself."""

    research: Research
    question: Question
    request: Any


def _concordance(asked: Asked) -> tuple[Sequence[str], Rows]:
    question = asked.question
    lines = asked.research.concordance(
        question.query, question.filters, limit=LINES, sample=question.sample, seed=question.seed
    )
    columns = ("left", "match", "right", "event", "session", "start_ms", "url", "start_at", "speaker", "title")
    return columns, (
        (*line[:3], hit.event, hit.session, hit.start_ms, hit.url, hit.start_at, hit.speaker, hit.title)
        for line in ordered(lines, question.order)
        for hit in [line.hit]
    )


def _frequency(asked: Asked) -> tuple[Sequence[str], Rows]:
    question = asked.question
    if not question.others:
        rates = asked.research.frequency(question.query, question.by, question.filters)
        return (question.by, "label", *Rate._fields[2:]), rates
    told = []
    complete = True
    for term in question.terms:
        told += [(term, *rate) for rate in asked.research.frequency(term, question.by, question.filters)]
        complete = complete and asked.research.complete
    asked.research.complete = complete
    return ("query", question.by, "label", *Rate._fields[2:]), told


def _collocates(asked: Asked) -> tuple[Sequence[str], Rows]:
    question = asked.question
    found = asked.research.collocates(
        question.query, question.filters, window=question.window, side=question.side, limit=LINES
    )
    return Collocate._fields, found


def _keywords(asked: Asked) -> tuple[Sequence[str], Rows]:
    reference = read_against(asked.request)
    return Keyword._fields, asked.research.keywords(asked.question.filters, reference, limit=LINES)


def _speakers(asked: Asked) -> tuple[Sequence[str], Rows]:
    return Spoken._fields, asked.research.who_spoke(asked.question.filters)


def _vocabulary(asked: Asked) -> tuple[Sequence[str], Rows]:
    return ("word", "count"), asked.research.vocabulary(asked.question.filters, limit=LINES)


TABLES: dict[str, Callable[[Asked], tuple[Sequence[str], Rows]]] = {
    "concordance": _concordance,
    "frequency": _frequency,
    "collocates": _collocates,
    "keywords": _keywords,
    "speakers": _speakers,
    "vocabulary": _vocabulary,
}
"""Files by name: each returns columns and rows."""


async def table(datasette: Any, request: Any) -> Any:
    """``/api/1/NAME.csv?q=…``: one of `TABLES`."""
    name, question = request.url_vars["table"], read(request)

    def written(conn: Any) -> tuple[str, bool]:
        research = Research(conn, BUDGET_MS)
        columns, rows = TABLES[name](Asked(research, question, request))
        return exports.to_csv(columns, rows), research.complete

    text, complete = await current(datasette).execute_long(written)
    file = f"frequency-by-{question.by}" if name == "frequency" else name
    return _file(text.encode(), f"{file}.csv", MEDIA_TYPES["csv"], complete=complete)


async def moments(datasette: Any, request: Any) -> Any:
    """``/api/1/moments.FORMAT?q=…``: every moment of a query."""
    form, question = request.url_vars["format"], read(request)

    def written(conn: Any) -> tuple[bytes, bool]:
        research = Research(conn, BUDGET_MS)
        found = list(research.moments(question.query, question.filters, limit=LINES))
        return exports.write_moments(found, form), research.complete

    try:
        body, complete = await current(datasette).execute_long(written)
    except MissingExtraError:
        return await not_found(datasette, request)
    return _file(body, f"moments.{form}", MEDIA_TYPES[form], complete=complete)


def ordered(lines: list[Line], order: str) -> list[Line]:
    """Return a concordance by what stands on one side of the match, word by word away from it, or by who says it."""
    keys: dict[str, Callable[[Line], Any]] = {
        "left": lambda line: words(line.left)[::-1],
        "right": lambda line: words(line.right),
        "match": lambda line: words(line.match),
        "speaker": lambda line: (line.hit.speaker is None, name_key(line.hit.speaker or "")),
    }
    return sorted(lines, key=keys[order]) if order in keys else lines


def _file(body: bytes, name: str, media_type: str, *, complete: bool) -> Any:
    """Return a download; one that ran out of time or lines says so in a header."""
    marked = {"rostra-complete": "yes" if complete else "no"}
    return respond(body, media_type, file=name, complete=complete, headers=marked)
