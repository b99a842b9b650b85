"""What hosts of files can be told: that an address is gone, and which headers answers carry.

``_headers`` and ``_redirects`` are read by Netlify and Cloudflare Pages (https://docs.netlify.com/routing/redirects/,
https://developers.cloudflare.com/pages/configuration/headers/); ``nginx.conf`` is to be included in a server of nginx.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import quote, unquote

from archive.site.frozen.places import Places
from archive.site.http.policy import COMMON
from archive.site.http.respond import FOREVER, FRESH

NGINX = "nginx.conf"


def files(gone: Iterable[str], places: Places, base: str) -> dict[str, bytes]:
    """Return the files for hosts.

    Args:
        gone: the addresses of what was withdrawn.
        places: where the site's pages lie.
        base: the path at which the site begins.
    """
    graves = [(path, place.file) for path in gone if (place := places.of(path))]
    redirects = "".join(f"{base}{path} {base}/{quote(file)} 410\n" for path, file in graves)
    common = "".join(f"  {name}: {value}\n" for name, value in COMMON.items())
    headers = (
        f"{base}/*\n{common}  cache-control: {FRESH}\n"
        f"{base}/-/static-plugins/*\n  cache-control: {FOREVER}\n"
        f"{base}/embed/*\n  cross-origin-resource-policy: cross-origin\n"
    )
    return {
        "_redirects": redirects.encode(),
        "_headers": headers.encode(),
        NGINX: _nginx(graves, base).encode(),
        ".nojekyll": b"",
    }


def _nginx(graves: Iterable[tuple[str, str]], base: str) -> str:
    common = "".join(f"add_header {name} {_word(value)} always;\n" for name, value in COMMON.items())
    lines = [
        "# Include this in the server whose root is this folder (or its parent, where the site has a path of its own).",
        "index index.html;",
        f"error_page 404 {base}/404.html;",
        common.rstrip(),
    ]
    lines += [
        f"location = {_word(base + address)} {{ return 410; error_page 410 {_word(f'{base}/{file}')}; }}"
        for path, file in graves
        for address in dict.fromkeys((unquote(path), unquote(path) + "/"))
    ]
    return "\n".join(lines) + "\n"


def _word(text: str) -> str:
    """Return a text as one word of nginx's configuration, in which ``$`` would begin a variable."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "") + '"'
