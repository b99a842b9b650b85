"""The index that browsers search where no program answers: Pagefind's (https://pagefind.app).

Pagefind writes an index in small parts, of which a browser reads those that a query needs, and comes with its program
in Python packages. It is given a page of our own for each transcript, in which an empty element stands before each
sentence and says when that begins (``id``, milliseconds): a script finds the moment of each hit by it. Doubtful
sentences are left out, as they are of the site's own index. Announcements have pages of their own in it, and are told
from what was said by the filter ``of``.
"""

from __future__ import annotations

import hashlib
import json
import re
import subprocess
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from archive import urls
from archive.errors import ArchiveError, MissingExtraError
from archive.site import labels, locales, queries
from archive.site.frozen.places import Places
from archive.site.queries import Card
from archive.site.session_page import recordings
from archive.site.session_page.recordings import Track, TrackTranscript

FOLDER = "pagefind"
LANGUAGES = f"{FOLDER}/languages.json"
"""The file that names the languages that have an index."""
ENTRY = "pagefind-entry.json"
"""The file of an index that leads to its others."""
SESSION, ANNOUNCEMENT = "session", "announcement"
"""What a document is of: values of the filter ``of``."""
SHOWN_LETTERS = 240
"""Letters of an announcement that a result shows."""
_UNKNOWN = "unknown"
_READ_BY_BROWSERS = re.compile(r"pagefind\.js|pagefind-worker\.js|pagefind-entry\.json|wasm\..*|.*\.pf_\w+")
"""Files of an index that our page needs; the rest is a search page of Pagefind's own."""
_WITHOUT_SPACES = re.compile("[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_GLUED = re.compile(r"(?<=\w)(?!(?<=\d)[.,:]\d)((?:[^\w\s'’]|_)+)(?=[^\W_])")
"""What stands between two words without any space: ``either/or``, ``a dash—like this``; not within ``1,000``."""
_GLUE = "\u2060"
"""Stands before a space that nobody wrote (WORD JOINER), so that a script takes both away again."""


class Document(NamedTuple):
    """What is indexed of a transcript, of a session that has none, or of an announcement.

    Attributes:
        language: the name of its index.
        name: the path of its file among those that Pagefind reads.
        html: its text.
    """

    language: str
    name: str
    html: str


def documents(conn: Any, places: Places, spoken: str) -> Iterator[Document]:
    """Yield everything that is indexed.

    Args:
        conn: the published database.
        places: where the site's pages lie.
        spoken: the language of the pages.
    """
    series: dict[str, str | None] = {}
    with locales.speaking(spoken):
        for card in queries.session_cards(conn, "ORDER BY session.id", ()):
            page = recordings.session(conn, card.event, card.slug)
            if page is None:
                continue
            if card.event not in series:
                event = queries.event(conn, card.event)
                series[card.event] = event.series_slug if event else None
            said: list[tuple[Track | None, TrackTranscript | None]]
            said = [(track, version) for track in page.tracks for version in track.transcripts]
            for track, version in said or [(None, None)]:
                address = _address(card, page.tracks, track, version)
                place = places.of(address)
                if place:
                    html = _html(conn, card, series[card.event], page.abstract, version, place.link)
                    yield Document(_index_of(version.language if version else card.language), place.file, html)
        yield from _announcements(conn, places)


def _announcements(conn: Any, places: Places) -> Iterator[Document]:
    """Yield what organisers published, which is searched apart from what was said."""
    rows = conn.execute(
        "SELECT announcement.slug, announcement.title, text, published, source, announcement.language,"
        " event.slug AS event, event.title AS event_title, series.slug AS series FROM announcement"
        " JOIN event ON event.id = event_id LEFT JOIN series ON series.id = series_id ORDER BY announcement.id"
    )
    for row in rows:
        place = places.of(urls.announcement_url(row["event"], row["slug"]))
        if place is None:
            continue
        told = {
            "title": row["title"],
            "event": row["event_title"],
            "source": row["source"],
            "day": (row["published"] or "")[:10],
            "tag": row["language"],
            "text": textwrap.shorten(row["text"] or "", SHOWN_LETTERS, placeholder=" …"),
            "address": place.link,
        }
        filters = [("of", ANNOUNCEMENT), ("event", row["event"]), ("series", row["series"])]
        filters += [("language", row["language"]), ("year", told["day"][:4])]
        said = "".join(f"<p>{escape(_spaced(each))}</p>" for each in (row["title"], row["text"]) if each)
        folder = place.file.removesuffix("index.html")
        name = f"{folder}~{ANNOUNCEMENT}-{quote(row['slug'], safe='')}.html"
        yield Document(_index_of(row["language"]), name, _page(row["title"], told, filters, said))


def _address(card: Card, tracks: tuple[Track, ...], track: Track | None, version: TrackTranscript | None) -> str:
    chosen = {}
    if track and version and version is not track.transcripts[0]:
        chosen["language"] = version.language
    if track and track is not tracks[0]:
        chosen["recording"] = track.key
    return urls.with_query(urls.session_url(card.event, card.slug), chosen)


def _index_of(language: str | None) -> str:
    """Return the name of a language's index: its first subtag (BCP-47), for Pagefind knows no more."""
    tag = (language or "und").partition("-")[0].lower()
    return tag if re.fullmatch("[a-z]{2}", tag) else _UNKNOWN


def _html(
    conn: Any, card: Card, series: str | None, abstract: str | None, version: TrackTranscript | None, link: str
) -> str:
    tag = version.language if version else card.language
    told = {
        "title": card.title,
        "event": card.event_title,
        "people": ", ".join(dict.fromkeys(each.name for each in card.people)),
        "day": card.day.isoformat() if card.day else "",
        "language": labels.language(tag) if tag else "",
        "tag": tag or "",
        "address": link,
    }
    filters = [("of", SESSION), ("event", card.event), ("language", tag), ("track", card.track), ("series", series)]
    filters += [("kind", card.kind), ("year", str(card.day.year) if card.day else None)]
    filters += [("person", each.slug) for each in card.people]
    about = [card.title, card.subtitle, card.track, told["people"], abstract]
    lines = recordings.lines(conn, version.id) if version else ()
    said = "".join(
        f'<span id="{line.start_ms}"></span>{escape(_spaced(line.text))} '
        for line in lines
        if not line.flags and not line.redacted
    )
    body = "".join(f"<p>{escape(_spaced(each))}</p>" for each in about if each)
    return _page(card.title, told, filters, f"{body}<p>{said}</p>")


def _page(title: str, told: Mapping[str, str | None], filters: Iterable[tuple[str, str | None]], body: str) -> str:
    head = "".join(_meta("meta", name, value) for name, value in told.items() if value)
    head += "".join(_meta("filter", name, value) for name, value in filters if value)
    return (
        f"<!doctype html><html><head><title>{escape(title)}</title>{head}</head>"
        f"<body data-pagefind-body>{body}</body></html>"
    )


def _meta(kind: str, name: str, value: str) -> str:
    return f'<meta data-pagefind-{kind}="{name}[content]" content="{escape(value)}">'


def _spaced(text: str) -> str:
    """Return a text as Pagefind is to take it apart: at spaces, which are put in where words stand without any.

    It would find ``either/or`` by its first word alone. Characters of scripts without spaces are words of their own.
    """
    parted = _GLUED.sub(lambda found: f"{found[0]}{_GLUE} ", text)
    return _WITHOUT_SPACES.sub(lambda found: f" {found[0]} ", parted)


def digest(found: list[Document]) -> str:
    """Return what changes when an index would."""
    return hashlib.sha256(repr((found, _version())).encode()).hexdigest()


def write_index(found: list[Document], work: Path) -> Iterator[tuple[str, bytes]]:
    """Yield the files of the index, by their paths in the site's folder.

    Args:
        found: what is indexed.
        work: an empty folder for as long as it takes.

    Raises:
        MissingExtraError: Pagefind is not installed.
        ArchiveError: it could not make the index.
    """
    program = find_program()
    languages = sorted({each.language for each in found})
    for language in languages:
        pages, made = work / language / "pages", work / language / "index"
        for each in found:
            if each.language == language:
                file = pages / each.name
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(each.html, encoding="utf-8")
        command = [program, "--site", pages, "--output-path", made, "--force-language", language, "--silent"]
        done = subprocess.run(list(map(str, command)), capture_output=True, check=False)  # noqa: S603  # no shell is asked
        if done.returncode:
            raise ArchiveError(f"Pagefind could not make the index: {done.stderr.decode(errors='replace').strip()}")
        for file in sorted(made.rglob("*")):
            if file.is_file() and _READ_BY_BROWSERS.fullmatch(file.name):
                yield f"{FOLDER}/{language}/{file.relative_to(made).as_posix()}", file.read_bytes()
    yield LANGUAGES, json.dumps(languages).encode()


def find_program() -> Path:
    """Return where Pagefind's program is.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        # An extra, which only writing the site to files needs.
        from pagefind.service import get_executable
    except ImportError:
        raise MissingExtraError("static", "search in a site of files") from None
    if (found := get_executable()) is None:
        raise MissingExtraError("static", "search in a site of files")
    return Path(found)


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return version("pagefind")
    except PackageNotFoundError:
        return ""
