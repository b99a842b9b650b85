"""Pages to look around in: events with their timetables, people, series, languages, tracks and places."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from archive.site import queries
from archive.site.browsing import charts, indexes
from archive.site.browsing.timetable import grid, room_of
from archive.site.http.respond import respond
from archive.site.published import current
from archive.site.queries import Card, EventPage
from archive.site.render import argument, not_found, render
from archive.site.session_page import talking

FILTERS = ("track", "room", "language", "person", "recorded")
VIEWS = ("grid", "list")


async def events(datasette: Any, request: Any) -> Any:
    """``/events``: all of them, the latest first."""
    return await render(datasette, request, "events.html", lambda conn: {"events": queries.events(conn)})


async def event(datasette: Any, request: Any) -> Any:
    """``/events/EVENT?view=…&track=…``: the timetable, as a grid or a list, and what else is known of an event."""
    slug = unquote(request.url_vars["event"])
    chosen = {name: value for name in FILTERS if (value := argument(request, name))}

    def read(conn: Any) -> dict[str, Any] | None:
        page = queries.event(conn, slug)
        if page is None:
            return None
        days = [(day, tuple(card for card in cards if _wanted(card, chosen))) for day, cards in page.days]
        days = [(day, cards) for day, cards in days if cards]
        order = tuple(dict.fromkeys(room_of(card) for _, cards in page.days for card in cards))
        view = argument(request, "view")
        if view not in VIEWS:
            view = "grid" if _in_rooms(page) else "list"
        return {
            "event": page,
            "days": days,
            "grids": {day: grid(day, cards, order) for day, cards in days if day} if view == "grid" else {},
            "view": view,
            "views": VIEWS if any(card.start for _, cards in page.days for card in cards) else (),
            "chosen": chosen,
            "options": _options(page),
            "chart": charts.attendance(page.attendance),
            "shown": sum(len(cards) for _, cards in days),
            "talkers": talking.at_event(conn, slug),
        }

    return await render(datasette, request, "event.html", read)


async def person(datasette: Any, request: Any) -> Any:
    """``/people/PERSON``: a person's sessions by role, how long they spoke, and with whom."""
    slug = unquote(request.url_vars["person"])

    def read(conn: Any) -> dict[str, Any] | None:
        page = queries.person(conn, slug)
        if page is None:
            return None
        return {
            "person": page,
            "companions": indexes.companions(conn, slug),
            "talking": talking.by_person(conn, slug),
        }

    return await render(datasette, request, "person.html", read)


async def portrait(datasette: Any, request: Any) -> Any:
    """``/people/PERSON/portrait.jpg``: a picture of somebody."""
    slug = unquote(request.url_vars["person"])
    picture = await current(datasette).execute_fn(lambda conn: queries.portrait(conn, slug))
    return await not_found(datasette, request) if picture is None else respond(picture, "image/jpeg")


async def people(datasette: Any, request: Any) -> Any:
    """``/people``: everyone, by name."""

    def read(conn: Any) -> dict[str, Any]:
        letters: dict[str, list[indexes.Entry]] = {}
        for entry in indexes.people(conn):
            first = entry.label[:1].upper()
            letters.setdefault(first if first.isalpha() else "#", []).append(entry)
        return {"letters": letters}

    return await render(datasette, request, "people.html", read)


async def series_index(datasette: Any, request: Any) -> Any:
    """``/series``: all series."""
    return await render(datasette, request, "index.html", lambda conn: {"entries": indexes.series(conn)}, kind="series")


async def series(datasette: Any, request: Any) -> Any:
    """``/series/SERIES``: its editions side by side."""
    slug = unquote(request.url_vars["series"])

    def read(conn: Any) -> dict[str, Any] | None:
        page = indexes.series_page(conn, slug)
        return None if page is None else {"series": page, "most": max(each[0].sessions for each in page.editions)}

    return await render(datasette, request, "series.html", read)


async def tracks(datasette: Any, request: Any) -> Any:
    """``/tracks``: the tracks of all events."""
    return await render(datasette, request, "index.html", lambda conn: {"entries": indexes.tracks(conn)}, kind="track")


async def track(datasette: Any, request: Any) -> Any:
    """``/tracks/TRACK``: the sessions of a track, in all events."""
    name = unquote(request.url_vars["track"])
    return await _listing(datasette, request, "track", name, lambda conn: indexes.of_track(conn, name))


async def languages(datasette: Any, request: Any) -> Any:
    """``/languages``: what is spoken in the archive."""
    return await render(
        datasette,
        request,
        "index.html",
        lambda conn: {"entries": indexes.languages(conn)},
        kind="language",
    )


async def language(datasette: Any, request: Any) -> Any:
    """``/languages/TAG``: the sessions that were spoken in a language."""
    tag = unquote(request.url_vars["language"])
    return await _listing(datasette, request, "language", tag, lambda conn: indexes.in_language(conn, tag))


async def places(datasette: Any, request: Any) -> Any:
    """``/places``: where events were."""
    return await render(datasette, request, "places.html", lambda conn: {"countries": indexes.places(conn)})


async def _listing(datasette: Any, request: Any, kind: str, name: str, read: Callable[[Any], tuple[Card, ...]]) -> Any:
    def content(conn: Any) -> dict[str, Any] | None:
        cards = read(conn)
        return {"cards": cards, "kind": kind, "name": name} if cards else None

    return await render(datasette, request, "listing.html", content, most=indexes.SESSIONS_SHOWN)


def _in_rooms(page: EventPage) -> bool:
    """Whether sessions of a day are in several rooms."""
    return any(len({card.room for card in cards if card.start}) > 1 for _, cards in page.days)


def _wanted(card: Card, chosen: dict[str, str]) -> bool:
    return all(
        {
            "track": card.track == value,
            "room": card.room == value,
            "language": card.language == value,
            "person": any(credit.slug == value for credit in card.people),
            "recorded": bool(card.media),
        }[name]
        for name, value in chosen.items()
    )


def _options(page: EventPage) -> dict[str, list[tuple[str, str]]]:
    """Return what the timetable can be narrowed down to, by filter: values and how they read."""
    cards = [card for _, cards in page.days for card in cards]
    rooms = dict.fromkeys(card.room for card in cards if card.room)
    tongues = dict.fromkeys(card.language for card in cards if card.language)
    options = {
        "track": [(track, track) for track in page.tracks],
        "room": [(room, room) for room in rooms],
        "language": [(tag, "") for tag in tongues],
        "person": [(credit.slug, credit.name) for credit in page.people],
    }
    return {name: values for name, values in options.items() if len(values) > 1}
