"""The published site: one Datasette plugin.

It does nothing in a Datasette whose configuration has no ``rostra`` among its plugins; see
`archive.site.app.create_app` for the one that has.

`routes` names every address. `http` is how the site answers; `session_page`, `browsing`, `research`, `cited`,
`pictures`, `feeds`, `discovery` and `api` hold a feature each; `frozen` writes the whole site as files. Modules beside
them are shared: `records` reads what programs get, `queries` what pages show, `labels` says it in words, and `render`
fills templates.
"""

# mypy: disable-error-code="untyped-decorator"
# Datasette has no types.

from __future__ import annotations

from collections.abc import Awaitable, Callable, Generator
from pathlib import Path
from typing import Any

from datasette import hookimpl

from archive.publication.folder import DATABASE, PLUGIN
from archive.site import dress, locales
from archive.site.http.cells import with_harmless_cells
from archive.site.http.errors import failed
from archive.site.http.guard import guard
from archive.site.published import open_anew
from archive.site.render import asset
from archive.site.research import canned
from archive.site.routes import ROUTES


@hookimpl
def register_routes(datasette: Any) -> list[tuple[str, Callable[..., Any]]]:
    """Put Rostra's pages before Datasette's own."""
    return list(ROUTES) if _configured(datasette) is not None else []


@hookimpl
def startup(datasette: Any) -> Callable[[], Awaitable[None]]:
    """Open the published database, unless whoever made this Datasette has done so, and offer queries to begin with.

    Datasette may have opened the files of the published folder itself: those are closed to readers again.
    """
    config = _configured(datasette)
    if config is not None and DATABASE not in datasette.databases:
        public = Path(config.get("public") or datasette.config_dir or ".")
        open_anew(datasette, public)

    async def offer() -> None:
        # Datasette 1.0 keeps queries in a database of its own; before, it asks (`canned_queries`).
        if config is not None and hasattr(datasette, "add_query"):
            for name, query in canned.for_datasette().items():
                await datasette.add_query(DATABASE, name, **query)

    return offer


@hookimpl
def asgi_wrapper(datasette: Any) -> Callable[[Any], Any]:
    """Refuse writing, notice new builds, keep answers, and set the headers that keep a page to itself."""
    if _configured(datasette) is not None:
        return lambda app: guard(with_harmless_cells(app), datasette)
    return lambda app: app


@hookimpl
def prepare_jinja2_environment(env: Any, datasette: Any) -> None:
    """Let templates speak the reader's language."""
    if _configured(datasette):
        locales.install(env)
        dress.install(env)


@hookimpl
def extra_template_vars(datasette: Any) -> dict[str, Any]:
    """Dress Datasette's own pages."""
    return dress.variables(datasette) if _configured(datasette) else {}


@hookimpl
def canned_queries(datasette: Any, database: str) -> dict[str, dict[str, Any]]:
    """Offer queries to begin with."""
    return canned.for_datasette() if _configured(datasette) is not None and database == DATABASE else {}


@hookimpl
def extra_css_urls(datasette: Any) -> list[str]:
    """Give Datasette's own pages the site's colours; Rostra's load their own style."""
    return [asset("data.css")] if _configured(datasette) is not None else []


@hookimpl(hookwrapper=True)
def handle_exception(datasette: Any, request: Any, exception: Exception) -> Generator[None, Any, None]:
    """Answer in place of Datasette, which also prints every value on the way to a reader's mistake."""
    outcome = yield
    if _configured(datasette) is not None:
        outcome.force_result([failed(datasette, request, exception)])


def _configured(datasette: Any) -> dict[str, str] | None:
    """Return Rostra's configuration: ``public``, the published folder, and what the site is called.

    In a published folder that Datasette serves alone there is no ``public``: it is that folder.
    """
    config: dict[str, str] | None = datasette.plugin_config(PLUGIN)
    return config
