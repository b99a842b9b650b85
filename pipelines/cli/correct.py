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
from archive.catalogue.addresses import person_at
from archive.catalogue.corrections import Correction
from archive.catalogue.rows import find_person, read_event, read_session
from archive.catalogue.sessions import find_session
from archive.connection import transaction
from archive.errors import UnknownSubjectError
from pipelines.cli.base import Examples, ExamplesGroup, archive_option, cli, emit, json_option, session_name, user_name
from pipelines.cli.display import err
from pipelines.cli.release import publish_copies
from pipelines.cli.work import finish
from pipelines.exchange.corrections import read
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


@correct.command("event", **_examples('rostra correct event winter-school-12 title="Winter School"'))
@click.argument("event")
@_options
def correct_event(root: Path, event: str, values: tuple[str, ...], by: str | None, as_json: bool) -> None:
    """Correct EVENT (its slug): title, subtitle, description, start_date, end_date, time_zone.

    A field without a value is emptied. The address stays.
    """
    with taking_turns(root) as context:
        ours = read_event(context.db, event)
        done = _apply(context, corrections.correct_event, event, values=read("event", ours, values), by=by)
    _tell(done, as_json=as_json)


@correct.command(
    "session",
    **_examples(
        'rostra correct session opening title="What an archive owes" language=en',
        'rostra correct session winter-school-12/opening people="Noor Okafor; Ken Watanabe"',
        "rostra correct session opening start=2022-02-19T18:30 planned=45m",
    ),
)
@click.argument("session")
@_options
def correct_session(root: Path, session: str, values: tuple[str, ...], by: str | None, as_json: bool) -> None:
    """Correct SESSION (its slug, or EVENT/SESSION).

    Fields are title, subtitle, people (names with semicolons between), start, planned, room, track, kind,
    language and abstract. One without a value is emptied. The address stays.
    """
    with taking_turns(root) as context:
        found = find_session(context.db, *session_name(session))
        ours = read_session(context.db, found.event, found.slug)
        meant = read("session", ours, values, found.time_zone)
        done = _apply(context, corrections.correct_session, found.event, found.slug, values=meant, by=by)
    _tell(done, as_json=as_json)


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


def _apply(
    context: Context,
    correct: Callable[..., list[Correction]],
    *subject: str,
    values: dict[str, Any],
    by: str | None,
) -> list[Correction]:
    with transaction(context.db):
        return correct(context.db, *subject, values, by=by or user_name(), at=timestamp())


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
