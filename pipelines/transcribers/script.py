"""One script in a Chinese transcript: Whisper writes simplified and traditional characters as they come.

Which one is declared with the language (``zh-Hant``, ``zh-TW``), or is that of the names and terms of the session, or
else of most of what was heard. OpenCC converts by phrases, offline (https://github.com/BYVoid/OpenCC, Apache-2.0);
what is not Chinese, such as English terms, it leaves as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Literal, TypeAlias

from langcodes import Language

from metadata.languages import primary
from metadata.model import Segment, Transcript, Word

if TYPE_CHECKING:
    from opencc import OpenCC

Script: TypeAlias = Literal["Hans", "Hant"]

_TRADITIONAL = {"TW": "s2tw", "HK": "s2hk", "MO": "s2hk"}
"""OpenCC's names for what is written where; elsewhere its own standard."""


def in_one_script(transcript: Transcript, terms: Sequence[str] = ()) -> Transcript:
    """Return a transcript whose Chinese is all simplified or all traditional.

    Args:
        transcript: in any language.
        terms: of the session, in the script that its people write.
    """
    if not any(_chinese(transcript, each) for each in transcript.segments):
        return transcript
    said = "".join(each.text for each in transcript.segments if _chinese(transcript, each))
    script = _declared(transcript.language) or script_of("".join(terms)) or script_of(said)
    if script is None:
        return transcript
    name = "t2s" if script == "Hans" else _TRADITIONAL.get(Language.get(transcript.language).territory or "", "s2t")
    return replace(
        transcript,
        segments=tuple(
            _written(each, script, name) if _chinese(transcript, each) else each for each in transcript.segments
        ),
    )


def script_of(text: str) -> Script | None:
    """Return the script that most characters are in that have two forms; None where there are none, or as many."""
    simplified = _changed(text, "s2t")
    traditional = _changed(text, "t2s")
    return None if simplified == traditional else "Hans" if simplified > traditional else "Hant"


def _declared(language: str) -> Script | None:
    """Return the script that a tag names, or that is written in the country that it names."""
    tag = Language.get(language)
    if primary(language) != "zh" or not (tag.script or tag.territory):
        return None
    return "Hant" if tag.maximize().script == "Hant" else "Hans"


def _chinese(transcript: Transcript, segment: Segment) -> bool:
    return primary(segment.language or transcript.language) == "zh"


def _changed(text: str, name: str) -> int:
    """Return how many characters a conversion would change."""
    return sum(_converter(name).convert(character) != character for character in text if character >= "\u3400")


def _written(segment: Segment, script: Script, name: str) -> Segment:
    """Return a segment in a script; what has not a character of the other one stays as it is."""
    other = "s2t" if script == "Hant" else "t2s"
    if not _changed(segment.text, other):
        return segment
    text = _converter(name).convert(segment.text)
    return replace(segment, text=text, words=tuple(_words(segment, text, name)))


def _words(segment: Segment, text: str, name: str) -> Iterator[Word]:
    """Yield the words as they stand in the text, which knows more than each of them alone of how it is written."""
    at = 0
    for word in segment.words:
        found = segment.text.find(word.text, at)
        if found < 0 or len(text) != len(segment.text):
            yield replace(word, text=_converter(name).convert(word.text))
        else:
            at = found + len(word.text)
            yield replace(word, text=text[found:at])


@cache
def _converter(name: str) -> OpenCC:
    from opencc import OpenCC  # it loads dictionaries for a third of a second, and few recordings need them

    return OpenCC(name)
