"""What is taken out of a text before it is published: keys to what lies behind an address, and addresses of people.

An address on the web may carry its own key: a name and a password before the host, or a token among its parameters.
Whoever reads the address may then use them. Files of this machine mean nothing elsewhere, and tell of it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import unquote

from archive.errors import called_by_sqlite
from archive.sqlite import sqlite3

_SCHEME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+.-")
_END = re.compile(r"[\s<>\"`|\\^{}\x00-\x1f]")
_SECRET = (
    "token", "secret", "passw", "passcode", "apikey", "accesskey", "signature", "credential", "jwt", "oauth", "bearer",
    "sessionid", "hmac", "privatekey", "sharekey", "invitecode",
)  # fmt: skip
_SECRETS = frozenset({"pwd", "pass", "sig", "auth", "key", "sid", "code", "authorization", "pin", "tk", "hash", "h"})
WITHHELD = "Name withheld"
"""What stands in the place of a name that is nothing but an e-mail address."""


def public_text(text: str | None) -> str | None:
    """Return a text whose addresses carry no keys, and name no files of a machine.

    >>> public_text("See https://noor:pw@example.org/a?page=2&token=abc please")
    'See https://example.org/a?page=2 please'
    """
    if text is None or "://" not in text:
        return text
    return "".join(_pieces(text))


def _pieces(text: str) -> Iterator[str]:
    """Yield a text piece by piece, its addresses without their keys, in a time that grows with its length."""
    at = 0
    while (middle := text.find("://", at)) >= 0:
        start = middle
        while start > at and text[start - 1] in _SCHEME:
            start -= 1
        end = _end_of(text, middle + 3)
        yield text[at:start]
        yield _without_keys(text[start:middle], text[middle + 3 : end])
        at = end
    yield text[at:]


def _end_of(text: str, start: int) -> int:
    """Return where an address ends: at what stands in none, or where another begins inside of it."""
    inner = text.find("://", start)
    found = _END.search(text, start, len(text) if inner < 0 else inner)
    if found or inner < 0:
        return found.start() if found else len(text)
    while inner > start and text[inner - 1] in _SCHEME:
        inner -= 1
    return inner


def _without_keys(scheme: str, rest: str) -> str:
    if scheme.lower() == "file":
        return ""
    cut = min((rest.find(mark) for mark in "/?#" if mark in rest), default=len(rest))
    host, path = rest[:cut].rpartition("@")[2], rest[cut:]
    path, hash_mark, fragment = path.partition("#")
    path, question, query = path.partition("?")
    path = ";".join(part for part in path.split(";") if not _is_secret(part.partition("=")))
    kept = _kept(query)
    anchor = fragment if "=" not in fragment else _kept(fragment)
    return f"{scheme}://{host}{path}{question if kept else ''}{kept}{hash_mark if anchor else ''}{anchor}"


def _kept(query: str) -> str:
    """Return the parameters that are no keys, and carry no address that may have some."""
    return "&".join(part for part in query.split("&") if not _is_secret(part.partition("=")))


def _is_secret(parameter: tuple[str, str, str]) -> bool:
    name, equals, value = parameter
    plain = re.sub("[^a-z0-9]", "", name.lower())
    inner = unquote(value)
    carries = "://" in inner and "@" in inner
    return bool(equals) and (carries or plain in _SECRETS or any(word in plain for word in _SECRET))


def public_name(name: str | None) -> str | None:
    """Return a name without e-mail addresses; `WITHHELD` where nothing else is left.

    >>> public_name("Noor Okafor <noor@example.org>")
    'Noor Okafor'
    """
    if name is None or "@" not in name:
        return name
    kept = " ".join(word for word in name.split() if not _is_mail(word)).strip(" ,;:|/–-")
    return kept or WITHHELD


def _is_mail(word: str) -> bool:
    before, at, after = word.strip("<>()[]{}\"',;:").removeprefix("mailto:").rpartition("@")
    return bool(at and before and after) and not word.startswith("@")


def public_parameters(parameters: str) -> str:
    """Return what a transcript was made with (a JSON object), without the folders of the machine that made it."""
    found = json.loads(parameters)
    cleaned = {
        name: re.split(r"[/\\]", value.rstrip("/\\"))[-1] if isinstance(value, str) else value
        for name, value in found.items()
    }
    return parameters if cleaned == found else json.dumps(cleaned, ensure_ascii=False)


def register(conn: sqlite3.Connection) -> None:
    """Let statements on a connection use these functions by their names."""
    for function in (public_text, public_name, public_parameters):
        conn.create_function(function.__name__, 1, called_by_sqlite(function), deterministic=True)
