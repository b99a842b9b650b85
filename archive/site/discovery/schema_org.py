"""Pages as linked data: JSON-LD in the vocabulary of https://schema.org, as search engines ask for it.

Sources: https://schema.org/VideoObject, /Clip, /SeekToAction, /Event, /Person, /BreadcrumbList, and
https://developers.google.com/search/docs/appearance/structured-data/video.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from archive import urls
from archive.site.labels import outside
from archive.site.records import Event, Person, Place, Reader, Recording, Session
from archive.site.session_page.divisions import Division, divisions
from archive.site.settings import SiteSettings

CONTEXT = "https://schema.org"
MODES = {"online": "Online", "hybrid": "Mixed", "in-person": "Offline"}


def iso_duration(ms: int) -> str:
    """Return a length as ISO 8601 has it: ``PT1H2M3S``."""
    minutes, seconds = divmod(round(ms / 1000), 60)
    hours, minutes = divmod(minutes, 60)
    return f"PT{f'{hours}H' if hours else ''}{f'{minutes}M' if minutes else ''}{seconds}S"


def site(settings: SiteSettings) -> dict[str, Any]:
    """Return the site, and how it is searched."""
    search = settings.absolute(urls.SEARCH) + "?q={search_term_string}"
    return {
        "@type": "WebSite",
        "@id": settings.absolute(urls.HOME) + "#site",
        "name": settings.name,
        "url": settings.absolute(urls.HOME),
        "potentialAction": {
            "@type": "SearchAction",
            "target": {"@type": "EntryPoint", "urlTemplate": search},
            "query-input": "required name=search_term_string",
        },
    }


def breadcrumbs(settings: SiteSettings, *steps: tuple[str, str]) -> dict[str, Any]:
    """Return the way to a page: names and paths, from the first page of the site on."""
    way = ((settings.name, urls.HOME), *steps)
    return {
        "@type": "BreadcrumbList",
        "itemListElement": [
            {"@type": "ListItem", "position": nth, "name": name, "item": settings.absolute(path)}
            for nth, (name, path) in enumerate(way, 1)
        ],
    }


def event(found: Event, sessions: Sequence[Session]) -> dict[str, Any]:
    """Return an event with its sessions."""
    return _filled(
        {
            "@type": "EventSeries" if found.sessions > 1 else "Event",
            "@id": found.url,
            "url": found.url,
            "name": found.title,
            "alternateName": found.subtitle,
            "description": found.description,
            "startDate": found.start_date,
            "endDate": found.end_date,
            "eventStatus": f"{CONTEXT}/EventScheduled",
            "eventAttendanceMode": f"{CONTEXT}/{MODES[found.mode]}EventAttendanceMode",
            "inLanguage": list(found.languages),
            "location": [_place(each) for each in found.places] or _online(found),
            "superEvent": _series(found),
            "sameAs": _same(found.links),
            "subEvent": [_part(each) for each in sessions],
        }
    )


def _series(found: Event) -> dict[str, Any] | None:
    return {"@type": "EventSeries", "name": found.series.title, "url": found.series.url} if found.series else None


def _place(place: Place) -> dict[str, Any]:
    if place.kind == "online":
        return {"@type": "VirtualLocation", "name": place.name}
    address = _filled({"@type": "PostalAddress", "addressLocality": place.city, "addressCountry": place.country})
    return {"@type": "Place", "name": place.name, **({"address": address} if len(address) > 1 else {})}


def _online(found: Event) -> list[dict[str, Any]]:
    """Return where an event is that has no place: on the web, if it is an event of the web."""
    return [{"@type": "VirtualLocation", "url": found.url}] if found.mode == "online" else []


def _where(found: Session, reader: Reader) -> list[dict[str, Any]]:
    """Return where a session is: in its room or place; where nobody knows more, at the places of its event."""
    event = reader.event(found.event.slug)
    places = [each for each in event.places if each.kind != "watch-party"] if event else []
    own = [_place(each) for each in places if each.name == found.place]
    if not own and (name := found.place or found.room):
        own = [{"@type": "Place", "name": name}]
    return own or [_place(each) for each in places] or (_online(event) if event else [])


def _part(session: Session) -> dict[str, Any]:
    return _filled(
        {
            "@type": "Event",
            "@id": session.url,
            "url": session.url,
            "name": session.title,
            "startDate": session.start or session.day,
            "endDate": session.ends.isoformat() if session.ends else None,
        }
    )


def session(found: Session, reader: Reader) -> dict[str, Any]:
    """Return a session, with its recording where there is one."""
    performers = [{"@type": "Person", "name": each.name, "url": each.url} for each in found.people]
    about = _part(found) | _filled(
        {
            "description": found.abstract,
            "inLanguage": found.language,
            "location": _where(found, reader),
            "performer": performers,
            "superEvent": {"@type": "Event", "name": found.event.title, "url": found.event.url},
        }
    )
    if found.recordings:
        about["recordedIn"] = _recording(found, found.played or found.recordings[0], reader, performers)
    return about


def _recording(
    found: Session, recording: Recording, reader: Reader, performers: list[dict[str, Any]]
) -> dict[str, Any]:
    transcript = recording.transcript
    return _filled(
        {
            "@type": "VideoObject" if recording.kind == "video" else "AudioObject",
            "@id": f"{found.url}#recording",
            "name": found.title,
            "description": found.abstract or f"{found.title}, {found.event.title}",
            "thumbnailUrl": recording.poster.url if recording.poster else None,
            "uploadDate": recording.pulled_at if recording.file else None,
            "duration": iso_duration(recording.duration_ms) if recording.duration_ms else None,
            "contentUrl": recording.file.url if recording.file else None,
            "embedUrl": reader.settings.absolute(urls.embed_url(found.event.slug, found.slug))
            if recording.file and recording is found.recordings[0]
            else None,
            "encodingFormat": recording.file.media_type if recording.file else None,
            "url": found.url,
            "sameAs": recording.elsewhere,
            "inLanguage": transcript.language if transcript else recording.language,
            "license": outside(recording.licence),
            "creditText": recording.credit,
            "actor" if recording.kind == "video" else "contributor": performers,  # as the vocabulary has it
            "transcript": reader.heard(recording),
            "hasPart": [
                _clip(found, each)
                for each in divisions(
                    reader.conn,
                    recording.sha256,
                    recording.duration_ms,
                    found.title,
                    kind=found.kind,
                    people={credit.slug for credit in found.people},
                )[0]
            ],
            "potentialAction": {
                "@type": "SeekToAction",
                "target": f"{found.url}?t={{seek_to_second_number}}",
                "startOffset-input": "required name=seek_to_second_number",
            }
            if recording.file
            else None,
        }
    )


def _clip(found: Session, part: Division) -> dict[str, Any]:
    _, _, query = urls.session_url(found.event.slug, found.slug, part.start_ms).partition("?")
    return {
        "@type": "Clip",
        "name": part.title,
        "startOffset": part.start_ms / 1000,
        "endOffset": part.end_ms / 1000,
        "url": f"{found.url}?{query}",
    }


def person(found: Person) -> dict[str, Any]:
    """Return a person."""
    return _filled(
        {
            "@type": "Person",
            "@id": found.url,
            "name": found.name,
            "url": found.url,
            "description": found.biography,
            "image": found.portrait.url if found.portrait else None,
            "sameAs": _same(found.links),
        }
    )


def _same(links: Iterable[Any]) -> list[str]:
    return [url for each in links if each.rel == "website" and (url := outside(each.url))]


def _filled(values: dict[str, Any]) -> dict[str, Any]:
    """Return those fields that say something."""
    return {name: value for name, value in values.items() if value not in (None, "", [], {})}
