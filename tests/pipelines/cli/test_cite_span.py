"""Which moment `rostra cite` is asked for, before anything published is read."""

from __future__ import annotations

import click
import pytest

from archive.site.session_page.page import TimeSpan
from archive.sqlite import sqlite3
from pipelines.cli.cite import _span


def test_moment_that_ends_before_it_begins_is_refused() -> None:
    conn = sqlite3.connect(":memory:")
    assert _span(conn, "event", "talk", "0:03", "4", None) == TimeSpan(3_000, 4_000)
    for until in ("0:02", "3"):
        with pytest.raises(click.UsageError, match=f"--to {until} is not after --at 0:03"):
            _span(conn, "event", "talk", "0:03", until, None)
    conn.close()
