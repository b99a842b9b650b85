"""Are questions answered? What people type, with the moment that each was written from.

``python -m tests.bench.questions [--json FILE] [--verbose] [--kind KIND …] [--meaning] [--half HALF]``

``tests/cases/search/questions.json`` has, for each question, its kind, its language, and the session and the seconds
that answer it. A question was written from a moment that was drawn by chance, before any search was asked:

- ``typed``: as somebody would ask it, in a whole sentence;
- ``keywords``: a few words of what was said;
- ``typo``: keywords with a mistake in one or two of them;
- ``paraphrase``: no word of the moment that means anything is in it;
- ``cross-language``: in another language than what was said.

Figures: success@1 and @5 are the shares of questions whose session is the first, or among the first five; mrr is the
mean reciprocal rank among the first ten; moment is the share of questions whose session is among the first five with
a moment that begins within a minute of the right one; first_moment is the same of its first moment alone; empty is
the share that finds nothing. A question that finds nothing is asked again as Rostra suggests, as a reader would click.

With ``--meaning`` the talks have vectors, too (a minute of computing), so that the third tier answers as well; its
constants were chosen by every other question, the ``tuning`` half, and are to be judged by the ``reported`` half.
``--kept FILE`` is where the talks and their vectors are kept for the next time; delete it where either changes.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archive.connection import transaction
from archive.index.encoder import Encoder, installed_encoder
from archive.index.meanings import pack, read_windows, set_meanings, transcripts_to_embed
from archive.search.cache import Kept
from archive.search.sqlite_search import SqliteSearch
from archive.sqlite import Database, sqlite3
from tests.bench.talks import catalogue, read_talks

QUESTIONS = Path(__file__).parents[1] / "cases" / "search" / "questions.json"
KINDS = ("typed", "keywords", "typo", "paraphrase", "cross-language")
DEPTH = 10
NEAR_MS = 60_000
"""How far from the right moment one may begin that counts as it."""

Found = list[tuple[str, list[int]]]
"""Sessions in order, and when the moments that are shown of each begin, milliseconds."""
Search = Callable[[str], Found]


@dataclass(frozen=True, slots=True)
class Question:
    """A question and what answers it; ``start`` and ``end`` are seconds."""

    kind: str
    language: str
    query: str
    session: str
    start: int
    end: int


def read_questions() -> list[Question]:
    """Return all questions."""
    return [Question(**each) for each in json.loads(QUESTIONS.read_text(encoding="utf-8"))]


def half_of(questions: Sequence[Question], name: str) -> Sequence[Question]:
    """Return every other question, or all."""
    return {"all": questions, "tuning": questions[::2], "reported": questions[1::2]}[name]


def embed(db: Database, encoder: Encoder) -> None:
    """Give every transcript its vectors."""
    with transaction(db):
        for each in transcripts_to_embed(db):
            windows = read_windows(db.conn, each.id)
            vectors = pack(encoder.encode([window.text for window in windows]))
            set_meanings(db, each.id, encoder.name, [(window.first, window.last) for window in windows], vectors)


def prepared(encoder: Encoder | None, kept: Path | None) -> Database:
    """Return the talks, with vectors where there is an encoder, from a file if it is there; else it is made."""
    if kept is not None and kept.exists():
        return Database(sqlite3.connect(kept, isolation_level=None))
    db = catalogue(read_talks())
    if encoder is not None:
        embed(db, encoder)
    if kept is not None:
        db.execute("VACUUM INTO ?", [str(kept)])
    return db


def rostra(db: Database, encoder: Encoder | None = None) -> Search:
    """Return how Rostra answers by session."""
    backend = SqliteSearch(db.conn, 10_000, kept=Kept(encoder))

    def search(query: str) -> Found:
        found = backend.sessions(query, limit=DEPTH)
        if found.suggestion and not found.sessions:
            found = backend.sessions(found.suggestion, limit=DEPTH)
        return [(each.session, [hit.start_ms for hit in each.hits]) for each in found.sessions]

    return search


def judge(search: Search, questions: Iterable[Question], *, verbose: bool = False) -> dict[str, dict[str, Any]]:
    """Return the figures of a search, by kind of question."""
    figures: defaultdict[str, list[dict[str, float]]] = defaultdict(list)
    for question in questions:
        found = search(question.query)
        figures[question.kind].append(_figures(question, found))
        if verbose and not figures[question.kind][-1]["moment"]:
            print(f"{question.kind}: {question.query!r} {question.session}: {[name for name, _ in found[:5]]}")
    return {
        kind: {"questions": len(each)}
        | {name: round(statistics.mean(one[name] for one in each), 3) for name in each[0]}
        for kind, each in figures.items()
    }


def _figures(question: Question, found: Sequence[tuple[str, list[int]]]) -> dict[str, float]:
    sessions = [session for session, _ in found]
    rank = sessions.index(question.session) + 1 if question.session in sessions else 0
    moments = found[rank - 1][1] if 0 < rank <= 5 else []
    right = [question.start * 1000 - NEAR_MS <= at <= question.end * 1000 + NEAR_MS for at in moments]
    return {
        "success@1": float(rank == 1),
        "success@5": float(0 < rank <= 5),
        "mrr": 1 / rank if rank else 0.0,
        "moment": float(any(right)),
        "first_moment": float(right[:1] == [True]),
        "empty": float(not found),
    }


def main() -> None:
    """Judge what was asked for, and write figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--kind", nargs="*", default=KINDS, choices=KINDS)
    parser.add_argument("--meaning", action="store_true", help="answer by meaning, too; needs rostra[meaning]")
    parser.add_argument("--kept", type=Path, help="a file that keeps the talks and their vectors")
    parser.add_argument("--half", default="all", choices=("all", "tuning", "reported"))
    parser.add_argument("--verbose", action="store_true", help="name questions whose moment is not found")
    options = parser.parse_args()
    asked = [question for question in half_of(read_questions(), options.half) if question.kind in options.kind]
    encoder = installed_encoder() if options.meaning else None
    if options.meaning and encoder is None:
        parser.error("pip install 'rostra[meaning]'")
    report = judge(rostra(prepared(encoder, options.kept), encoder), asked, verbose=options.verbose)
    text = json.dumps(report, indent=1)
    print(text)
    if options.json:
        options.json.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
