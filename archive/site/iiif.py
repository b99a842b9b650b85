"""Sessions for viewers of libraries: IIIF Presentation 3 manifests, with captions, and a search within.

Sources: https://iiif.io/api/presentation/3.0/ and https://iiif.io/api/search/2.0/. A recording is a canvas in time;
what was said are annotations at their seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import unquote

from archive import urls
from archive.search.hits import Hit
from archive.site.http.respond import respond_json
from archive.site.published import current, search_in
from archive.site.records import File, Reader, Recording, Segment, Session
from archive.site.render import argument, not_found
from archive.site.settings import site_settings
from metadata.times import format_seconds

PRESENTATION = "http://iiif.io/api/presentation/3/context.json"
SEARCH = "http://iiif.io/api/search/2/context.json"
MEDIA_TYPE = f'application/ld+json;profile="{PRESENTATION}"'
MAX_SEGMENTS = 50_000
MAX_HITS = 100
_KINDS = {"video": "Video", "audio": "Sound"}
_RIGHTS = ("http://creativecommons.org/", "https://creativecommons.org/", "http://rightsstatements.org/")


async def manifest(datasette: Any, request: Any) -> Any:
    """``/events/EVENT/SESSION/manifest.json``: the session."""
    searched = not site_settings(datasette).static
    return await _respond(datasette, request, lambda _, session: write_manifest(session, searched=searched))


async def transcript(datasette: Any, request: Any) -> Any:
    """``/events/EVENT/SESSION/annotations-1.json``: what was said in a recording, by segment."""
    nth = int(request.url_vars["number"])

    def read(reader: Reader, session: Session) -> dict[str, Any] | None:
        recording = session.recordings[nth - 1] if 1 <= nth <= len(session.recordings) else None
        if recording is None or recording.transcript is None:
            return None
        segments = reader.segments(recording.transcript.version, -1, MAX_SEGMENTS, words=False)
        items = [
            _said(session, nth, each, each.language or recording.transcript.language)
            for each in segments
            if not each.flags
        ]
        return {"@context": PRESENTATION, **_page(_id(session, f"annotations-{nth}.json"), items)}

    return await _respond(datasette, request, read)


async def search(datasette: Any, request: Any) -> Any:
    """``/events/EVENT/SESSION/search.json?q=…``: the moments in which something was said."""
    query = argument(request, "q")

    def read(reader: Reader, session: Session) -> dict[str, Any]:
        found = search_in(datasette, reader.conn).search(
            query, event=session.event.slug, session=session.slug, limit=MAX_HITS
        )
        hits = [each for each in found.hits if each.end_ms] if query else []
        where = reader.settings.absolute(request.path) + (f"?{request.query_string}" if request.query_string else "")
        return {"@context": SEARCH, **_page(where, list(_found(session, hits)))}

    return await _respond(datasette, request, read)


async def _respond(datasette: Any, request: Any, read: Any) -> Any:
    event, slug = unquote(request.url_vars["event"]), unquote(request.url_vars["session"])
    settings, database = site_settings(datasette), current(datasette)

    def read_all(conn: Any) -> dict[str, Any] | None:
        reader = Reader(conn, settings, database.publication.built_at)
        session = reader.session(event, slug)
        return read(reader, session) if session and session.played else None

    body = await database.execute_fn(read_all)
    return await not_found(datasette, request) if body is None else respond_json(body, media_type=MEDIA_TYPE)


def write_manifest(session: Session, *, searched: bool) -> dict[str, Any]:
    """Return the manifest of a session that was recorded; ``searched`` is whether a program searches it."""
    first = session.played or session.recordings[0]
    made = {
        "@context": PRESENTATION,
        "id": _id(session, urls.MANIFEST),
        "type": "Manifest",
        "label": _text(session.title, session.language),
        "metadata": [_pair(name, values) for name, values in _facts(session) if values],
        "homepage": [{"id": session.url, "type": "Text", "label": _text(session.title), "format": "text/html"}],
        "items": [
            _canvas(session, nth, each, each.file) for nth, each in enumerate(session.recordings, 1) if each.file
        ],
    }
    if session.abstract:
        made["summary"] = _text(session.abstract)
    if first.credit:
        made["requiredStatement"] = _pair("Recording", [first.credit])
    if (licence := first.licence) and licence.startswith(_RIGHTS):
        made["rights"] = licence.replace("https://creativecommons.org/", "http://creativecommons.org/")
    if first.poster:
        made["thumbnail"] = [{"id": first.poster.url, "type": "Image", "format": first.poster.media_type}]
    if searched and any(each.transcript for each in session.recordings if each.file):
        made["service"] = [{"id": _id(session, "search.json"), "type": "SearchService2"}]
    return made


def _facts(session: Session) -> Iterator[tuple[str, list[str]]]:
    yield "Speaker", [each.name for each in session.people]
    yield "Event", [session.event.title]
    yield "Date", [session.start or session.day or ""] if session.start or session.day else []
    yield "Track", [session.track] if session.track else []


def _canvas(session: Session, nth: int, recording: Recording, media: File) -> dict[str, Any]:
    name = _canvas_id(session, nth)
    seconds = (recording.duration_ms or 1000) / 1000
    # A canvas has its own measure, which the picture fills.
    measure = {"duration": seconds, **({"width": 1280, "height": 720} if recording.kind == "video" else {})}
    file = {"type": _KINDS[recording.kind], "id": media.url, "format": media.media_type}
    painting = _annotation(f"{name}/recording", "painting", file | measure, name)
    made = {
        "id": name,
        "type": "Canvas",
        "label": _text(f"{recording.role.capitalize()}{f', {recording.language}' if recording.language else ''}"),
        "items": [_page(f"{name}/page", [painting])],
        **measure,
    }
    if transcript := recording.transcript:
        caption = _caption(transcript.written_as("vtt"), transcript.language)
        shown = _annotation(f"{name}/captions", "supplementing", caption, name)
        said = {"id": _id(session, f"annotations-{nth}.json"), "type": "AnnotationPage", "label": _text("Transcript")}
        made["annotations"] = [_page(f"{name}/captions/page", [shown]), said]
    return made


def _caption(vtt: File, language: str) -> dict[str, Any]:
    return {
        "id": vtt.url,
        "type": "Text",
        "format": "text/vtt",
        "language": language,
        "label": _text(f"Captions, {language}"),
    }


def _said(session: Session, nth: int, segment: Segment, language: str) -> dict[str, Any]:
    name = _canvas_id(session, nth)
    body = {"type": "TextualBody", "value": segment.text.strip(), "language": language, "format": "text/plain"}
    target = _span(name, segment.start_ms, segment.end_ms)
    return _annotation(f"{name}/segment-{segment.position}", "supplementing", body, target)


def _found(session: Session, hits: Iterable[Hit]) -> Iterator[dict[str, Any]]:
    said = {each.transcript.version: (nth, each) for nth, each in enumerate(session.recordings, 1) if each.transcript}
    for at, hit in enumerate(hits, 1):
        nth, recording = said.get(hit.transcript or "", (1, session.recordings[0]))
        if recording.file is None:
            continue  # what is played elsewhere has no canvas
        name = _canvas_id(session, nth)
        body = {"type": "TextualBody", "value": hit.text, "language": hit.language, "format": "text/plain"}
        yield _annotation(f"{name}/found-{at}", "highlighting", body, _span(name, hit.start_ms, hit.end_ms))


def _span(canvas: str, start_ms: int, end_ms: int) -> str:
    return f"{canvas}#t={format_seconds(start_ms)},{format_seconds(end_ms)}"


def _annotation(name: str, motivation: str, body: dict[str, Any], target: str) -> dict[str, Any]:
    return {"id": name, "type": "Annotation", "motivation": motivation, "body": body, "target": target}


def _page(name: str, items: list[dict[str, Any]]) -> dict[str, Any]:
    return {"id": name, "type": "AnnotationPage", "items": items}


def _pair(name: str, values: list[str]) -> dict[str, Any]:
    return {"label": {"en": [name]}, "value": {"none": [_plain(each) for each in values]}}


def _text(text: str, language: str | None = None) -> dict[str, list[str]]:
    return {language or "none": [_plain(text)]}


def _plain(text: str) -> str:
    """Return a text so that no viewer takes it for HTML, as which counts what is between ``<`` and ``>``.

    Source: https://iiif.io/api/presentation/3.0/#45-html-markup-in-property-values, which recommends the space.
    """
    return f"{text} " if text.startswith("<") and text.endswith(">") else text


def _id(session: Session, name: str) -> str:
    return urls.beside(session.url, name)


def _canvas_id(session: Session, nth: int) -> str:
    return f"{session.url}/canvas/{nth}"
