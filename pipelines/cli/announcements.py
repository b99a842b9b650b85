"""What organisers published about an event, by hand: ``rostra announce``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import click
from rich.markup import escape

from archive.catalogue.addresses import event_at
from archive.catalogue.announcements import State, announce, find_event_id, read_announcements, set_state
from archive.catalogue.rows import touch
from archive.connection import transaction
from metadata.model import Announcement
from pipelines.cli.base import archive_option, command, emit, json_option
from pipelines.cli.display import echo, err
from pipelines.exchange.announcements import ImportedFeed, by_hand
from pipelines.storage.archive_folder import open_archive_readonly, taking_turns


@command(
    "rostra announce winter-school-12",
    'rostra announce winter-school-12 "Registration is open" --on 2022-01-10 --url https://example.org/news/1',
    "rostra announce winter-school-12 --private 2022-01-10-registration-is-open",
    "rostra import https://example.org/news/feed.atom --announcements winter-school-12",
    name="announce",
)
@click.argument("event")
@click.argument("title", required=False)
@click.option("--text", help="What it says; empty lines part paragraphs.")
@click.option("--on", "day", help="The date on which it was published.")
@click.option("--url", help="Its address on the web.")
@click.option("--source", help="Who published it.")
@click.option("--language", help="A BCP-47 tag, an ISO 639 code or an English name.")
@click.option("--private", "hide", metavar="SLUG", help="Take an announcement back; no feed publishes it again.")
@click.option("--public", "show", metavar="SLUG", help="Publish one again that was taken back.")
@click.option("--delete", metavar="SLUG", help="Delete one; no feed brings it back.")
@json_option
@archive_option
def announce_(
    root: Path,
    event: str,
    title: str | None,
    text: str | None,
    day: str | None,
    url: str | None,
    source: str | None,
    language: str | None,
    hide: str | None,
    show: str | None,
    delete: str | None,
    as_json: bool,
) -> None:
    """List, write and take back what organisers published about EVENT (its slug).

    With a TITLE, one is written; without, all are listed in order of time. They stand on the event's page, and are
    found apart from what was said.
    """
    states: dict[State, str | None] = {"private": hide, "public": show, "deleted": delete}
    wanted: list[tuple[State, str]] = [(state, slug) for state, slug in states.items() if slug]
    if len({slug for _, slug in wanted}) < len(wanted):
        raise click.UsageError("say one of --private, --public and --delete of an announcement")
    if title is None and not wanted and any((text, day, url, source, language)):
        raise click.UsageError("an announcement needs a TITLE")
    if title is None and not wanted:
        _list(root, event, as_json=as_json)
        return
    made = by_hand(title, text=text, url=url, day=day, source=source, language=language) if title is not None else None
    slugs = _write(root, event, made, wanted)
    if as_json:
        emit({"event": event, "slugs": slugs})
    else:
        done = [f"{slug} {SAID[state]}" for state, slug in wanted] + [
            f"{slug} was written" for slug in slugs[len(wanted) :]
        ]
        err.print(f"{escape('; '.join(done))}. Next: [bold]rostra run[/]")


SAID: dict[State, str] = {"private": "is private", "public": "is public again", "deleted": "is deleted"}


def _write(root: Path, event: str, made: Announcement | None, wanted: list[tuple[State, str]]) -> list[str]:
    with taking_turns(root) as context, transaction(context.db):
        event = event_at(context.db, event)
        for state, slug in wanted:
            set_state(context.db, event, slug, state)
        slugs = [slug for _, slug in wanted]
        if made:
            slugs.append(announce(context.db, event, made))
        touch(context.db)
    return slugs


def _list(root: Path, event: str, *, as_json: bool) -> None:
    with open_archive_readonly(root) as context:
        known = read_announcements(context.db, find_event_id(context.db, event_at(context.db, event)))
    if as_json:
        emit([asdict(each) for each in known])
        return
    for each in known:
        echo(f"{each.day or '—':10}  {each.slug}{'  (private)' if each.private else ''}\n            {each.title}")
    if not known:
        err.print("No announcements. Next: [bold]rostra import FEED --announcements EVENT[/]")


def tell_feed(done: ImportedFeed, show: Callable[[list[str]], None], *, dry_run: bool) -> None:
    """Say what a feed did, or would do."""
    would = "would be " if dry_run else ""
    counts = [
        f"{len(slugs)} {would}{verb}"
        for slugs, verb in ((done.done.added, "added"), (done.done.changed, "changed"))
        if slugs
    ]
    said = ", ".join(counts) or "none changed"
    err.print(f"[bold]{escape(done.source)}[/]\n  announcements: {said}; {done.done.unchanged} as before")
    show([f"~ {slug}" for slug in done.done.changed])
    show([f"! {slug}: gone from the feed, and still published; --private takes it back" for slug in done.done.gone])
    show([f"! {slug}: taken back here; it stays so" for slug in done.done.kept])
    show([f"? {doubt}" for doubt in done.doubts])
