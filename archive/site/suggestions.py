"""What is offered while somebody types in a box of search: titles, people, and words that were said."""

from __future__ import annotations

from typing import Any

from archive.index.tokens import MARK, words
from archive.site import labels as wording
from archive.site import locales
from archive.site.http.respond import respond_json
from archive.site.locales import gettext as _
from archive.site.published import current
from archive.site.render import argument, reader_language
from archive.sqlite import sqlite3

TITLES, PEOPLE, WORDS = 4, 3, 4
MIN_LETTERS = 2
MAX_LETTERS = 80
STEPS = 2_000_000
"""Steps of SQLite's machine that are spent on words."""


async def suggest(datasette: Any, request: Any) -> Any:
    """``/search/suggest.json?q=…``: labels, what each is, and the page or the query that it leads to."""
    text = argument(request, "q")[:MAX_LETTERS]
    found = []
    if len(text) >= MIN_LETTERS:
        found = await current(datasette).execute_fn(lambda conn: read(conn, text))
    spoken = reader_language(request)
    with locales.speaking(spoken):
        kinds = {"event": _("event"), "session": _("session"), "person": _("person"), "word": _("said")}
        answer = [{**each, "kind": kinds[each["kind"]]} for each in found]
    response = respond_json(answer)
    response.headers["content-language"] = spoken
    return response


def read(conn: sqlite3.Connection, text: str) -> list[dict[str, str]]:
    """Return what begins as a text: titles and names by any of their words, words by their last."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    values = {"first": f"{escaped}%", "later": f"% {escaped}%"}
    alike = "{0} LIKE :first ESCAPE '\\' OR {0} LIKE :later ESCAPE '\\'"
    found = [
        {"kind": "event", "label": row["title"], "url": wording.event_url(row["slug"])}
        for row in conn.execute(
            f"SELECT slug, title FROM event WHERE {alike.format('title')} ORDER BY start_date DESC LIMIT 2", values
        )
    ]
    found += [
        {"kind": "person", "label": row["name"], "url": wording.person_url(row["slug"])}
        for row in conn.execute(
            f"SELECT slug, name FROM person WHERE {alike.format('name')} ORDER BY name LIMIT {PEOPLE}", values
        )
    ]
    found += [
        {"kind": "session", "label": row["title"], "url": wording.session_url(row["event"], row["slug"])}
        for row in conn.execute(
            "SELECT event.slug AS event, session.slug, session.title FROM session JOIN event ON event.id = event_id"
            f" WHERE {alike.format('session.title')} ORDER BY start_utc DESC LIMIT {TITLES}",
            values,
        )
    ]
    return found + [{"kind": "word", "label": word, "query": word} for word in _spoken(conn, text)]


def _spoken(conn: sqlite3.Connection, text: str) -> list[str]:
    """Return what was typed with its last word as the archive goes on with it, the most frequent first."""
    head, _space, last = text.rpartition(" ")
    folded = words(last)
    if len(folded) != 1 or len(folded[0]) < MIN_LETTERS:
        return []
    begin = folded[0]
    conn.set_progress_handler(lambda: 1, STEPS)
    try:
        rows = conn.execute(
            "SELECT term FROM vocabulary WHERE term >= ? AND term < ? AND term < ? ORDER BY doc DESC LIMIT ?",
            (begin, begin[:-1] + chr(ord(begin[-1]) + 1), MARK, WORDS),
        ).fetchall()
    except sqlite3.OperationalError:  # too many words begin so
        return []
    finally:
        conn.set_progress_handler(None, 0)
    return [f"{head} {row['term']}".strip() for row in rows]
