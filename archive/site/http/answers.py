"""Answers that were made, in memory: a page is made once a publication, and not for each who asks."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass

KEPT_BYTES = 64 << 20
MAX_BYTES = 8 << 20
"""A longer answer is sent as it comes, and not kept."""

Key = tuple[str, str | None]
"""An entity tag, and the encoding of the answer; None for none."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer of status 200. ``headers`` are as ASGI has them."""

    headers: list[tuple[bytes, bytes]]
    body: bytes


class Answers:
    """The answers that were asked for last, and those that are being made."""

    def __init__(self, kept_bytes: int = KEPT_BYTES) -> None:
        self._kept: OrderedDict[Key, Answer] = OrderedDict()
        self._bytes, self._kept_bytes = 0, kept_bytes
        self._making: dict[Key, asyncio.Event] = {}

    async def get(self, key: Key) -> Answer | None:
        """Return an answer, after waiting for it if another request is making it just now."""
        if key not in self._kept and (making := self._making.get(key)):
            await making.wait()
        if (found := self._kept.get(key)) is not None:
            self._kept.move_to_end(key)
        return found

    def begin(self, key: Key) -> None:
        """Note that an answer is being made; `put` or `give_up` must follow."""
        self._making.setdefault(key, asyncio.Event())

    def put(self, key: Key, answer: Answer) -> None:
        """Keep an answer, and drop those that were not asked for the longest."""
        if key not in self._kept and len(answer.body) <= MAX_BYTES:
            self._kept[key] = answer
            self._bytes += len(answer.body)
        while self._bytes > self._kept_bytes:
            _, dropped = self._kept.popitem(last=False)
            self._bytes -= len(dropped.body)
        self.give_up(key)

    def give_up(self, key: Key) -> None:
        """Let those who wait for an answer make it themselves."""
        if making := self._making.pop(key, None):
            making.set()
