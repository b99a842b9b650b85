"""A folder that recordings arrive in: which of its files are complete.

A file does not say whether it is complete: its writer may only pause. A file whose size and time have not changed for
`QUIET_SECONDS` counts as complete. If it grows later, it is pulled again and supersedes the earlier version. The folder
is listed at intervals, since the notifications of operating systems do not work on network shares.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from pipelines.sources.files import expand

QUIET_SECONDS = 30.0
LOOK_SECONDS = 5.0
"""Seconds between two listings of the folder."""


class _State(NamedTuple):
    size: int
    changed: int


@dataclass(slots=True)
class Watched:
    """Folders, and the files that were seen in them so far.

    Attributes:
        quiet: seconds without a change after which a file is complete.
    """

    folders: Sequence[Path]
    quiet: float = QUIET_SECONDS
    _seen: dict[Path, tuple[_State, float]] = field(default_factory=dict)
    _taken: dict[Path, _State] = field(default_factory=dict)

    def look(self, now: float) -> list[Path]:
        """Return the files that are complete and were not taken before in their present state.

        Args:
            now: seconds on a clock that never goes back.

        Raises:
            ConfigError: a folder does not exist.
        """
        ready, before, self._seen = [], self._seen, {}
        for path in (path for folder in self.folders for path in expand(folder)):
            try:
                facts = path.stat()
            except OSError:
                continue  # it was removed meanwhile
            state = _State(facts.st_size, facts.st_mtime_ns)
            known, since = before.get(path, (None, now))
            self._seen[path] = state, since if state == known else now
            if state == known and state.size and now - since >= self.quiet and self._taken.get(path) != state:
                ready.append(path)
        return ready

    def took(self, paths: Sequence[Path]) -> None:
        """Note that files were taken in the state in which they were last seen."""
        self._taken |= {path: self._seen[path][0] for path in paths}
