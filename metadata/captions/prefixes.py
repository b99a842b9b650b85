"""Speakers' names before what they say, as Zoom's transcripts and many SRT files have them: ``Ada: Hello``.

A colon alone makes no name. A file names speakers where at least half of its captions begin so (Zoom), or
where several names come back (the Podcast Index's SRT, which names a speaker at each change, so that a name
holds until the next: https://github.com/Podcastindex-org/podcast-namespace/blob/main/docs/examples/transcripts/transcripts.md).
Elsewhere the text stays as it is. WhisperX writes names in brackets (``[SPEAKER_00]: Hello``), broadcasters two angles
before them (``>> ADA: Hello``).
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from metadata.model import Segment, Transcript

_NAME = r"[^\W\d_][^\s:\[\]]*(?: [^\s:\[\]]+){0,4}"
_PREFIX = re.compile(rf"(?:>> ?)?(?:(?P<name>{_NAME})|\[(?P<inside>[^\[\]\n]{{1,200}})\]):\s+(?P<said>\S.*)", re.DOTALL)


def name_speakers(segments: Sequence[Segment]) -> tuple[Segment, ...]:
    """Return segments with the names taken from their text, if the file names speakers at all."""
    found = [_PREFIX.fullmatch(segment.text) if ":" in segment.text else None for segment in segments]
    names_found = [match and (match["name"] or match["inside"]) for match in found]
    counts = Counter(name for name in names_found if name)
    everywhere = counts.total() >= 2 and counts.total() * 2 >= len(segments)
    names = set(counts) if everywhere else {name for name, count in counts.items() if count > 1 and _is_title(name)}
    if not everywhere and len(names) < 2:
        return tuple(segments)
    result, current = [], None
    for segment, match, name in zip(segments, found, names_found, strict=True):
        if match and name in names:
            current = name
            result.append(replace(segment, text=match["said"], speaker=current))
        else:
            result.append(segment if everywhere else replace(segment, speaker=current))
    return tuple(result)


def prefixed(speaker: str | None) -> str:
    """Return what stands before what somebody says, so that `name_speakers` takes it for a name again.

    >>> prefixed("Noor Okafor"), prefixed("3rd: a student [online]"), prefixed(None)
    ('Noor Okafor: ', '[3rd: a student (online)]: ', '')
    """
    if not speaker:
        return ""
    if re.fullmatch(_NAME, speaker):
        return f"{speaker}: "
    return f"[{speaker.translate(_ROUND)}]: "


_ROUND = str.maketrans("[]", "()")


def voice_label(text: str | None) -> str | None:
    r"""Return what a voice is called, on one line: without what a terminal, XML or the direction of text would obey.

    What is longer than a name can be is cut, and nothing at all is None.
    Source of the marks that are left out: Unicode Standard Annex 9, explicit formatting characters.

    >>> voice_label(" Noor\x1b  \u202eOkafor ")
    'Noor Okafor'
    """
    plain = "".join(" " if unicodedata.category(char) in _OBEYED else char for char in text or "")
    short = " ".join(_EXPLICIT.sub("", plain).split())
    return (short if len(short) <= LONGEST_LABEL else f"{short[: LONGEST_LABEL - 1].rstrip()}…") or None


LONGEST_LABEL = 200
"""Characters of what a voice is called."""
_OBEYED = frozenset({"Cc", "Cs", "Zl", "Zp"})
_EXPLICIT = re.compile("[\u202a-\u202e\u2066-\u2069]")


def without_speakers(transcript: Transcript) -> Transcript:
    """Return a transcript that does not say who speaks: for players in which names would stand in the text."""
    return replace(transcript, segments=tuple(replace(segment, speaker=None) for segment in transcript.segments))


def _is_title(name: str) -> bool:
    """Whether every word begins as a name's does."""
    return all(word[0] == word[0].upper() for word in name.split(" "))
