"""Processes of a site, as the system lists them."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path


def workers_of(pid: int) -> list[int]:
    """Return the processes that answer, of those that a process began; Linux only."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in children if _answers(child)]


def _answers(child: str) -> bool:
    with suppress(OSError):
        return b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
    return False
