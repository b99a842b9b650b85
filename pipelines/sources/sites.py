"""Video sites, by yt-dlp: pages, playlists, and what the site says of each recording.

The extra ``sites`` installs yt-dlp. It is used only for sites that it knows by name: its generic extractor would follow
any page to any address, which `pipelines.sources.http` prevents. yt-dlp makes its own requests to the sites that it
knows; Rostra does not check the addresses of those requests.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from metadata.errors import MetadataError
from metadata.languages import parse_language
from metadata.model import ExternalId, Link, Person, Release, Role, Session
from metadata.timetables.slugs import make_slug
from metadata.timetables.ytdlp_info import release_wish
from pipelines.config import PullSettings as Settings
from pipelines.errors import FetchError, LimitError
from pipelines.media.files import ffmpeg_binary
from pipelines.sources.base import CaptionFiles, Fetched, Found, Report, Shelf, Unreachable, file_name, plain

FORMATS = "bestvideo*[height<=1080]+bestaudio/best"
"""The formats that are chosen, in yt-dlp's format selection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Video(Found):
    """One recording on a site."""

    url: str

    @contextmanager
    def fetch(self, shelf: Shelf) -> Iterator[Fetched]:
        """Download the recording with ``info.json`` and captions. yt-dlp continues a partial download."""
        options = {
            "format": FORMATS,
            "ffmpeg_location": ffmpeg_binary(),
            "continuedl": True,
            "retries": shelf.settings.tries,  # yt-dlp as a library does not otherwise take it up again
            "fragment_retries": shelf.settings.tries,
            "max_filesize": shelf.settings.max_bytes,
            "match_filter": _not_longer(shelf.settings),
            "progress_hooks": [_reporting(shelf.report)],
        }
        with self._downloaded(shelf, options) as (info, files):
            path = next(
                (each["filepath"] for each in info.get("requested_downloads") or () if "filepath" in each), None
            )
            recording = next((file for file in files if str(file) == path), None)
            if recording is None:
                raise FetchError(
                    "yt-dlp brought no recording: it may be larger than pull.max_gigabytes, or not be public"
                )
            yield Fetched(recording, tuple(file for file in files if file != recording and file.suffix != ".part"))

    @contextmanager
    def fetch_captions(self, shelf: Shelf) -> Iterator[CaptionFiles]:
        """Download ``info.json`` and the captions that people made, but not the site's automatic captions."""
        with self._downloaded(shelf, {"skip_download": True}) as (_, files):
            yield CaptionFiles(self.url, files)

    @contextmanager
    def _downloaded(self, shelf: Shelf, options: dict[str, Any]) -> Iterator[tuple[dict[str, Any], tuple[Path, ...]]]:
        folder = shelf.folder / self.shelf_name
        folder.mkdir(parents=True, exist_ok=True)
        always = {
            "paths": {"home": str(folder)},
            "outtmpl": {"default": "recording.%(ext)s"},
            "noplaylist": True,
            "writeinfojson": True,
            "writesubtitles": True,
            "subtitleslangs": ["all", "-live_chat"],
        }
        info = _extract(self.url, shelf.settings, always | options, download=True)
        try:
            yield info, tuple(sorted(folder.glob("recording.*")))
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def is_known(url: str) -> bool:
    """Whether yt-dlp is installed and knows the site of an address by name."""
    return any(extractor.suitable(url) for extractor in _extractors())


def find(url: str, shelf: Shelf) -> Iterator[Found]:
    """Yield the recording of a page, or those of a playlist; an `Unreachable` where the page cannot be read."""
    try:
        info = _extract(url, shelf.settings, {"extract_flat": "in_playlist", "skip_download": True}, download=False)
    except FetchError as error:
        yield Unreachable(place=url, name=url, stamp=("unreachable",), error=error)
        return
    for entry in info["entries"] if info.get("_type") == "playlist" else [info]:
        address = entry.get("webpage_url") or entry.get("url")
        if address:
            about = described(entry)
            yield Video(
                place=str(address),
                name=file_name(f"{about.title.replace('/', '-')}.{entry.get('ext') or 'mp4'}"),
                stamp=(str(entry.get("ie_key") or entry.get("extractor_key")), str(entry.get("id"))),
                bytes=entry.get("filesize") or entry.get("filesize_approx"),
                about=about,
                url=str(address),
            )


def described(info: Mapping[str, Any]) -> Session:
    """Return what a site says of a recording. A video that is not public there is private here.

    The name of the channel is left out, since it need not be a person's.
    """
    title = plain(str(info.get("title") or info.get("id") or "Recording"), 500)
    page = info.get("webpage_url") or info.get("url")
    site = str(info.get("extractor_key") or info.get("ie_key") or "site").lower()
    wish = release_wish(plain(str(info["availability"]), 100) if info.get("availability") else None)
    names = dict.fromkeys(plain(str(name), 200) for name in (info.get("creators") or info.get("cast") or ())[:20])
    return Session(
        slug=make_slug(title),
        title=title,
        start=_moment(info),
        language=_language(info.get("language")),
        abstract=plain(str(info.get("description") or "")) or None,
        people=tuple(Role(person=Person(name=name)) for name in names if name),
        links=(Link(rel="website", url=str(page)),) if str(page).startswith(("https://", "http://")) else (),
        external_ids=(ExternalId(scheme=site, value=str(info["id"])),) if info.get("id") else (),
        release=Release(state="private", reason=wish) if wish else None,
    )


def _extract(url: str, settings: Settings, options: dict[str, Any], *, download: bool) -> dict[str, Any]:
    """Return the information that yt-dlp extracts, and download the files if ``download`` is set.

    Raises:
        FetchError: yt-dlp fails; the text is its message.
    """
    from yt_dlp import YoutubeDL  # an extra, and slow to import
    from yt_dlp.utils import YoutubeDLError

    quiet = {"quiet": True, "no_warnings": True, "noprogress": True, "logger": _Silent(), "color": "never"}
    try:
        with YoutubeDL(quiet | {"allowed_extractors": list(settings.extractors)} | options) as downloader:
            info: dict[str, Any] = downloader.sanitize_info(downloader.extract_info(url, download=download))
    except YoutubeDLError as error:
        raise FetchError(plain(str(error).removeprefix("ERROR: "), 500)) from error
    return info


def _not_longer(settings: Settings) -> Any:
    """Return a match filter for yt-dlp that refuses recordings that are longer than allowed."""

    def judge(info: Mapping[str, Any], *, incomplete: bool) -> None:  # noqa: ARG001 yt-dlp's signature
        if (info.get("duration") or 0) * 1000 > settings.max_ms:
            raise LimitError(f"it is longer than {settings.max_hours:g} h, which pull.max_hours in rostra.toml allows")

    return judge


def _reporting(report: Report) -> Any:
    """Return a progress hook for yt-dlp that reports the bytes of all files together."""
    here: dict[str, float] = {}

    def tell(status: Mapping[str, Any]) -> None:
        here[str(status.get("filename"))] = status.get("downloaded_bytes") or 0
        report(sum(here.values()))

    return tell


class _Silent:
    """A logger that drops yt-dlp's messages."""

    def debug(self, message: str) -> None:
        """Drop it."""

    info = warning = error = debug


@lru_cache
def _extractors() -> tuple[Any, ...]:
    """Return the extractors of sites by name, or none where yt-dlp is not installed."""
    try:
        from yt_dlp.extractor import gen_extractor_classes  # an extra, and slow to import
    except ImportError:
        return ()
    return tuple(extractor for extractor in gen_extractor_classes() if extractor.IE_NAME != "generic")


def _moment(info: Mapping[str, Any]) -> str | None:
    seconds = info.get("release_timestamp") or info.get("timestamp")
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat() if seconds else None
    except (ValueError, OverflowError, OSError, TypeError):
        return None


def _language(value: Any) -> str | None:
    try:
        return parse_language(str(value)) if value else None
    except MetadataError:
        return None
