"""What a user names as a file or an address, read whole: timetables, feeds of news, pictures."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path

import httpx

from pipelines.config import PullSettings
from pipelines.errors import ItemError, SourceError
from pipelines.sources.http import request


def read_place(place: str, settings: PullSettings, *, limit: int) -> bytes:
    """Return the bytes of a file or an address.

    Args:
        place: a path, or an address.
        settings: which addresses may be asked.
        limit: the most bytes that are read.

    Raises:
        SourceError: the file or the answer cannot be had, or is larger than ``limit``.
    """
    try:
        if "://" in place:
            return read_address(place, settings, limit=limit)[1]
        path = Path(place)
        if path.stat().st_size > limit:
            raise SourceError(f"{place}: larger than {limit // 1_000_000} MB")
        return path.read_bytes()
    except OSError as error:
        raise SourceError(f"{place}: {error.strerror}") from error


def read_address(url: str, settings: PullSettings, *, limit: int) -> tuple[httpx.Response, bytes]:
    """Return the answer of an address, and its body.

    Args:
        url: the address.
        settings: which addresses may be asked.
        limit: the most bytes that are read.

    Raises:
        SourceError: the request fails, the answer is an error, or its body is larger than ``limit``.
    """
    try:
        response, data = request(url, settings, {}, limit=limit)
    except ItemError as error:
        raise SourceError(f"{url}: {error}") from error
    if response.status_code != HTTPStatus.OK:
        raise SourceError(f"{url}: the server answers {response.status_code} {response.reason_phrase}".rstrip())
    return response, data
