"""Moments by addresses that stay: ``rostra cite``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import click
from rich.markup import escape

from archive.anchoring.matching import Quote, find
from archive.anchoring.resolving import LIKE
from archive.errors import UnknownSubjectError
from archive.index.tokens import words as tokens_of
from archive.publication.folder import read_names
from archive.site.cited.addresses import Address, BadAddressError, parse
from archive.site.cited.reading import Shown, read
from archive.site.cited.resolving import find_published, read_spoken
from archive.site.published import read_publication
from archive.site.queries import Tombstone
from archive.site.session_page import citing
from archive.site.session_page.moments import LINK, source_of
from archive.site.session_page.page import TimeSpan
from archive.site.session_page.recordings import session as session_page
from archive.site.settings import LOCAL_URL, SiteSettings
from archive.sqlite import sqlite3
from archive.urls import CITE
from metadata.errors import InvalidTimeError
from metadata.times import format_clock, parse_offset
from pipelines.cli.base import archive_option, command, emit, json_option, session_name
from pipelines.cli.display import err, out
from pipelines.storage.archive_folder import open_archive_readonly

STYLES = (*citing.TEXTS, *citing.FILES, LINK)


@command(
    "rostra cite opening --at 12:31 --to 12:40",
    'rostra cite opening --words "what an archive owes its listeners" --style bibtex',
    "rostra cite opening --style link",
    "rostra cite 'https://example.org/cite/3f9ac21b07d4/5f3a91c2?t=61.2,75&words=what+an+archive+owes'",
    more="Other citation styles are at the page's address with /cite at its end.",
)
@click.argument("subject", metavar="SESSION|ADDRESS")
@click.option("--at", "moment", help="When the moment begins: 12:31, or 75.2 (seconds).")
@click.option("--to", "until", help="When it ends.")
@click.option("--words", help="What is said: the moment is where it is.")
@click.option("--style", type=click.Choice(STYLES), default="apa", show_default=True, help="How it is written.")
@json_option
@archive_option
def cite(
    root: Path, subject: str, moment: str | None, until: str | None, words: str | None, style: str, as_json: bool
) -> None:
    """Cite SESSION (its slug, or EVENT/SESSION), or a moment of it, by an address that stays.

    Of an ADDRESS that was cited, say where the moment is now, how sure that is, and what has changed. Both are told of
    what is published: whatever is private has no address.
    """
    with _published(root) as (conn, settings):
        if f"{CITE}/" in subject:
            if moment or until or words:
                raise click.UsageError("the address says which moment it is: leave --at, --to and --words out")
            _say_whose(subject, settings)
            _tell(conn, _address(subject), settings, as_json=as_json)
            return
        event, slug = _named(conn, subject)
        span = _span(conn, event, slug, moment, until, words)
        source = source_of(conn, settings, event, slug, span=span)
    if settings.url == LOCAL_URL.rstrip("/"):
        err.print("[yellow]This address leads to this machine only:[/] set site.url in rostra.toml, then rostra run")
    if source is None:
        raise UnknownSubjectError("session", subject)
    written = _write(source[1], style)
    if as_json:
        emit({"address": source[1].url, "start_ms": source[1].start_ms, "end_ms": source[1].end_ms, style: written})
    else:
        click.echo(written.rstrip("\n"))
        if style not in {LINK, *citing.FILES}:
            err.print(f"The address that stays: {escape(source[1].url)}")


@contextmanager
def _published(root: Path) -> Iterator[tuple[sqlite3.Connection, SiteSettings]]:
    """Open what an archive has published, and yield it with the site's settings."""
    with open_archive_readonly(root) as context:
        public = context.layout.public
        names = read_names(public)
    database = read_publication(public).database
    conn = sqlite3.connect(f"{database.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    conn.row_factory = sqlite3.Row
    try:
        yield conn, SiteSettings(names.title or None, (names.url or LOCAL_URL).rstrip("/"))
    finally:
        conn.close()


def _named(conn: sqlite3.Connection, subject: str) -> tuple[str, str]:
    event, slug = session_name(subject)
    rows = find_published(conn, event, slug)
    if len(rows) != 1:
        raise UnknownSubjectError("session", subject)
    return rows[0]


def _span(
    conn: sqlite3.Connection, event: str, slug: str, moment: str | None, until: str | None, words: str | None
) -> TimeSpan | None:
    """Return the moment that is meant; None for the whole session."""
    try:
        start, end = (parse_offset(each) if each else None for each in (moment, until))
    except InvalidTimeError as error:
        raise click.BadParameter(str(error), param_hint="--at or --to") from None
    if words is None:
        if end is not None and start is None:
            raise click.UsageError("--to needs --at")
        if start is not None and end is not None and end <= start:
            raise click.UsageError(f"--to {until} is not after --at {moment}")
        return None if start is None else TimeSpan(start, end)
    page = session_page(conn, event, slug)
    version = page.tracks[0].transcripts[0] if page and page.tracks and page.tracks[0].transcripts else None
    said = read_spoken(conn, version.id) if version else None
    places = find(said, Quote(tuple(tokens_of(words)))) if said else []
    if said is None or not places or places[0].score < LIKE:
        raise click.UsageError(f"nobody says {words!r} in {event}/{slug}; look with: rostra search")
    alike = [place for place in places if place.score >= places[0].score - 0.05]
    place = min(alike, key=lambda each: abs(said.starts[each.first] - (start or 0)))
    if len(alike) > 1 and start is None:
        err.print(f"It is said {len(alike)} times; this is the first. Another one: --at")
    return TimeSpan(said.starts[place.first], said.ends[place.end - 1])


def _write(source: citing.Source, style: str) -> str:
    if style == LINK:
        return source.url
    return citing.FILES[style][0](source) if style in citing.FILES else citing.text(source, style)


def _address(text: str) -> Address:
    """Return the address of a moment that somebody gives.

    Raises:
        UsageError: it is none.
    """
    parts = urlsplit(text.strip())
    names = parts.path.partition(f"{CITE}/")[2].strip("/").removesuffix(".jsonld").split("/")
    if len(names) != 2:
        raise click.UsageError("this is no moment's address: expected …/cite/SESSION/VERSION?t=SECONDS&words=WORDS")
    given = {name: values[0] for name, values in parse_qs(parts.query).items()}
    try:
        return parse(names[0], names[1], lambda name: given.get(name, ""))
    except BadAddressError as error:
        raise click.UsageError(str(error)) from None


def _say_whose(subject: str, settings: SiteSettings) -> None:
    """Say so where an address is another site's: whoever moved a site looks for old ones here."""
    theirs, ours = urlsplit(subject.strip()).hostname, urlsplit(settings.url).hostname
    if theirs and theirs != ours:
        err.print(
            f"[yellow]{escape(theirs)} is not this archive's site ({escape(str(ours))}): it is looked up here.[/]"
        )


def _tell(conn: sqlite3.Connection, address: Address, settings: SiteSettings, *, as_json: bool) -> None:
    found = read(conn, address)
    if found is None:
        raise UnknownSubjectError("moment", settings.absolute(address.path))
    if isinstance(found, Tombstone):
        told: dict[str, Any] = {"state": "withdrawn", "withdrawn_on": found.withdrawn_on, "reason": found.reason}
    else:
        told = _outcome(found, settings)
    if as_json:
        emit(told)
        return
    for line in _lines(told):
        out.print(line)


def _outcome(found: Shown, settings: SiteSettings) -> dict[str, Any]:
    outcome = found.outcome
    told: dict[str, Any] = {"state": outcome.state, "session": f"{found.page.card.event}/{found.page.card.slug}"}
    if outcome.state == "withheld":
        return told
    placed = outcome.state != "lost"
    return told | {
        "url": settings.absolute(found.path if placed else found.session_path),
        "start_ms": outcome.start_ms if placed else None,
        "end_ms": outcome.end_ms if placed else None,
        "cited_version": outcome.cited_version,
        "version": outcome.stand.version if outcome.stand else None,
        "as_cited": outcome.as_cited,
        "as_now": outcome.as_now,
        "differences": [each._asdict() for each in outcome.differences],
        "notes": list(outcome.notes),
    }


STATES = {
    "certain": "This is the moment that was cited.",
    "uncertain": "It is not certain that this is the moment that was cited.",
    "lost": "This moment is not in what is published of the session now.",
    "withheld": "What was said at this moment has been taken back.",
    "withdrawn": "The session has been withdrawn.",
}
NOTES = {
    "words": "Its words have changed since.",
    "time": "It was at another time.",
    "corrected": "People have corrected the transcript since.",
    "heard again": "The recording was transcribed anew since.",
    "recording": "Another cut of the recording has taken the place of the one that was cited.",
    "unconfirmed": "Nothing confirms that the words in the address were ever in the transcript.",
    "unknown version": "The version of the transcript that the address names is not known here.",
}


def _lines(told: dict[str, Any]) -> Iterator[str]:
    yield f"[bold]{STATES[told['state']]}[/]"
    yield from (NOTES[note] for note in told.get("notes", ()))
    if told.get("start_ms") is not None:
        yield f"{format_clock(told['start_ms'])}  {escape(told['url'])}"
    if told.get("as_cited") and told["differences"]:
        yield f"as cited: {escape(told['as_cited'])}"
    if told.get("as_now"):
        yield f"as it stands: {escape(told['as_now'])}"
