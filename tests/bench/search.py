"""Search at the size of a large archive, beside PostgreSQL, tantivy and a plain FTS5 table.

``python -m tests.bench.search [--segments N] [--builds N] [--random N] [--queries N] [--without NAME …] [--profile]
[--json FILE] [--keep FILE]``

The archive is grown from real talks (see `tests.bench.grown`). Every class of queries is asked in three rounds, warm,
each of which asks all systems in turn; a figure is the median of the rounds. Rostra makes its first page of results by
session, with moments, strips and facets. PostgreSQL and the plain FTS5 table, which hold segments, make as much of the
same page as SQL can say: the ten best sessions by their best segment, three segments of each with highlighted text,
and the same seven facets; "page_ms" has that. It asks less of them: segments miss phrases that reach over their edges
and words that are not in one sentence, which "sessions", how many were found in all, shows. So PostgreSQL makes the
page from the same passages as Rostra as well ("passages_ms"), where near/10 is any distance up to it in either order.
"list_ms" has what is usually done: the best 20 segments by rank, highlighted, and how many there are in each event.
tantivy has the latter alone. What this program itself keeps in memory (all the text) is kept from Python's collector
while it measures.
``--keep`` names where the grown catalogue stays; the next run that names it grows and builds nothing.
``--profile`` says instead where the time goes: the functions of the build and of each class, and the plans of
their statements. PostgreSQL is that on PATH (``initdb``, ``pg_ctl``), run in a
folder of its own by a user without rights; tantivy and psycopg come from PyPI. What is not there is left out.
"""

from __future__ import annotations

import argparse
import contextlib
import cProfile
import gc
import io
import json
import os
import pstats
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from itertools import accumulate, chain, product
from pathlib import Path
from typing import Any

from archive.catalogue.database import open_catalogue
from archive.connection import transaction
from archive.index.passages import rebuild
from archive.index.stems import REMEMBERED
from archive.index.verify import verify
from archive.search.sqlite_search import Filters, SqliteSearch
from archive.sqlite import Database, sqlite3
from tests.bench.grown import Grown, grow, grown_before
from tests.corpus import latin

ROUNDS = 3
BUDGET_MS = 1_000
ASKED_OF = 1_000_000
"""Segments, the first, from which queries are drawn: so larger archives are asked the same."""
FILTERS = {
    "none": Filters(),
    "event": Filters(event="event-2"),
    "series": Filters(series="series-2"),
    "person": Filters(person="person-8"),
    "language": Filters(language="en-GB"),
    "track": Filters(track="Track 2"),
    "year": Filters(year="2001"),
    "kind": Filters(kind="panel"),
}
STOPWORDS = ("the", "and", "to", "of", "that", "it", "you", "is", "in", "we")

Queries = dict[str, list[str]]
Ask = Callable[[str], int]


def choose_queries(texts: list[list[str]], count: int) -> Queries:
    """Return queries by class, drawn from the text itself."""
    draw = random.Random(7)  # noqa: S311  the same queries each time
    texts = [
        text for text, before in zip(texts, accumulate(map(len, texts), initial=0), strict=False) if before < ASKED_OF
    ]
    sample = [latin(text) for session in draw.sample(texts, min(len(texts), 400)) for text in session]
    found = Counter(word for at in range(0, len(sample), 16) for word in {w for s in sample[at : at + 16] for w in s})
    passages = len(sample) / 16
    words = [word for word in sorted(found) if len(word) > 2 and word not in STOPWORDS]
    rare = [word for word in words if 1 <= found[word] <= max(2, passages * 0.0005)]
    mid = [word for word in words if passages * 0.002 <= found[word] <= passages * 0.01]
    common = sorted(words, key=lambda word: -found[word])[:60]
    phrases, near = [], []
    while len(phrases) < count:
        session = draw.choice(texts)
        at = draw.randrange(max(1, len(session) - 3))
        first, second = latin(session[at]), latin(" ".join(session[at + 1 : at + 3]))
        size = draw.randint(3, 8)
        before = draw.randint(1, size - 1)
        phrase = first[-before:] + second[: size - before]
        if len(phrase) == size and len(first) >= before:
            phrases.append(f'"{" ".join(phrase)}"')
            near.append(f"{phrase[0]} near/10 {phrase[-1]}")
    return {
        "rare": draw.sample(rare, min(count, len(rare))),
        "mid": draw.sample(mid, min(count, len(mid))),
        "common": draw.sample(common, min(count, len(common))),
        "stopword": list(STOPWORDS)[:count],
        "two common": [" ".join(draw.sample(common, 2)) for _ in range(count)],
        "phrase": phrases,
        "prefix": [f"{word[: draw.randint(3, 5)]}*" for word in draw.sample(mid, min(count, len(mid)))],
        "near": near[:count],
    }


def timed(asks: dict[str, Ask], queries: list[str]) -> dict[str, dict[str, float]]:
    """Return of each way to ask the median and the 95th percentile, in milliseconds, each the median of the rounds.

    Every round takes all ways in turn: one machine may be a third slower for some minutes, and so are all of them then.
    """
    for ask, query in product(asks.values(), queries):
        ask(query)
    rounds: dict[str, list[list[float]]] = {way: [] for way in asks}
    for _, (way, ask) in product(range(ROUNDS), asks.items()):
        times = []
        for query in queries:
            start = time.perf_counter()
            ask(query)
            times.append((time.perf_counter() - start) * 1000)
        rounds[way].append(sorted(times))
    return {way: summary(each) for way, each in rounds.items()}


def summary(rounds: list[list[float]]) -> dict[str, float]:
    """Return figures of rounds of sorted times."""
    return {
        "median_ms": round(statistics.median(statistics.median(times) for times in rounds), 2),
        "p95_ms": round(statistics.median(times[min(len(times) - 1, int(len(times) * 0.95))] for times in rounds), 2),
        "max_ms": round(max(times[-1] for times in rounds), 2),
    }


def bench_pages(grown: Grown, queries: Queries, others: dict[str, dict[str, Ask]]) -> Iterator[dict[str, Any]]:
    """Yield figures of more and more classes: of Rostra's first page without filters beside others', and with each."""
    backend = SqliteSearch(grown.db.conn)
    rostra: dict[str, Any] = {}
    theirs: dict[str, dict[str, Any]] = {name: {} for name in others}
    for label, asked in queries.items():
        ours = {"none": partial(found_in, backend)}
        ways = {f"{name} {way}": ask for name, each in others.items() for way, ask in each.items()}
        figures = timed(ours | ways, asked)
        rostra[label] = {"none": figures["none"]}
        for name, filters in list(FILTERS.items())[1:]:
            rostra[label] |= timed({name: partial(found_in, backend, filters=filters)}, asked[:5])
        rostra[label]["sessions"] = sum(backend.sessions(query).total for query in asked)
        rostra[label]["over_budget"] = sum(not backend.sessions(query).complete for query in asked)
        for name, each in others.items():
            theirs[name][label] = {way: figures[f"{name} {way}"]["median_ms"] for way in each} | {
                f"sessions, {way}": sum(map(ask, asked)) for way, ask in each.items() if way != "list_ms"
            }
        yield {"rostra": rostra, "others": theirs}


def found_in(backend: SqliteSearch, query: str, filters: Filters = FILTERS["none"]) -> int:
    """Make a page, and return how many sessions match."""
    return backend.sessions(query, filters).total


def bench_build(grown: Grown, rounds: int = ROUNDS) -> dict[str, float]:
    """Return how fast both indexes are built, and how large they are."""
    db = grown.db
    segments = sum(map(len, grown.texts))
    rates, cpu = [], []
    for _ in range(rounds):
        start, used = time.perf_counter(), time.process_time()
        with transaction(db):
            rebuild(db)
        rates.append(segments / (time.perf_counter() - start))
        cpu.append(segments / (time.process_time() - used))
    sizes = {
        table: db.execute(f"SELECT sum(length(block)) FROM {table}_data").fetchone()[0] / segments
        for table in ("passage_fts", "session_fts")
    }
    extra = sum(
        db.execute(f"SELECT sum(length(sz)) FROM {table}_docsize").fetchone()[0] / segments
        for table in ("passage_fts", "session_fts")
    )
    return {
        "segments": segments,
        "segments_per_second": round(statistics.median(rates)),
        "segments_per_cpu_second": round(statistics.median(cpu)),
        "segments_per_second_first_time": round(rates[0]),
        "bytes_per_segment": round(sum(sizes.values()) + extra, 1),
        "words_remembered_at_most": REMEMBERED,
    }


def bench_recall(grown: Grown, count: int = 200) -> dict[str, float]:
    """Return recall and precision of phrases of 2–8 words over any boundary, against a scan of the text."""
    draw = random.Random(3)  # noqa: S311  the same phrases each time
    backend = SqliteSearch(grown.db.conn, 60_000)
    joined: list[str] = []
    ends: list[list[int]] = []
    for texts in grown.texts:
        spelled = [latin(text) for text in texts]
        joined.append(f" {' '.join(chain.from_iterable(spelled))} ")
        ends.append(list(accumulate(map(len, spelled))))
    long = [number for number, last in enumerate(ends) if last[-1] > 8]
    right = found_in_all = wanted_in_all = 0
    for _ in range(count):
        run = draw.choice(long)
        start, size = draw.randrange(ends[run][-1] - 8), draw.randint(2, 8)
        phrase = " ".join(joined[run].split()[start : start + size])
        wanted = set()
        for number, text in enumerate(joined):
            if f" {phrase} " in text:
                for match in re.finditer(f" (?={phrase} )", text):
                    segment = bisect_right(ends[number], text.count(" ", 0, match.start()))
                    wanted.add((f"session-{number + 1}", segment))
        if len(wanted) > 150:
            # More than are listed one by one: the sessions must be the same.
            sessions = {session for session, _ in wanted}
            total = backend.sessions(f'"{phrase}"').total
            right, found_in_all = right + min(total, len(sessions)), found_in_all + total
            wanted_in_all += len(sessions)
            continue
        hits = backend.search(f'"{phrase}"', limit=10_000).hits
        found = {(hit.session, hit.start_ms // 5_000) for hit in hits}
        right, found_in_all, wanted_in_all = (
            right + len(found & wanted),
            found_in_all + len(found),
            wanted_in_all + len(wanted),
        )
    return {"phrases": count, "recall": right / wanted_in_all, "precision": right / found_in_all}


def rows_of(grown: Grown) -> Iterator[tuple[int, int, int, str]]:
    """Yield segment, session, event and text."""
    number = 0
    for session, texts in enumerate(grown.texts, 1):
        for text in texts:
            number += 1
            yield number, session, (session - 1) // 40 + 1, text.replace("\x00", " ")


@contextlib.contextmanager
def plain_fts5(grown: Grown, folder: Path) -> Iterator[dict[str, Ask]]:
    """A table by segment, with ``ORDER BY rank``."""
    conn = sqlite3.connect(folder / "plain.db", isolation_level=None)
    conn.execute("PRAGMA synchronous = OFF")
    conn.execute("CREATE TABLE said(id INTEGER PRIMARY KEY, session INTEGER, event INTEGER, text TEXT)")
    conn.execute("CREATE VIRTUAL TABLE said_fts USING fts5(text, content='said', content_rowid='id')")
    conn.execute("BEGIN")
    conn.executemany("INSERT INTO said VALUES (?, ?, ?, ?)", rows_of(grown))
    conn.execute("INSERT INTO said_fts(said_fts) VALUES ('rebuild')")
    conn.execute("COMMIT")
    conn.execute("INSERT INTO said_fts(said_fts) VALUES ('optimize')")
    held, took_part = sessions_of(grown)
    conn.execute("CREATE TABLE held(id INTEGER PRIMARY KEY, event, series, track, year, kind, language)")
    conn.execute("CREATE TABLE took_part(session INTEGER, person)")
    conn.execute("CREATE INDEX took_part_session ON took_part(session)")
    conn.executemany("INSERT INTO held VALUES (?, ?, ?, ?, ?, ?, ?)", held)
    conn.executemany("INSERT INTO took_part VALUES (?, ?)", took_part)

    def page(query: str) -> int:
        match = near_for(query, "NEAR({0} {1}, 10)")
        best: dict[int, list[str]] = {}
        for session, text in conn.execute(
            "SELECT session, snippet(said_fts, 0, '[', ']', '…', 12)"
            " FROM said_fts JOIN said ON said.id = said_fts.rowid WHERE said_fts MATCH ? ORDER BY rank",
            (match,),
        ):
            if len(best) == 10 and session not in best:
                break
            if len(best.setdefault(session, [])) < 3:
                best[session].append(text)
        those = "SELECT DISTINCT session FROM said WHERE id IN (SELECT rowid FROM said_fts WHERE said_fts MATCH ?)"
        return sessions_in(conn.execute(f"WITH matching AS MATERIALIZED ({those}) {FACETS}", (match,)).fetchall())

    def ask(query: str) -> int:
        match = near_for(query, "NEAR({0} {1}, 10)")
        conn.execute(
            "SELECT session, snippet(said_fts, 0, '[', ']', '…', 12)"
            " FROM said_fts JOIN said ON said.id = said_fts.rowid WHERE said_fts MATCH ? ORDER BY rank LIMIT 20",
            (match,),
        ).fetchall()
        counts = conn.execute(
            "SELECT event, count(*) FROM said"
            " WHERE id IN (SELECT rowid FROM said_fts WHERE said_fts MATCH ?) GROUP BY 1",
            (match,),
        ).fetchall()
        return sum(count for _, count in counts)

    yield {"list_ms": ask, "page_ms": page}
    conn.close()


FACETS = """
SELECT 'event', event, count(*) FROM matching JOIN held ON held.id = session GROUP BY 1, 2
UNION ALL SELECT 'series', series, count(*) FROM matching JOIN held ON held.id = session GROUP BY 1, 2
UNION ALL SELECT 'track', track, count(*) FROM matching JOIN held ON held.id = session GROUP BY 1, 2
UNION ALL SELECT 'year', year, count(*) FROM matching JOIN held ON held.id = session GROUP BY 1, 2
UNION ALL SELECT 'kind', kind, count(*) FROM matching JOIN held ON held.id = session GROUP BY 1, 2
UNION ALL SELECT 'language', language, count(*) FROM matching JOIN held ON held.id = session GROUP BY 1, 2
UNION ALL SELECT 'person', person, count(*) FROM matching JOIN took_part USING (session) GROUP BY 1, 2
"""


def sessions_in(facets: list[Any]) -> int:
    """Return how many sessions there are in facets: each has one kind."""
    return sum(count for name, _, count in facets if name == "kind")


def passages_of(grown: Grown) -> Iterator[tuple[int, int, str]]:
    """Yield passage, session and text."""
    yield from grown.db.execute(
        "SELECT passage.id, session_id, replace((SELECT group_concat(text, ' ') FROM segment WHERE"
        " segment.transcript_id = passage.transcript_id AND position BETWEEN first_position AND last_position),"
        " char(0), ' ') FROM passage"
    )


def sessions_of(grown: Grown) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Return what is known of sessions, as text, and who took part in them."""
    held = grown.db.execute(
        "SELECT session.id, CAST(event_id AS TEXT), CAST(series_id AS TEXT), track, substr(start_at, 1, 4),"
        " session.kind, transcript.language FROM session JOIN event ON event.id = event_id"
        " JOIN recording ON session_id = session.id"
        " JOIN transcript ON recording_id = recording.id"
    ).fetchall()
    return held, grown.db.execute("SELECT session_id, CAST(person_id AS TEXT) FROM session_person").fetchall()


def near_for(query: str, form: str) -> str:
    """Return a query with ``a near/10 b`` as another system says it."""
    match = re.fullmatch(r"(\w+) near/10 (\w+)", query)
    return form.format(*match.groups()) if match else query


@contextlib.contextmanager
def tantivy_index(grown: Grown, folder: Path) -> Iterator[dict[str, Ask]]:
    """An index by segment with English stems."""
    import tantivy  # a part of the benchmark that may not be installed

    schema = tantivy.SchemaBuilder()
    schema.add_text_field("text", stored=True, tokenizer_name="en_stem")
    schema.add_integer_field("event", stored=True, fast=True, indexed=True)
    built = schema.build()
    (folder / "tantivy").mkdir()
    index = tantivy.Index(built, path=str(folder / "tantivy"))
    writer = index.writer(200_000_000)
    for _, _, event, text in rows_of(grown):
        writer.add_document(tantivy.Document(text=text, event=event))
    writer.commit()
    writer.wait_merging_threads()
    index.reload()
    searcher = index.searcher()

    def ask(query: str) -> int:
        text = near_for(query, '"{0} {1}"~10')
        if text.endswith("*"):
            parsed = tantivy.Query.regex_query(built, "text", f"{text[:-1]}.*")
        else:
            parsed = index.parse_query(text, ["text"], conjunction_by_default=True)
        found = searcher.search(parsed, 20, count=True)
        snippets = tantivy.SnippetGenerator.create(searcher, parsed, built, "text")
        for _, address in found.hits:
            snippets.snippet_from_doc(searcher.doc(address)).to_html()
        searcher.aggregate(parsed, {"events": {"terms": {"field": "event"}}})
        return int(found.count)

    yield {"list_ms": ask}


@contextlib.contextmanager
def postgresql(grown: Grown, folder: Path) -> Iterator[dict[str, Ask]]:
    """A table by segment with a GIN index, English stems and no stop words."""
    import psycopg  # a part of the benchmark that may not be installed

    data, user = folder / "pg", "nobody" if os.geteuid() == 0 else None
    data.mkdir()
    if user:
        folder.chmod(0o755)
        shutil.chown(data, user)
    tool = Path(shutil.which("pg_ctl") or "pg_ctl")
    run = partial(subprocess.run, check=True, stdout=subprocess.DEVNULL, user=user, cwd="/")
    run([tool.with_name("initdb"), "-D", data, "-U", "bench", "--no-sync"])
    options = (
        f"-c listen_addresses= -c unix_socket_directories={data} -c shared_buffers=1GB -c fsync=off -c work_mem=64MB"
    )
    run([tool, "-D", data, "-o", options, "-l", data / "log", "-w", "start"])
    try:
        with psycopg.connect(host=str(data), user="bench", dbname="postgres", autocommit=True) as conn:
            conn.execute("CREATE TEXT SEARCH DICTIONARY stems (TEMPLATE = snowball, LANGUAGE = english)")
            conn.execute("CREATE TEXT SEARCH CONFIGURATION said (COPY = english)")
            conn.execute("ALTER TEXT SEARCH CONFIGURATION said ALTER MAPPING REPLACE english_stem WITH stems")
            conn.execute("SET default_text_search_config = said")
            conn.execute("CREATE TABLE said(id int PRIMARY KEY, session int, event int, text text, tsv tsvector)")
            with conn.cursor().copy("COPY said(id, session, event, text) FROM STDIN") as copy:
                for row in rows_of(grown):
                    copy.write_row(row)
            conn.execute("UPDATE said SET tsv = to_tsvector(text)")
            conn.execute("CREATE INDEX said_tsv ON said USING gin(tsv)")
            conn.execute("VACUUM ANALYZE said")
            conn.execute("CREATE TABLE passage(id int PRIMARY KEY, session int, text text, tsv tsvector)")
            with conn.cursor().copy("COPY passage(id, session, text) FROM STDIN") as copy:
                for passage in passages_of(grown):
                    copy.write_row(passage)
            conn.execute("UPDATE passage SET tsv = to_tsvector(text)")
            conn.execute("CREATE INDEX passage_tsv ON passage USING gin(tsv)")
            conn.execute("VACUUM ANALYZE passage")

            held, took_part = sessions_of(grown)
            columns = "event text, series text, track text, year text, kind text, language text"
            conn.execute(f"CREATE TABLE held(id int PRIMARY KEY, {columns})")
            conn.execute("CREATE TABLE took_part(session int, person text)")
            for table, rows in (("held", held), ("took_part", took_part)):
                with conn.cursor().copy(f"COPY {table} FROM STDIN") as copy:
                    for row in rows:
                        copy.write_row(row)
            conn.execute("CREATE INDEX took_part_session ON took_part(session)")
            conn.execute("ANALYZE")

            def understood(query: str) -> tuple[str, str]:
                if near := re.fullmatch(r"(\w+) near/10 (\w+)", query):
                    one, other = near.groups()
                    return "to_tsquery(%(q)s)", " | ".join(
                        f"{a} <{far}> {b}" for a, b in ((one, other), (other, one)) for far in range(1, 12)
                    )
                if query.endswith("*"):
                    return "to_tsquery(%(q)s)", f"{query[:-1]}:*"
                if query.startswith('"'):
                    return "phraseto_tsquery(%(q)s)", query.strip('"')
                return "plainto_tsquery(%(q)s)", query

            def ask(query: str) -> int:
                asked, value = understood(query)
                conn.execute(
                    f"SELECT session, ts_headline(text, {asked}) FROM (SELECT session, text FROM said"
                    f" WHERE tsv @@ {asked} ORDER BY ts_rank(tsv, {asked}) DESC LIMIT 20) AS best",
                    {"q": value},
                ).fetchall()
                counts = conn.execute(
                    f"SELECT event, count(*) FROM said WHERE tsv @@ {asked} GROUP BY 1", {"q": value}
                ).fetchall()
                return sum(count for _, count in counts)

            def page(query: str, table: str) -> int:
                asked, value = understood(query)
                conn.execute(
                    f"WITH hit AS MATERIALIZED (SELECT id, session, ts_rank(tsv, {asked}) AS score FROM {table}"
                    f" WHERE tsv @@ {asked}), best AS (SELECT session, max(score) AS top, count(*) AS places FROM hit"
                    " GROUP BY 1 ORDER BY 2 DESC LIMIT 10), shown AS (SELECT hit.id, best.top, best.places,"
                    " row_number() OVER (PARTITION BY hit.session ORDER BY score DESC) AS nth FROM hit JOIN best"
                    f" USING (session)) SELECT session, places, ts_headline(text, {asked}) FROM shown JOIN {table}"
                    " USING (id) WHERE nth <= 3 ORDER BY top DESC, nth",
                    {"q": value},
                ).fetchall()
                those = f"SELECT DISTINCT session FROM {table} WHERE tsv @@ {asked}"
                facets = conn.execute(f"WITH matching AS MATERIALIZED ({those}) {FACETS}", {"q": value})
                return sessions_in(facets.fetchall())

            yield {
                "list_ms": ask,
                "page_ms": partial(page, table="said"),
                "passages_ms": partial(page, table="passage"),
            }
    finally:
        run([tool, "-D", data, "-m", "immediate", "stop"])


OTHERS = {"fts5": plain_fts5, "postgresql": postgresql, "tantivy": tantivy_index}


@contextlib.contextmanager
def built(grown: Grown, folder: Path, names: list[str]) -> Iterator[tuple[dict[str, dict[str, Ask]], dict[str, float]]]:
    """Build other systems; give how each is asked, and how many seconds it took to build."""
    others: dict[str, dict[str, Ask]] = {}
    seconds: dict[str, float] = {}
    with contextlib.ExitStack() as stack:
        for name in names:
            start = time.perf_counter()
            try:
                others[name] = stack.enter_context(OTHERS[name](grown, folder))
            except (ImportError, FileNotFoundError) as error:
                print(f"{name} is left out: {error}", file=sys.stderr)
            else:
                seconds[name] = round(time.perf_counter() - start, 1)
        yield others, seconds


PIECES = (
    *"\"'()*^:+-{};%_“”!&|~<>\\/   ", "OR", "AND", "NOT", "NEAR(", "near/3", "near/", "year:", "speaker:", "title:",
    "-kind:qa", "doubtful:yes", "after:2003", "language:en", "language:xx", "event:", "\x00", "\x1f", "\ud800",
    "\u200b", "\U000f0000", "\ue000", "\ue001", "東京", "é", "ﬁ", "👍", "re-use", "don't", "a*", "the*",
)  # fmt: skip


def random_query(draw: random.Random, words: list[str]) -> str:
    """Return anything: operators, quotes, fields, controls, unicode and words of the archive."""
    pieces = []
    for _ in range(draw.randint(1, 14)):
        kind = draw.random()
        if kind < 0.45:
            pieces.append(draw.choice(PIECES))
        elif kind < 0.9:
            pieces.append(draw.choice(words) + draw.choice(("", " ", " ", "*")))
        else:
            pieces.append(chr(draw.randrange(0x110000)))
    return "".join(pieces)


def bench_random(grown: Grown, count: int) -> Iterator[dict[str, Any]]:
    """Yield, every now and then, how many of so many queries raised, or took longer than their budget."""
    draw = random.Random(5)  # noqa: S311  the same queries each time
    words = [*STOPWORDS, *sorted({w for session in grown.texts[:40] for text in session[:200] for w in latin(text)})]
    backend = SqliteSearch(grown.db.conn, BUDGET_MS)
    errors: list[str] = []
    slow: list[str] = []
    times: list[float] = []
    incomplete = beyond = 0
    for number in range(1, count + 1):
        query = random_query(draw, words)
        start, used = time.perf_counter(), time.process_time()
        try:
            done = (backend.sessions(query) if number % 2 else backend.search(query)).complete
        except Exception as error:  # noqa: BLE001  any error at all is what is looked for
            errors.append(f"{query!r}: {error!r}")
            continue
        times.append((time.perf_counter() - start) * 1000)
        incomplete += not done
        beyond += (time.process_time() - used) * 1000 > BUDGET_MS
        if times[-1] > BUDGET_MS:
            slow.append(f"{query!r}: {times[-1]:.0f} ms")
        if number % 5_000 and number < count:
            continue
        ordered = sorted(times)
        yield {
            "segments": sum(map(len, grown.texts)),
            "queries": number,
            "errors": len(errors),
            "over_budget": len(slow),
            "over_budget_in_cpu_time": beyond,  # what is left of that on a machine that does nothing else
            "ended_by_budget": incomplete,
            "median_ms": round(statistics.median(ordered), 2),
            "p999_ms": round(ordered[int(len(ordered) * 0.999)], 1),
            "max_ms": round(ordered[-1], 1),
            "examples": [*errors[:5], *slow[:5]],
        }


def profile(call: Callable[[], object], functions: int = 14) -> str:
    """Return the functions that take the most of a call's time, by what each takes itself."""
    profiler = cProfile.Profile()
    profiler.runcall(call)
    text = io.StringIO()
    pstats.Stats(profiler, stream=text).strip_dirs().sort_stats("tottime").print_stats(functions)
    return text.getvalue()


def profile_queries(grown: Grown, queries: Queries) -> Iterator[str]:
    """Yield, by class, what its pages take and the plans of the statements of one."""
    conn = grown.db.conn
    backend = SqliteSearch(conn)
    for name, asked in queries.items():
        statements: dict[str, None] = {}
        backend.sessions(asked[0])
        conn.set_trace_callback(lambda sql, seen=statements: seen.setdefault(sql))
        backend.sessions(asked[0])
        conn.set_trace_callback(None)
        yield f"== {name}: {asked[0]}"
        for sql in statements:
            if sql.startswith(("SELECT", "WITH")):  # FTS5's own begin with a comment
                yield " ".join(sql.split())[:200]
                yield from (f"    {row[3]}" for row in conn.execute(f"EXPLAIN QUERY PLAN {sql}"))
        yield profile(partial(list, map(backend.sessions, asked)))


def main() -> None:
    """Run what was asked for, and write it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--segments", type=int, default=1_000_000)
    parser.add_argument("--queries", type=int, default=20, help="queries of each class")
    parser.add_argument(
        "--builds", type=int, default=ROUNDS, help="how often both indexes are built, to take the median"
    )
    parser.add_argument("--random", type=int, default=0, help="so many random queries, and nothing else")
    parser.add_argument("--without", nargs="*", default=[], choices=[*OTHERS, "recall", "check"])
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--keep", type=Path, help="a file for the grown catalogue")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="rostra-bench-") as name:
        folder = Path(name)
        file = options.keep or folder / "catalogue.db"
        kept = file.exists()
        grown = grown_before(file) if kept else grow(file, options.segments)
        gc.collect()
        gc.freeze()
        if options.profile:
            print("== build", profile(lambda: rebuild(grown.db)), sep="\n")
            grown.db.execute("ANALYZE")
            for line in profile_queries(grown, choose_queries(grown.texts, options.queries)):
                print(line)
            close(grown.db)
            return
        report: dict[str, Any] = {}
        if not kept:
            report["build"] = bench_build(grown, options.builds)
            grown.db.execute("ANALYZE")
            # Opened anew, as a search finds it: the connection that built it holds what it wrote in memory.
            grown.db.close()
            grown = Grown(open_catalogue(file), grown.texts)
        if options.random:
            for report["random"] in bench_random(grown, options.random):
                show(report, options.json)
        else:
            queries = choose_queries(grown.texts, options.queries)
            names = [name for name in OTHERS if name not in options.without]
            with built(grown, folder, names) as (others, seconds):
                for figures in bench_pages(grown, queries, others):
                    report |= figures
                    show(report, options.json)
            for system, each in seconds.items():
                report["others"][system]["build_seconds"] = each
            report["ratios"] = ratios(report)
            show(report, options.json)
            if "recall" not in options.without:
                report["recall"] = bench_recall(grown)
            if "check" not in options.without:
                report["problems"] = len(verify(grown.db))
        show(report, options.json)
        close(grown.db)


def ratios(report: dict[str, Any]) -> dict[str, dict[str, dict[str, float]]]:
    """Return how many times as long as Rostra's page other systems take in the median, by class."""
    ours = {label: figures["none"]["median_ms"] for label, figures in report["rostra"].items()}
    return {
        name: {
            label: {way: round(ms / ours[label], 2) for way, ms in figures[label].items() if way.endswith("_ms")}
            for label in ours
        }
        for name, figures in report["others"].items()
    }


def show(report: dict[str, Any], file: Path | None) -> None:
    """Write what is known so far."""
    text = json.dumps(report, indent=1, ensure_ascii=True)
    if file:
        file.write_text(text)
    else:
        print(text)


def close(db: Database) -> None:
    """Close the catalogue before its folder goes."""
    db.close()


if __name__ == "__main__":
    main()
