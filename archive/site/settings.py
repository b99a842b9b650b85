"""What a site is told about itself: where its publication is, its title, and its address."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from archive.publication.folder import PLUGIN
from archive.site.http.policy import static_policy
from archive.urls import absolute

LOCAL_URL = "http://127.0.0.1:8001"


@dataclass(frozen=True, slots=True)
class SiteSettings:
    """Settings of a site.

    Attributes:
        title: what the archive calls itself, or None.
        url: its address on the web, without a slash at its end. Canonical addresses begin with it, never with the
            host that a request names: whoever asks could name any.
        hub: the address of a WebSub hub that feeds name, or None.
        contact: the mail address of who runs the archive, which feeds and harvesters are told, or None.
        accent: the colour of links and buttons, ``#rrggbb``, or None.
        logo: a picture that leads the header, or None.
        static: whether pages are written to files: then they lead to nothing that only a program can answer.
        media: the address of the folder from which such pages play, if it is not here; "" if it is.
    """

    title: str | None = None
    url: str = LOCAL_URL
    hub: str | None = None
    contact: str | None = None
    accent: str | None = None
    logo: bytes | None = None
    static: bool = False
    media: str = ""

    @property
    def base(self) -> str:
        """The path at which the site begins, without a slash at its end: "" for a site that has a host for itself."""
        return urlsplit(self.url).path.rstrip("/")

    @property
    def policy(self) -> str:
        """What a browser is told that a page in a file may do."""
        return static_policy(self.media)

    def absolute(self, path: str) -> str:
        """Return the whole address of a path."""
        return absolute(self.url, path)

    @property
    def digest(self) -> str:
        """What changes when a setting does: pages, feeds and answers to harvesters say each of them somewhere."""
        return _digest_of(self)

    @property
    def looks(self) -> dict[str, str | None]:
        """Where pages find the logo and the style, which change with what they hold; None for what there is not."""
        logo = f"/logo?v={_digest(self.logo)}" if self.logo else None
        return {"logo": logo, "accent": f"/accent.css?v={self.accent.removeprefix('#')}" if self.accent else None}

    @property
    def name(self) -> str:
        """What the archive calls itself, else Rostra."""
        return self.title or "Rostra"


@lru_cache(maxsize=4)
def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:12]


@lru_cache(maxsize=4)
def _digest_of(settings: SiteSettings) -> str:
    return _digest(repr(settings).encode())


@lru_cache(maxsize=4)
def site_settings(datasette: Any) -> SiteSettings:
    """Return the settings of the site that a Datasette serves, which never change."""
    config = datasette.plugin_config(PLUGIN) or {}
    url = (config.get("url") or LOCAL_URL).rstrip("/")
    # Datasette's configuration is JSON, and so bytes are base64 there.
    logo = base64.b64decode(config.get("logo") or "")
    return SiteSettings(
        title=config.get("title") or None,
        url=url,
        hub=config.get("hub") or None,
        contact=config.get("contact") or None,
        accent=config.get("accent") or None,
        logo=logo or None,
        static=bool(config.get("static")),
        media=config.get("media") or "",
    )
