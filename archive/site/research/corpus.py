"""Parts of the archive with an address of their own, and corpora to take away."""

from __future__ import annotations

import re
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from starlette.responses import FileResponse

from archive.errors import MissingExtraError
from archive.publication.folder import CORPORA, corpus_file
from archive.research import Research
from archive.research.corpus import FORMS, About, choose, to_zip, write_corpus
from archive.research.subcorpus import Subcorpus
from archive.search.filters import Filters
from archive.site import queries
from archive.site.http.policy import FILE_POLICY, OPEN_TO_ALL
from archive.site.http.respond import ASK_AGAIN, problem, respond
from archive.site.published import current
from archive.site.render import argument, not_found, render
from archive.site.research.asked import AGAINST, read_against, read_part
from archive.site.settings import site_settings
from archive.sqlite import sqlite3
from archive.urls import CORPUS, EXPLORE, absolute, with_query
from metadata.names import readable_name

MOST_SEGMENTS = 50_000
"""What is packed when somebody asks: some 80 hours. More is packed once a publication (``publish.corpora``)."""
PAGE_BUDGET_MS = 1_000
CHOOSING_MS = 5_000
SPEAKERS = 30
KEYWORDS = 40
ASKED = ("event", "series", "speaker", "person", "language", "track", "kind", "year", "since", "until")
"""Filters that the form has."""


async def corpus(datasette: Any, request: Any) -> Any:
    """``/corpus?name=…&event=…&q=…``: a part of the archive: its size, who speaks, what it says more than others."""
    part, against = read_part(request), read_against(request)
    return await render(datasette, request, "corpus.html", lambda conn: _read(conn, part, against))


def _read(conn: sqlite3.Connection, part: Subcorpus, against: Filters | None) -> dict[str, Any]:
    research = Research(conn, PAGE_BUDGET_MS)
    filters = part.selection.filters
    size = research.size(filters)
    whole = [research.complete]
    speakers = research.who_spoke(filters)
    keywords = research.keywords(filters, against, limit=KEYWORDS) if filters.chosen() else []
    whole.append(research.complete)
    frequent = [] if filters.chosen() else research.vocabulary(filters, limit=KEYWORDS)
    whole.append(research.complete)
    told = against.chosen() if against else {}
    compared = {f"{AGAINST}{name}": value for name, value in told.items()}
    named = {name: value for name, value in part.named().items() if value}
    return {
        "part": part,
        "named": named,
        "asked": ASKED,
        "labels": queries.labels(conn, filters.chosen()),
        "against": told,
        "against_labels": queries.labels(conn, told),
        "size": size,
        "speakers": speakers[:SPEAKERS],
        "keywords": keywords,
        "frequent": frequent,
        "forms": FORMS.values(),
        "complete": all(whole),
        "files": {
            name: with_query(f"/api/1/{name}.csv", {**filters.chosen(), **compared})
            for name in ("speakers", "keywords", "vocabulary")
        },
        "explore": with_query(EXPLORE, {"q": part.selection.query or None, **filters.chosen()}),
        "packed": lambda form: with_query(f"{CORPUS}.zip", {**named, "form": form}),
        "permanent": part.url,
    }


async def packed(datasette: Any, request: Any) -> Any:
    """``/corpus.zip?form=csv&event=…``: a part of the archive as a corpus, packed as it is asked for."""
    part, form = read_part(request), argument(request, "form") or "csv"
    if form not in FORMS:
        known = ", ".join(FORMS)
        return problem(request, HTTPStatus.BAD_REQUEST, f"There is no form {form!r}; there are: {known}.")
    settings, built_at = site_settings(datasette), current(datasette).publication.built_at
    about = About(
        title=part.name or settings.name,
        home=settings.url,
        built_at=built_at,
        permanent=absolute(settings.url, part.url),
    )

    def written(conn: sqlite3.Connection) -> bytes | str:
        chosen = choose(conn, part.selection, CHOOSING_MS)
        if not chosen.transcripts:
            return "Nothing was said in this part of the archive."
        if chosen.segments > MOST_SEGMENTS or not chosen.complete:
            return (
                f"It is larger than {MOST_SEGMENTS:,} segments: choose less, or take a file of {absolute('', CORPORA)}."
            )
        with TemporaryDirectory(prefix="rostra-corpus-") as folder:
            root, target = Path(folder) / "corpus", Path(folder) / "corpus.zip"
            root.mkdir()
            to_zip(root, write_corpus(conn, chosen, [form], root, about), target)
            return target.read_bytes()

    try:
        body = await current(datasette).execute_long(written)
    except MissingExtraError:
        return await not_found(datasette, request)
    if isinstance(body, str):
        status = HTTPStatus.NOT_FOUND if body.startswith("Nothing") else HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        return problem(request, status, body)
    name = re.sub(r"[^\w.-]+", "-", readable_name(built_at[:10], None, part.name or settings.name), flags=re.ASCII)
    return respond(body, "application/zip", file=f"{name.strip('-') or 'corpus'}-{form}.zip")


async def downloads(datasette: Any, request: Any) -> Any:
    """``/downloads``: everything as files: corpora, the database, tables, feeds."""
    database = current(datasette)
    ready = {name: _made(database, name) for name in FORMS}

    def read(conn: sqlite3.Connection) -> dict[str, Any]:
        (segments,) = conn.execute("SELECT count(*) FROM segment").fetchone()
        return {
            "forms": FORMS.values(),
            "made": {name: path.stat().st_size for name, path in ready.items() if path.is_file()},
            "small": segments <= MOST_SEGMENTS,
            "database": datasette.setting("allow_download"),
            "database_bytes": database.publication.database.stat().st_size,
            "complete": False,  # what is packed is there a while after the publication is
        }

    return await render(datasette, request, "downloads.html", read)


async def made(datasette: Any, request: Any, receive: Any, send: Any) -> Any:
    """``/corpora/FORM.zip``: all that is published, as it was packed for this publication."""
    path = _made(current(datasette), request.url_vars["form"])
    if not path.is_file():
        return await not_found(datasette, request)
    headers = {"cache-control": ASK_AGAIN, "content-security-policy": FILE_POLICY, **OPEN_TO_ALL}
    response = FileResponse(path, media_type="application/zip", headers=headers, filename=path.name)
    await response(request.scope, receive, send)
    return None


def _made(database: Any, form: str) -> Path:
    """Return where the corpus of a publication is, if it was made."""
    publication = database.publication
    return Path(publication.public) / CORPORA / corpus_file(publication.database.name, form)
