"""Corrections by hand: ``rostra correct event``, ``session`` and ``person``."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import click
from rich.markup import escape

from archive.catalogue import corrections
from archive.catalogue.addresses import event_at, holds, person_at, slug_for
from archive.catalogue.corrections import Correction
from archive.catalogue.rows import find_person, read_event, read_session
from archive.catalogue.sessions import find_session
from archive.connection import transaction
from archive.errors import UnknownSubjectError
from archive.publication.taking_back import take_texts_back
from metadata.model import Event, Session
from metadata.timetables.slugs import make_slug
from pipelines.cli.base import Examples, ExamplesGroup, archive_option, cli, emit, json_option, session_name, user_name
from pipelines.cli.display import err
from pipelines.cli.release import publish_copies, publish_taken_back
from pipelines.cli.work import finish
from pipelines.exchange.corrections import check_taken_back, read
from pipelines.storage.archive_folder import Context, taking_turns, timestamp


@cli.group(
    cls=ExamplesGroup,
    examples=(
        'rostra correct session winter-school-12/opening title="What an archive owes"',
        'rostra correct person noor-okafor name="Noor Okafor"',
    ),
)
def correct() -> None:
    """Correct a title, a name, an hour by hand: no import writes over it again."""


def _options(function: Callable[..., Any]) -> Callable[..., Any]:
    by = click.option("--by", help="Who says so.  [default: the user's name on this machine]")
    values = click.argument("values", nargs=-1, required=True, metavar="FIELD=VALUE...")
    return values(by(json_option(archive_option(function))))


def _examples(*lines: str) -> dict[str, Any]:
    return {"cls": Examples, "examples": lines}


_take_back = click.option(
    "--take-back",
    "taking_back",
    is_flag=True,
    help="Let nothing hold what stood there, and old addresses lead nowhere.",
)


@correct.command(
    "event",
    **_examples(
        'rostra correct event winter-school-12 title="Winter School"',
        "rostra correct event winter-school-12 slug=winter-school-2012",
    ),
)
@click.argument("event")
@_options
@_take_back
def correct_event(
    root: Path, event: str, values: tuple[str, ...], by: str | None, as_json: bool, taking_back: bool
) -> None:
    """Correct EVENT (its slug): title, subtitle, description, start_date, end_date, time_zone, slug.

    A field without a value is emptied. The address stays until the slug is corrected; then the old one leads to it.

    With --take-back, nothing that is published holds what stood there, and the catalogue forgets it. If the address
    holds a word that the title loses, it follows the title; old addresses lead nowhere. It is published at once.
    """
    with taking_turns(root) as context:
        event = event_at(context.db, event)
        ours = read_event(context.db, event)
        meant = read("event", ours, values)
        if taking_back and _follows(ours, meant):
            meant["slug"] = slug_for(context.db, meant["title"], event)
        done = _apply(context, corrections.correct_event, event, values=meant, by=by, taking_back=taking_back)
        if taking_back:
            publish_taken_back(context, as_json=as_json)
    _tell(done, as_json=as_json)
    _offer(f"event {event}", ours, meant, as_json=as_json)


@correct.command(
    "session",
    **_examples(
        'rostra correct session opening title="What an archive owes" language=en',
        'rostra correct session winter-school-12/opening people="Noor Okafor; Ken Watanabe"',
        "rostra correct session opening start=2022-02-19T18:30 planned=45m",
        "rostra correct session opening slug=what-an-archive-owes",
        'rostra correct session opening title="A talk" abstract= --take-back',
    ),
)
@click.argument("session")
@_options
@_take_back
def correct_session(
    root: Path, session: str, values: tuple[str, ...], by: str | None, as_json: bool, taking_back: bool
) -> None:
    """Correct SESSION (its slug, or EVENT/SESSION).

    Fields are title, subtitle, people (names with semicolons between), start, planned, room, track, kind,
    language, abstract and slug. One without a value is emptied. The address stays until the slug is corrected; then
    the old one leads to it, and timetables that have the old slug or title mean the same session.

    With --take-back, nothing that is published holds what stood there, and the catalogue forgets it. If the address
    holds a word that the title loses, it follows the title; old addresses lead nowhere. It is published at once.
    """
    with taking_turns(root) as context:
        found = find_session(context.db, *session_name(session))
        ours = read_session(context.db, found.event, found.slug)
        meant = read("session", ours, values, found.time_zone)
        subject = (found.event, found.slug)
        if taking_back and _follows(ours, meant):
            meant["slug"] = slug_for(context.db, meant["title"], *subject)
        done = _apply(context, corrections.correct_session, *subject, values=meant, by=by, taking_back=taking_back)
        if taking_back:
            publish_taken_back(context, as_json=as_json)
    _tell(done, as_json=as_json)
    _offer(f"session {found.label}", ours, meant, as_json=as_json)


@correct.command("person", **_examples('rostra correct person noor-okafor name="Noor Okafor"'))
@click.argument("person")
@_options
@click.option("--take-back", "taking_back", is_flag=True, help="Let the old address, with the old name, lead nowhere.")
def correct_person(
    root: Path, person: str, values: tuple[str, ...], by: str | None, as_json: bool, taking_back: bool
) -> None:
    """Correct PERSON (the end of their page's address): name, biography.

    The address follows the name, and the old one leads to it. With --take-back it leads nowhere, and nothing that is
    published holds the old name. A field without a value is emptied.
    """
    with taking_turns(root) as context:
        ours = find_person(context.db, person_at(context.db, person))
        if ours is None:
            raise UnknownSubjectError("person", person)
        change = partial(corrections.correct_person, taken_back=taking_back)
        done = _apply(context, change, person, values=read("person", ours, values), by=by)
        if taking_back:
            finish(publish_copies(context, as_json=as_json))
    _tell(done, as_json=as_json)


def _follows(ours: Event | Session, meant: dict[str, Any]) -> bool:
    """Return whether the address holds a word that the title loses, and nobody says what it is to be."""
    return "slug" not in meant and "title" in meant and holds(ours.slug, ours.title, meant["title"])


def _offer(name: str, ours: Event | Session, meant: dict[str, Any], *, as_json: bool) -> None:
    """Say how the address can follow a title that it was made of."""
    if _follows(ours, meant) and not as_json:
        slug = make_slug(meant["title"])
        err.print(f"The address still is {ours.slug}. To change it: [bold]rostra correct {name} slug={slug}[/]")


def _apply(
    context: Context,
    correct: Callable[..., list[Correction]],
    *subject: str,
    values: dict[str, Any],
    by: str | None,
    taking_back: bool = False,
) -> list[Correction]:
    if taking_back:
        check_taken_back(values)
    with transaction(context.db):
        done = correct(context.db, *subject, values, by=by or user_name(), at=timestamp())
        if taking_back:
            take_texts_back(context.db, *subject, fields=values)
    return done


def _tell(done: list[Correction], *, as_json: bool) -> None:
    if as_json:
        emit([asdict(each) for each in done])
        return
    for each in done:
        err.print(f"{each.field}: {escape(_short(each.before))} → {escape(_short(each.after))}")
    err.print("No import writes over it. Next: [bold]rostra run[/]" if done else "It says so already; it stays.")


def _short(value: Any) -> str:
    if isinstance(value, list):
        return "; ".join(str(part[0] if isinstance(part, list) else part) for part in value) or "nothing"
    text = "nothing" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:59]}…"
