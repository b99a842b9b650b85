"""What a worker process may take, before it is stopped."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """What a child may take.

    Attributes:
        grace: seconds that any item may take, whatever its size, and as many to load what it needs before.
        patience: how many times an item's size (in seconds) it may take beyond that.
        memory: bytes of private memory (``RLIMIT_DATA``, getrlimit(2)); 0 sets no limit.
    """

    grace: float = 600.0
    patience: float = 30.0
    memory: int = 0

    def seconds(self, size: float) -> float:
        """Return how long an item of this size may take."""
        return self.grace + self.patience * size
