from __future__ import annotations

from collections.abc import Iterator

import pytest

import pipelines.stages.publish
import pipelines.stages.pull  # noqa: F401 so that every error is known
from archive.catalogue.runs import Trouble
from pipelines.cli.advice import ADVICE, advice
from pipelines.errors import ItemError


def codes(kind: type[ItemError]) -> Iterator[str]:
    for below in kind.__subclasses__():
        yield below.code
        yield from codes(below)


def test_every_code_has_its_advice() -> None:
    assert {*codes(ItemError), "out-of-memory", "timeout", "unexpected", "not-kept"} - set(ADVICE) == set()


@pytest.mark.parametrize(
    ("trouble", "step"),
    [
        (Trouble("transcribe", "a", "a", "failed", "timeout", "", 1), "tried 1 of 3 times: rostra run tries it again"),
        (Trouble("transcribe", "a", "a", "failed", "timeout", "", 3), ADVICE["timeout"]),
        (Trouble("transcribe", "a", "a", "failed", "timeout", "", 3, retried=True), "due again: rostra run"),
        (Trouble("pull", "a", "a", "refused", "not-media", "", 1, retried=True), "due again: pull it"),
        (Trouble("pull", "a", "a", "refused", "not-media", "", 1), ADVICE["not-media"]),
    ],
)
def test_advice_is_the_next_step(trouble: Trouble, step: str) -> None:
    assert advice(trouble, 3) == step
