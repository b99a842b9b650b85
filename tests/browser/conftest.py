from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from archive.site.app import create_app
from tests.archive.published_folder import publish
from tests.browser.plenary import add_plenary

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
)


@contextmanager
def serving(application: Any) -> Iterator[str]:
    """Serve an ASGI application at an address of its own."""
    server = uvicorn.Server(uvicorn.Config(application, port=0, log_level="warning"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture(scope="package")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    public = tmp_path_factory.mktemp("public")
    publish(public, more=add_plenary)
    with serving(create_app(public, title="Radio Lighthouse").app()) as address:
        yield address


@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    playwright_api = pytest.importorskip("playwright.sync_api", reason="no Playwright: pip install playwright")
    with playwright_api.sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(FLAGS))
        yield running
        running.close()


@pytest.fixture
def open_tab(browser: Any, address: str) -> Iterator[Callable[..., Any]]:
    """Open tabs of contexts of their own; nothing in them may complain, or ask for anything from elsewhere."""
    contexts: list[Any] = []
    complaints: list[str] = []

    def listen(page: Any) -> None:
        page.on("console", lambda told: complaints.append(told.text) if told.type in {"error", "warning"} else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "request",
            lambda asked: None if asked.url.removeprefix("blob:").startswith(address) else complaints.append(asked.url),
        )

    def made(**options: Any) -> Any:
        context = browser.new_context(base_url=address, **({"viewport": {"width": 1280, "height": 900}} | options))
        contexts.append(context)
        page = context.new_page()
        listen(page)
        return page

    yield made
    for context in contexts:
        context.close()
    assert complaints == []


@pytest.fixture
def tab(open_tab: Callable[..., Any]) -> Any:
    return open_tab()


def until(tab: Any, expression: str) -> None:
    """Wait until something is true of the page; its policy lets no polling be put into it."""
    for _ in range(200):
        if tab.evaluate(expression):
            return
        tab.wait_for_timeout(50)
    pytest.fail(f"never came true: {expression}")
