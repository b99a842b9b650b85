"""Addresses that lead to a second of a recording which another site plays.

Sites spell them in their own ways: what is known of each stands in `_SITES`. To add a site, add a line there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import SplitResult, parse_qsl, urlencode, urlsplit, urlunsplit

Moment = Callable[[SplitResult, int, datetime | None], SplitResult | None]
"""Takes an address, milliseconds from the recording's beginning, and when that was, if it is known."""


@dataclass(frozen=True, slots=True)
class _Site:
    """A site: what its addresses look like, and how one of them leads to a moment."""

    name: str
    host: re.Pattern[str]
    path: re.Pattern[str]
    moment: Moment


def at_moment(address: str, ms: int, *, began: datetime | None = None) -> str | None:
    """Return the address that plays a recording from a moment, or None where its site is not known to have such.

    Args:
        address: a page or a file that plays the recording.
        ms: milliseconds from the recording's beginning.
        began: when the recording began: Zoom's addresses name the hour of a moment.

    >>> at_moment("https://youtu.be/dQw4w9WgXcQ?si=x", 83_200)
    'https://youtu.be/dQw4w9WgXcQ?si=x&t=83s'
    """
    parts = _parts(address)
    site = _site(parts) if parts else None
    if parts is None or site is None:
        return None
    found = site.moment(parts, max(ms, 0), began)
    return urlunsplit(found) if found else None


def site_name(address: str) -> str | None:
    """Return what people call the site of an address, else its host; None where it is no address of the web."""
    parts = _parts(address)
    if parts is None:
        return None
    site = _site(parts)
    return site.name if site and site.name else (parts.hostname or "").removeprefix("www.") or None


def _parts(address: str) -> SplitResult | None:
    try:
        parts = urlsplit(address.strip())
    except ValueError:
        return None
    return parts if parts.scheme in {"http", "https"} and parts.hostname else None


def _site(parts: SplitResult) -> _Site | None:
    host = (parts.hostname or "").lower()
    return next((each for each in _SITES if each.host.fullmatch(host) and each.path.fullmatch(parts.path)), None)


def _with(parts: SplitResult, name: str, value: str, *others: str) -> SplitResult:
    """Return an address with one value in its query, in place of those of the same name and of others."""
    kept = [pair for pair in parse_qsl(parts.query, keep_blank_values=True) if pair[0] not in {name, *others}]
    return parts._replace(query=urlencode([*kept, (name, value)]))


def _query(name: str, form: str, *others: str) -> Moment:
    return lambda parts, ms, _: _with(parts, name, form.format(ms // 1000), *others)


def _fragment(form: str) -> Moment:
    return lambda parts, ms, _: parts._replace(fragment=form.format(ms // 1000))


def _media(parts: SplitResult, ms: int, _: datetime | None) -> SplitResult:
    """A file of sound or video: W3C Media Fragments URI 1.0, 4.2.1."""
    return parts._replace(fragment=f"t={ms / 1000:g}")


def _zoom(parts: SplitResult, ms: int, began: datetime | None) -> SplitResult | None:
    """Zoom names the moment on the clock, in milliseconds since 1970, as its own "share from here" does."""
    own = dict(parse_qsl(parts.query)).get("startTime", "")
    if began is not None:
        first = round(began.astimezone(UTC).timestamp() * 1000)
    elif own.isdecimal() and len(own) < 16:
        first = int(own)
    else:
        return None
    return _with(parts, "startTime", str(first + ms))


def _of(name: str, host: str, path: str, moment: Moment) -> _Site:
    return _Site(name, re.compile(host), re.compile(path), moment)


_SITES = (
    _of(
        "YouTube",
        r"(?:www\.|m\.|music\.)?youtube\.com",
        r"/(?:watch/?|live/[\w-]+|v/[\w-]+)",
        _query("t", "{}s", "start"),
    ),
    _of("YouTube", r"(?:www\.)?youtube(?:-nocookie)?\.com", r"/embed/[\w-]+", _query("start", "{}", "t")),
    _of("YouTube", r"youtu\.be", r"/[\w-]+", _query("t", "{}s")),
    _of("Vimeo", r"(?:www\.)?vimeo\.com", r"/(?:[\w-]+/)*\d+(?:/\w+)?", _fragment("t={}s")),
    _of("Vimeo", r"player\.vimeo\.com", r"/video/\d+", _fragment("t={}s")),
    _of("media.ccc.de", r"media\.ccc\.de", r"/v/[\w.-]+", _fragment("t={}")),
    _of("Zoom", r"(?:[\w-]+\.)*zoom(?:gov)?\.(?:us|com)", r"/rec(?:ording)?/(?:share|play)/.+", _zoom),
    _of("Dailymotion", r"(?:www\.)?dailymotion\.com", r"/video/\w+", _query("start", "{}")),
    _of("Twitch", r"(?:www\.|m\.)?twitch\.tv", r"/videos/\d+", _query("t", "{}s")),
    _of("Internet Archive", r"(?:www\.)?archive\.org", r"/details/.+", _query("start", "{}")),
    _of("SoundCloud", r"(?:www\.|m\.)?soundcloud\.com", r"/[\w-]+/[\w-]+(?:/s-\w+)?", _fragment("t={}")),
    _of("Panopto", r"[\w.-]+\.panopto\.(?:com|eu)", r"/Panopto/Pages/(?:Viewer|Embed)\.aspx", _query("start", "{}")),
    # PeerTube has as many hosts as there are people who run it; its addresses are its own.
    _of("", r".+", r"/w/[1-9A-HJ-NP-Za-km-z]{20,24}", _query("start", "{}s")),
    _of(
        "", r".+", r"/(?:w|videos/(?:watch|embed))/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", _query("start", "{}s")
    ),
    _of("", r".+", r".+\.(?i:mp4|m4v|webm|ogv|ogg|oga|opus|mp3|m4a|wav|flac|mov)", _media),
)
