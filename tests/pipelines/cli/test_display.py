from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from pipelines.cli.display import ProgressObserver
from pipelines.stages.base import Item, Outcome
from tests.pipelines.trials import Trial

HOUR = Item("a", "evening", "f", size=3600.0)


@pytest.fixture
def shown() -> io.StringIO:
    """Return what a terminal of 160 columns gets."""
    return io.StringIO()


def terminal(shown: io.StringIO) -> Console:
    return Console(file=shown, force_terminal=True, width=160, color_system=None)


def bar(observer: ProgressObserver) -> str:
    console = Console(width=160, color_system=None)
    with console.capture() as captured:
        console.print(observer.progress.get_renderable())
    return captured.get().strip()


def test_progress_shows_items_and_hours_done_and_left_speed_workers_and_failures(shown: io.StringIO) -> None:
    clock = {"now": 0.0}
    with ProgressObserver(terminal(shown)) as observer:
        observer.progress.get_time = lambda: clock["now"]
        observer.stage(Trial((), Path()), [HOUR] * 4)
        for item in (HOUR, HOUR):
            observer.started(item)
        assert bar(observer).endswith("0 of 4 · 0:00 of 4:00:00 · 2 at work")
        clock["now"] = 100.0
        observer.advanced(HOUR, 10.0)
        assert bar(observer).endswith("0 of 4 · 0:10 of 4:00:00 · 2 at work")
        observer.ended(HOUR, Outcome("done", seconds=90.0), None)
        observer.ended(HOUR, Outcome("failed", text="it hung"), None)
        assert bar(observer).endswith(
            "2 of 4 · 2:00:00 of 4:00:00 · 72.0× real time · 1:40 left · 0 at work · 1 failed"
        )
    lines = [line.strip() for line in shown.getvalue().splitlines()]
    assert any(line.endswith("✓ evening  1:00:00 in 90.0 s, 40.0×") for line in lines)
    assert any(line.endswith("✗ evening  it hung") for line in lines)
