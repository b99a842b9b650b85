"""What a site is told about itself: where its publication is, its title, and its address."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from archive.publication.folder import PLUGIN
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
        accent: the colour of links and buttons, ``#rrggbb``, or None.
        logo: a picture that leads the header, or None.
    """

    title: str | None = None
    url: str = LOCAL_URL
    hub: str | None = None
    accent: str | None = None
    logo: bytes | None = None

    def absolute(self, path: str) -> str:
        """Return the whole address of a path."""
        return absolute(self.url, path)

    @property
    def name(self) -> str:
        """What the archive calls itself, else Rostra."""
        return self.title or "Rostra"


def site_settings(datasette: Any) -> SiteSettings:
    """Return the settings of the site that a Datasette serves."""
    config = datasette.plugin_config(PLUGIN) or {}
    url = (config.get("url") or LOCAL_URL).rstrip("/")
    # Datasette's configuration is JSON, and so bytes are base64 there.
    logo = base64.b64decode(config.get("logo") or "")
    return SiteSettings(
        config.get("title") or None, url, config.get("hub") or None, config.get("accent") or None, logo or None
    )
