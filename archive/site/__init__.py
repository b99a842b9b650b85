"""The published site: one Datasette plugin.

It does nothing in a Datasette whose configuration has no ``rostra`` among its plugins; see
`archive.site.app.create_app` for the one that has.
"""

# mypy: disable-error-code="untyped-decorator"
# Datasette has no types.

from __future__ import annotations

import logging
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

from datasette import NotFound, hookimpl

from archive.site.guard import guard
from archive.site.published import DATABASE, install
from archive.site.views import ROUTES, asset, broken, not_found

PLUGIN = "rostra"

_log = logging.getLogger(__name__)


@hookimpl
def register_routes(datasette: Any) -> list[tuple[str, Callable[..., Any]]]:
    """Put Rostra's pages before Datasette's own."""
    return list(ROUTES) if _configured(datasette) else []


@hookimpl
def startup(datasette: Any) -> None:
    """Open the published database, unless whoever made this Datasette has done so."""
    if (config := _configured(datasette)) and DATABASE not in datasette.databases:
        install(datasette, Path(config["public"]))


@hookimpl
def asgi_wrapper(datasette: Any) -> Callable[[Any], Any]:
    """Refuse writing, notice new builds, and set the headers that keep a page to itself."""
    if _configured(datasette):
        return lambda app: guard(app, datasette)
    return lambda app: app


@hookimpl
def extra_css_urls(datasette: Any) -> list[str]:
    """Give Datasette's own pages the site's colours; Rostra's load their own style."""
    return [asset("data.css")] if _configured(datasette) else []


@hookimpl(hookwrapper=True)
def handle_exception(datasette: Any, request: Any, exception: Exception) -> Generator[None, Any, None]:
    """Answer in the site's style, in place of Datasette, which also prints every value on the way to an error.

    What goes wrong in its own pages, a mistake in SQL above all, it explains itself.
    """
    outcome = yield
    if not _configured(datasette):
        return
    if isinstance(exception, NotFound) and not request.path.endswith((".json", ".csv")):
        outcome.force_result([not_found(datasette, request)])
    elif not request.path.startswith("/data"):
        _log.error("%s failed", request.path, exc_info=exception)
        outcome.force_result([broken(datasette, request)])


def _configured(datasette: Any) -> dict[str, str] | None:
    """Return Rostra's configuration: ``public``, the published folder, and perhaps ``title``."""
    config: dict[str, str] | None = datasette.plugin_config(PLUGIN)
    return config
