"""The parts of a recording, as podcast players read them."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import msgspec

from archive.site.http.respond import respond
from archive.site.published import current
from archive.site.records import Reader
from archive.site.render import argument, not_found
from archive.site.session_page.divisions import divisions
from archive.site.settings import site_settings
from metadata.captions.podcast_chapters import FORMAT

MEDIA_TYPE = FORMAT.media_type
VERSION = "1.2.0"


async def chapters(datasette: Any, request: Any) -> Any:
    """``/events/EVENT/SESSION/chapters.json?recording=…``: the parts of a recording, as podcast players read them.

    Whether nobody made them and a program proposes them is said in a field of ours, which players pass over.

    Source: https://github.com/Podcastindex-org/podcast-namespace/blob/main/docs/examples/chapters/jsonChapters.md.
    """
    event, slug = unquote(request.url_vars["event"]), unquote(request.url_vars["session"])
    wanted, settings, database = argument(request, "recording"), site_settings(datasette), current(datasette)

    def read(conn: Any) -> bytes | None:
        reader = Reader(conn, settings, database.publication.built_at)
        session = reader.session(event, slug)
        found = [each for each in session.recordings if wanted in {"", each.key}] if session else []
        if session is None or not found:
            return None
        people = {each.slug for each in session.people}
        played = found[0]
        parts, made = divisions(
            conn, played.sha256, played.duration_ms, session.title, kind=session.kind, people=people
        )
        if not parts:
            return None
        named = [
            {"startTime": each.start_ms / 1000, "endTime": each.end_ms / 1000, "title": each.title} for each in parts
        ]
        proposed = {} if made else {"proposed": True}
        return msgspec.json.encode({"version": VERSION, "title": session.title, **proposed, "chapters": named})

    body = await database.execute_fn(read)
    return await not_found(datasette, request) if body is None else respond(body, MEDIA_TYPE)
