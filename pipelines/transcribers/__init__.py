"""Engines that turn speech into text, behind one seam (see `pipelines.transcribers.base`), and their registry."""

from __future__ import annotations

from collections.abc import Callable

from pipelines.errors import ConfigError
from pipelines.transcribers.base import Hints, Transcriber
from pipelines.transcribers.fake import FakeTranscriber
from pipelines.transcribers.faster_whisper import FasterWhisper
from pipelines.transcribers.openai_whisper import OpenAIWhisper

__all__ = ["ENGINES", "FakeTranscriber", "FasterWhisper", "Hints", "OpenAIWhisper", "Transcriber", "engine"]


def _fake(**_options: object) -> Transcriber:
    return FakeTranscriber()


ENGINES: dict[str, Callable[..., Transcriber]] = {
    "faster-whisper": FasterWhisper,
    "openai-whisper": OpenAIWhisper,
    "fake": _fake,
}
"""Every engine, by the name that configuration gives it. ``fake`` hears nothing and needs no weights; tests use it."""


def engine(name: str, **options: object) -> Transcriber:
    """Return the engine of this name, made with these options; no weights are loaded yet.

    Raises:
        ConfigError: there is no such engine, or it has no such option.
    """
    if name not in ENGINES:
        raise ConfigError(f"unknown engine {name!r}: choose one of {', '.join(sorted(ENGINES))}")
    try:
        return ENGINES[name](**options)
    except TypeError as error:
        raise ConfigError(f"engine {name}: {error}") from error
