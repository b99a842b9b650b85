"""Results that are kept as they come, so that a bench that breaks off goes on where it was."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from filelock import FileLock

from pipelines.storage.atomic import write_atomic


class Results:
    """``measure → subject → engine → what was found``, in a JSON file where one is named.

    Several processes may add to one file: what each finds is brought in under a lock.
    """

    def __init__(self, path: Path | None, again: frozenset[str] = frozenset()) -> None:
        self._path = path
        self._again = again
        self._new: set[tuple[str, str, str]] = set()
        self.data: dict[str, Any] = self._read()

    def has(self, measure: str, subject: str, engine: str) -> bool:
        """Tell whether this was found, in this run where the engine is to be measured again."""
        if engine in self._again and (measure, subject, engine) not in self._new:
            return False
        return engine in self.data.get(measure, {}).get(subject, {})

    def keep(self, measure: str, subject: str, engine: str, found: Any) -> None:
        """Add what was found."""
        self._new.add((measure, subject, engine))
        if self._path is None:
            self._put(measure, subject, engine, found)
            return
        with FileLock(self._path.with_name(f".{self._path.name}.lock")):
            self.data = self._read()
            self._put(measure, subject, engine, found)
            write_atomic(self._path, (json.dumps(self.data, ensure_ascii=False, indent=1) + "\n").encode())

    def _put(self, measure: str, subject: str, engine: str, found: Any) -> None:
        self.data.setdefault(measure, {}).setdefault(subject, {})[engine] = found

    def _read(self) -> dict[str, Any]:
        if self._path is None or not self._path.exists():
            return {}
        return dict(json.loads(self._path.read_text(encoding="utf-8")))
