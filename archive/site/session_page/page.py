"""A session's page: player, transcript, search within it; its captions as files, and when each word is said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlencode

from archive.search.hits import Hit
from archive.search.moments import GAP
from archive.search.sqlite_search import Results
from archive.site.http.respond import respond, respond_json
from archive.site.published import current, search_in
from archive.site.render import argument, not_found, render
from archive.site.session_page import recordings
from archive.site.session_page.chapters import Chapter
from archive.site.session_page.divisions import chapters_of
from archive.site.session_page.recordings import SessionPage, Track, TrackTranscript, chosen_track, chosen_version
from archive.site.session_page.talking import in_recording
from archive.site.session_page.transcript import (
    Line,
    Mark,
    hit_marks,
    lit_marks,
    paragraphs,
    place_words,
    unsure_marks,
)
from archive.site.settings import site_settings
from metadata.captions import FORMATS, WRITERS, without_speakers
from metadata.errors import InvalidTimeError
from metadata.names import readable_name
from metadata.times import format_seconds, parse_offset

BARS = 100
"""Columns of the histogram of hits on the timeline."""


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """What ``t=`` points at: a moment, or a part of the recording where it has an end; milliseconds."""

    start_ms: int
    end_ms: int | None

    @property
    def text(self) -> str:
        """It as an address has it: ``61.2`` or ``61.2,75``."""
        return ",".join(format_seconds(each) for each in (self.start_ms, self.end_ms) if each is not None)


def parse_span(text: str) -> TimeSpan | None:
    """Return what ``t=`` points at; None where it cannot be read.

    >>> parse_span("61.2,75"), parse_span("1:01"), parse_span("soon")
    (TimeSpan(start_ms=61200, end_ms=75000), TimeSpan(start_ms=61000, end_ms=None), None)
    """
    first, comma, last = text.partition(",")
    try:
        start = parse_offset(first)
        end = parse_offset(last) if comma else None
    except InvalidTimeError:
        return None
    return TimeSpan(start, end if end is not None and end > start else None)


@dataclass(frozen=True, slots=True)
class FoundInSession:
    """What a search within a session found.

    Attributes:
        results: all of it, in order of time.
        here: the hits in the transcript that is shown.
        elsewhere: how many hits other recordings of the session have, by their keys.
    """

    results: Results
    here: tuple[Hit, ...]
    elsewhere: tuple[tuple[str | None, int], ...]


async def session(datasette: Any, request: Any) -> Any:
    """``/events/EVENT/SESSION?t=…``: the player and the transcript; ``q`` searches within the session."""
    event_slug, slug = unquote(request.url_vars["event"]), unquote(request.url_vars["session"])
    query, span = argument(request, "q"), parse_span(argument(request, "t"))
    wanted, tongue = argument(request, "recording"), argument(request, "language")

    def read(conn: Any) -> dict[str, Any] | None:
        page = recordings.session(conn, event_slug, slug)
        if page is None:
            return None
        track = chosen_track(page.tracks, wanted)
        if wanted and track is None:
            return None
        version = chosen_version(track, tongue) if track else None
        lines = recordings.lines(conn, version.id) if version else ()
        found = _find(datasette, conn, query, page, version) if query and lines else None
        first = track is None or track is page.tracks[0]
        chapters, made = _chapters(conn, page, track, version, lines)
        keep = {"recording": None if track is None or first else track.key}
        if track and version and version is not track.transcripts[0]:
            keep["language"] = version.language
        return {
            "session": page,
            "track": track,
            "version": version,
            "around": recordings.around(conn, page.card),
            "related": search_in(datasette, conn).related(page.card.id),
            "first": first,
            "paragraphs": (said := paragraphs(lines, _marks(conn, version, lines, found, span))),
            "talkers": in_recording(said),
            "now": (now := _spoken_at(lines, span)),
            "stop": next((line.position for line in lines if not line.redacted), None) if now is None else now,
            "found": found,
            "complete": found is None or found.results.complete,
            "chapters": chapters,
            "made": made,
            "bars": _bars(found.here, track.duration_ms) if found and track else (),
            "keep": {name: value for name, value in keep.items() if value},
            "picture": _picture(datasette, request, version) if span and version else None,
            "canonical": request.path + (f"?recording={track.key}" if track and not first else ""),
        }

    def address(**changed: str | None) -> str:
        """Return this page's address, with other values; None leaves one out."""
        shown = {name: argument(request, name) for name in ("recording", "language", "q", "t")} | changed
        return "?" + urlencode({name: value for name, value in shown.items() if value})

    return await render(
        datasette,
        request,
        "session.html",
        read,
        query=query,
        span=span,
        address=address,
        formats=tuple(FORMATS[name] for name in WRITERS),
    )


async def captions(datasette: Any, request: Any) -> Any:
    """``/events/EVENT/SESSION/captions.FORMAT``: the transcript of a recording, in any format that is written.

    ``speakers=no`` leaves out who speaks: in SRT and text, names would stand before what is said.
    """
    form = request.url_vars["format"]
    if form not in WRITERS:
        return await not_found(datasette, request)

    def read(conn: Any) -> tuple[str, str] | None:
        asked = _asked(conn, request)
        transcript = recordings.transcript(conn, asked[2].id) if asked else None
        if asked is None or transcript is None:
            return None
        page, track, version = asked
        role = None if track.role == "floor" else track.role
        day = page.card.day.isoformat() if page.card.day else None
        name = readable_name(day, page.card.event_title, page.card.title, role, version.language)
        if argument(request, "speakers") == "no":
            transcript = without_speakers(transcript)
        return WRITERS[form](transcript), name + FORMATS[form].suffix

    answer = await current(datasette).execute_fn(read)
    if answer is None:
        return await not_found(datasette, request)
    text, name = answer
    return respond(text, f"{FORMATS[form].media_type}; charset=utf-8", shown_as=name)


async def words(datasette: Any, request: Any) -> Any:
    """``/events/EVENT/SESSION/words.json``: when each word is said, by the position of its segment.

    Each segment has a flat list of start and end in milliseconds, and of the first character and the one after the
    last in the text of the page.
    """

    def read(conn: Any) -> dict[str, list[int]] | None:
        asked = _asked(conn, request)
        if asked is None:
            return None
        version = asked[2]
        lines = {line.position: line for line in recordings.lines(conn, version.id)}
        placed: dict[str, list[int]] = {}
        for word in place_words(lines, recordings.words(conn, version.id)):
            text = lines[word.position].text
            ahead = len(text) - len(text.lstrip())
            # JavaScript counts characters outside the first plane twice.
            before = len(text[ahead : word.start].encode("utf-16-le")) // 2
            length = len(text[word.start : word.end].encode("utf-16-le")) // 2
            placed.setdefault(str(word.position), []).extend((word.start_ms, word.end_ms, before, before + length))
        return placed

    answer = await current(datasette).execute_fn(read)
    if answer is None:
        return await not_found(datasette, request)
    return respond_json(answer)


def _asked(conn: Any, request: Any) -> tuple[SessionPage, Track, TrackTranscript] | None:
    """Return the session, the recording and the transcript that an address names."""
    page = recordings.session(conn, unquote(request.url_vars["event"]), unquote(request.url_vars["session"]))
    track = chosen_track(page.tracks, argument(request, "recording")) if page else None
    tongue = argument(request, "language")
    version = chosen_version(track, tongue) if track else None
    if page is None or track is None or version is None or tongue not in {"", version.language}:
        return None
    return page, track, version


def _picture(datasette: Any, request: Any, version: TrackTranscript) -> str:
    """Return the whole address of a moment's quote as a picture."""
    asked = {name: argument(request, name) for name in ("recording", "t")} | {"language": argument(request, "language")}
    kept = {name: value for name, value in asked.items() if value and (name != "language" or value == version.language)}
    return site_settings(datasette).absolute(f"{request.path}/card.png?{urlencode(kept, safe=',')}")


def _find(datasette: Any, conn: Any, query: str, page: SessionPage, version: TrackTranscript | None) -> FoundInSession:
    results = search_in(datasette, conn).within(query, page.card.event, page.card.slug)
    here = tuple(hit for hit in results.hits if version and hit.transcript == version.version)
    elsewhere = []
    for nth, track in enumerate(page.tracks):
        its = {each.version for each in track.transcripts} - {version.version if version else ""}
        if count := sum(hit.transcript in its for hit in results.hits):
            elsewhere.append((track.key if nth else None, count))
    return FoundInSession(results, here, tuple(elsewhere))


def _marks(
    conn: Any,
    version: TrackTranscript | None,
    lines: Sequence[Line],
    found: FoundInSession | None,
    span: TimeSpan | None,
) -> dict[int, list[Mark]]:
    by_position = {line.position: line for line in lines}
    marks: dict[int, list[Mark]] = {}
    if found:
        marks = hit_marks(by_position, ((hit.positions, hit.matches) for hit in found.here), GAP)
    if version and span and span.end_ms is not None:
        said = place_words(by_position, recordings.words(conn, version.id, span.start_ms, span.end_ms))
        for position, some in lit_marks(lines, said, span.start_ms, span.end_ms).items():
            marks.setdefault(position, []).extend(some)
    if version:
        for position, some in unsure_marks(by_position, *recordings.words_beside_doubt(conn, version.id)).items():
            marks.setdefault(position, []).extend(some)
    return marks


def _chapters(
    conn: Any, page: SessionPage, track: Track | None, version: TrackTranscript | None, lines: tuple[Line, ...]
) -> tuple[tuple[Chapter, ...], bool]:
    """Return the chapters of a recording, and whether somebody made them."""
    if track is None:
        return (), False
    people = {each.slug for each in page.card.people}
    return chapters_of(conn, track.id, version.version if version else "", lines, kind=page.card.kind, people=people)


def _bars(hits: Sequence[Hit], duration_ms: int | None) -> tuple[tuple[int, int, int, int], ...]:
    """Return how many hits are in each part of the recording: column, count, height of 100, and the first's time."""
    whole = max(duration_ms or 0, max((hit.end_ms for hit in hits), default=0), 1)
    columns: dict[int, list[int]] = {}
    for hit in hits:
        columns.setdefault(min(BARS * hit.start_ms // whole, BARS - 1), []).append(hit.start_ms)
    most = max(map(len, columns.values()), default=1)
    return tuple((at, len(its), max(100 * len(its) // most, 15), its[0]) for at, its in sorted(columns.items()))


def _spoken_at(lines: Sequence[Line], span: TimeSpan | None) -> int | None:
    """Return the position of the last segment that has begun at a moment."""
    said = [line for line in lines if not line.redacted]
    begun = [line.position for line in said if span is not None and line.start_ms <= span.start_ms]
    return begun[-1] if begun else None
