"""TTML and its profiles IMSC and EBU-TT-D: what broadcasters and archives exchange.

Source: W3C TTML2 (https://www.w3.org/TR/ttml2/), sections 8 (content), 10 (times) and 12 (metadata: speakers are
``ttm:agent``); for time codes TTML1 (https://www.w3.org/TR/ttml1/), annex N.3. Drafts of 2004 to 2006 are read too,
whose namespaces differ, and so are times without a unit, as SMIL writes them and Apple's transcripts have them
(https://www.w3.org/TR/SMIL3/smil-timing.html#Timing-ClockValueSyntax). Written are documents of the IMSC 1.1 Text
profile (https://www.w3.org/TR/ttml-imsc1.1/).

Read are the times, text and agents of paragraphs. ttconv's reader was tried: it keeps how captions look, which
a transcript has no use for, and drops who speaks. XML is parsed by defusedxml, which refuses document types, so
that nothing is expanded or fetched (https://pypi.org/project/defusedxml/).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil
from xml.etree.ElementTree import Element, ParseError
from xml.sax.saxutils import escape, quoteattr

from defusedxml import DefusedXmlException, ElementTree

from metadata.captions.base import LONGEST_MS, CaptionFormat, Source, declared_language, imported, tidy
from metadata.captions.cues import Cue, cues
from metadata.captions.spans import Span, spoken
from metadata.model import Segment, Transcript
from metadata.times import format_timestamp

TT = "http://www.w3.org/ns/ttml"
_PARAMETER, _METADATA, _STYLING = "parameter", "metadata", "styling"
"""How the namespaces of attributes end, in TTML and in its drafts (http://www.w3.org/2006/10/ttaf1#parameter)."""
_READINGS = frozenset({"text", "textContainer", "delimiter"})
"""Values of ``tts:ruby`` of what tells how the base beside it is read (TTML2, 10.2.35)."""
_TIMES = ("begin", "end", "dur")
_XML = "{http://www.w3.org/XML/1998/namespace}"
_CLOCK = re.compile(r"(\d{1,4}):([0-5]\d):([0-5]\d|60)(?:(\.\d{1,30})|:(\d{2,3})(?:\.(\d{1,3}))?)?", re.ASCII)
OVERLAPPED = "x-overlapped"
"""The role of what is said while others speak: TTML2, section 14.3.4, has none for it, and takes those with ``x-``."""
_OFFSET = re.compile(r"(\d{1,12}(?:\.\d{1,30})?)(h|ms|m|s|f|t)", re.ASCII)
_SMIL = re.compile(r"(?:([0-5]?\d):([0-5]\d)|(\d{1,9}))(\.\d{1,30})?", re.ASCII)
"""Minutes and seconds, or seconds alone. A document that has any counts all of its times from its own beginning."""
_FIRST = re.compile(r"(?>\s|<\?.*?\?>|<!--.*?-->|<![A-Z][^>]*>)*+<(?:\w+:)?tt[\s>/]", re.DOTALL)
_NOT_XML = re.compile("[\ud800-\udfff\ufffe\uffff]")
"""What XML 1.0 (section 2.2, Char) excludes and `metadata.captions.cues.clean` leaves."""


def write(transcript: Transcript) -> str:
    """Return an IMSC document; flagged segments are left out, and what is said while others speak has a role."""
    found = cues(transcript)
    agents = {name: f"s{number}" for number, name in enumerate(dict.fromkeys(c.speaker for c in found if c.speaker), 1)}
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<tt xmlns="{TT}" xmlns:ttm="{TT}#metadata" xmlns:ttp="{TT}#parameter"',
        f'    ttp:contentProfiles="{TT}/profile/imsc1.1/text" ttp:timeBase="media"',
        f"    xml:lang={quoteattr(transcript.language)}>",
    ]
    if agents:
        lines += ["  <head>", "    <metadata>", *map(_agent, agents, agents.values()), "    </metadata>", "  </head>"]
    lines += ["  <body>", "    <div>", *(_paragraph(cue, agents) for cue in found), "    </div>", "  </body>", "</tt>"]
    return "\n".join(lines) + "\n"


def _agent(name: str, key: str) -> str:
    return f'      <ttm:agent xml:id="{key}" type="person"><ttm:name type="full">{_escape(name)}</ttm:name></ttm:agent>'


def _paragraph(cue: Cue, agents: dict[str, str]) -> str:
    agent = f' ttm:agent="{agents[cue.speaker]}"' if cue.speaker else ""
    times = f'begin="{format_timestamp(cue.start_ms)}" end="{format_timestamp(cue.end_ms)}"'
    role = f' ttm:role="{OVERLAPPED}"' if cue.overlapped else ""
    return f"      <p {times}{agent}{role}>{'<br/>'.join(map(_escape, cue.lines))}</p>"


def _escape(text: str) -> str:
    return escape(_NOT_XML.sub("\ufffd", text))


def detect(text: str) -> bool:
    """Whether the text's first element is ``tt``."""
    return _FIRST.match(text[:4000]) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Clock:
    """What a document's times are counted in.

    Attributes:
        source: the file.
        labels: frames that a second of a time code counts: ``ttp:frameRate``.
        frames: frames that are shown in a second.
        subframes: parts of a frame that can be named.
        ticks: in a second.
        coded: whether times are time codes (``ttp:timeBase="smpte"``), which count frames and not seconds.
        drop: ``ttp:dropMode``: which codes are left out so that they keep up with the clock.
    """

    source: Source
    labels: Fraction
    frames: Fraction
    subframes: Fraction
    ticks: Fraction
    coded: bool
    drop: str

    @property
    def hour_ms(self) -> float:
        """How long an hour lasts as the document counts it, in milliseconds."""
        return float(self._code_seconds(1, 0, 0, Fraction(0)) * 1000) if self.coded else 3_600_000.0

    def ms(self, expression: str, where: str) -> int:
        """Return the milliseconds of a time expression (section 10.3.1)."""
        value = expression.strip()
        if match := _CLOCK.fullmatch(value):
            hours, minutes, seconds = int(match[1]), int(match[2]), int(match[3])
            frames = int(match[5] or 0) + Fraction(int(match[6] or 0)) / self.subframes
            if self.coded and match[4] is None:
                time = self._code_seconds(hours, minutes, seconds, frames)
            else:
                time = hours * 3600 + minutes * 60 + seconds + Fraction(match[4] or 0) + frames / self.frames
        elif match := _OFFSET.fullmatch(value):
            unit = {"h": Fraction(3600), "m": Fraction(60), "s": Fraction(1), "ms": Fraction(1, 1000)}
            unit |= {"f": 1 / self.frames, "t": 1 / self.ticks}
            time = Fraction(match[1]) * unit[match[2]]
        elif match := _SMIL.fullmatch(value):
            time = int(match[1] or 0) * 60 + int(match[2] or match[3]) + Fraction(match[4] or 0)
        else:
            raise self.source.error(where, f"cannot read {value[:40]!r} as a time")
        # Where codes are left out, the frame of a whole minute begins a little before it: it shows from then on.
        if (ms := ceil(time * 1000) if self.drop else round(time * 1000)) > LONGEST_MS:
            raise self.source.error(where, "a time beyond 1,000 hours")
        return ms

    def _code_seconds(self, hours: int, minutes: int, seconds: int, frames: Fraction) -> Fraction:
        """Return the seconds of a time code (TTML1, N.3)."""
        counted = (3600 * hours + 60 * minutes + seconds) * self.labels + frames
        left_out = {
            "dropNTSC": (hours * 54 + minutes - minutes // 10) * 2,
            "dropPAL": (hours * 27 + minutes // 2 - minutes // 20) * 4,
        }
        return (counted - left_out.get(self.drop, 0)) / self.frames


def read(text: str, source: Source) -> Transcript:
    """Return what a TTML document says.

    Raises:
        FormatError: it is not well-formed, brings a document type, is no TTML, or has a time that is none.
    """
    body = re.sub(r"^\s*<\?xml[^>]*\?>", "", text)  # whose encoding is no longer true of text
    try:
        root = ElementTree.fromstring(body, forbid_dtd=True)
    except ParseError as error:
        line, column = error.position
        reason = str(error).split(":")[0]
        raise source.error(f"line {line}, column {column}", f"not well-formed XML ({reason})") from error
    except DefusedXmlException as error:
        raise source.error("", "a document type, which could expand or fetch things, is not read") from error
    except ValueError as error:
        raise source.error("", f"not XML ({error})") from error
    if _local(root) != "tt":
        raise source.error("line 1", "expected the element 'tt'")
    agents = {
        agent.get(f"{_XML}id", ""): "".join(name.itertext())
        for agent in root.iter()
        if _local(agent) == "agent"
        for name in agent.iter()
        if _local(name) == "name"
    }
    said = root.get(f"{_XML}lang") or next(
        (each.get(f"{_XML}lang") for each in root.iter() if each.get(f"{_XML}lang")), None
    )
    language = source.language or declared_language(said)
    clock = _clock(root, source)
    readings = frozenset(
        each.get(f"{_XML}id", "") for each in root.iter() if _local(each) == "style" and _is_reading(each, frozenset())
    )
    times = (each.get(name) or "" for each in root.iter() for name in _TIMES)
    from_zero = any(_SMIL.fullmatch(time.strip()) for time in times)
    reader = _Reader(source, clock, agents, language, source.duration_ms, readings, from_zero)
    found = [child for child in root if _local(child) == "body"]
    segments = [segment for child in found for segment in reader.segments(child, _Place(start_ms=0), "body")]
    return imported(source, segments, generator=FORMAT.title, language=language, hour_ms=clock.hour_ms)


def _clock(root: Element, source: Source) -> _Clock:
    """Return the clock that the root's parameters set (section 6.2)."""
    labels = _number(root, "frameRate", 30, source)
    multiplier = (_attribute(root, _PARAMETER, "frameRateMultiplier") or "1 1").replace(":", " ").split()
    if len(multiplier) != 2 or not all(re.fullmatch(r"[1-9]\d{0,8}", part, re.ASCII) for part in multiplier):
        raise source.error("ttp:frameRateMultiplier", "expected two numbers, such as '1000 1001'")
    frames = labels * Fraction(int(multiplier[0]), int(multiplier[1]))
    has_rate = _attribute(root, _PARAMETER, "frameRate") is not None
    coded = _attribute(root, _PARAMETER, "timeBase") == "smpte"
    drop = _attribute(root, _PARAMETER, "dropMode") or ""
    return _Clock(
        source=source,
        labels=labels,
        frames=frames,
        subframes=_number(root, "subFrameRate", 1, source),
        ticks=_number(root, "tickRate", frames if has_rate else Fraction(1), source),
        coded=coded,
        drop=drop if coded and drop in {"dropNTSC", "dropPAL"} else "",
    )


def _number(root: Element, name: str, default: int | Fraction, source: Source) -> Fraction:
    value = _attribute(root, _PARAMETER, name)
    if value is None:
        return Fraction(default)
    if not re.fullmatch(r"[1-9]\d{0,11}", value.strip(), re.ASCII):
        raise source.error(f"ttp:{name}", "expected a whole number above 0")
    return Fraction(int(value))


def _attribute(element: Element, space: str, name: str) -> str | None:
    """Return an attribute of TTML's or of a draft's namespace; None where there is none."""
    endings = (f"#{space}}}{name}", f"/{space}}}{name}")
    return next((value for key, value in element.items() if key.startswith("{") and key.endswith(endings)), None)


def _is_reading(element: Element, styles: frozenset[str]) -> bool:
    """Whether an element, or a style of it, tells how something else is read."""
    named = set((element.get("style") or "").split())
    return _attribute(element, _STYLING, "ruby") in _READINGS or not styles.isdisjoint(named)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """When an element is active, and who speaks in it.

    Attributes:
        start_ms: when it begins.
        end_ms: when it ends; None is not before the document does.
        speaker: the name.
        is_timed: whether an element of the text, not the paragraph alone, has times.
    """

    start_ms: int
    end_ms: int | None = None
    speaker: str | None = None
    is_timed: bool = False


@dataclass(frozen=True, slots=True)
class _Reader:
    """Walks the body; times count from where the parent begins, or the element before ends (section 10.2)."""

    source: Source
    clock: _Clock
    agents: dict[str, str]
    language: str
    duration_ms: int | None
    readings: frozenset[str]
    """Styles of what tells how something else is read."""
    from_zero: bool
    """Whether all times count from the document's beginning."""

    def segments(self, element: Element, parent: _Place, path: str) -> Iterator[Segment]:
        """Yield the paragraphs inside an element."""
        place = self.place(element, parent, path)
        if _local(element) == "p":
            yield from self.paragraph(element, place, path)
            return
        at_ms, in_turn = place.start_ms, element.get("timeContainer") == "seq"
        for number, child in enumerate(element, start=1):
            if _local(child) in {"div", "p"}:
                inside = f"{path}/{_local(child)}[{number}]"
                found = list(self.segments(child, replace(place, start_ms=at_ms), inside))
                yield from found
                if in_turn:
                    at_ms = self.end(child, replace(place, start_ms=at_ms), inside, found)

    def end(self, element: Element, parent: _Place, path: str, found: Sequence[Segment]) -> int:
        """Return when the next element of a sequence may begin: a paragraph without an end takes no time."""
        place = self.place(element, parent, path)
        if place.end_ms is not None and (element.get("end") or element.get("dur")):
            return place.end_ms
        inner = [] if _local(element) == "p" else [each.end_ms for each in found]
        return max([place.start_ms, *inner])

    def place(self, element: Element, parent: _Place, path: str) -> _Place:
        """Return when an element is active, and who speaks in it; no end is that of its parent."""
        begin, end, duration = (element.get(name) for name in _TIMES)
        zero = 0 if self.from_zero else parent.start_ms
        start = zero + self.clock.ms(begin, path) if begin else parent.start_ms
        ends = [parent.end_ms] if parent.end_ms is not None else []
        ends += [zero + self.clock.ms(end, path)] if end else []
        ends += [start + self.clock.ms(duration, path)] if duration else []
        agent = _attribute(element, _METADATA, "agent")
        name = self.agents.get((agent.split() or [""])[0], agent) if agent else None
        speaker = (tidy(name) or None) if name else parent.speaker
        is_timed = _local(element) == "span" and (parent.is_timed or _has_times(element))
        return _Place(start_ms=start, end_ms=min(ends) if ends else None, speaker=speaker, is_timed=is_timed)

    def paragraph(self, element: Element, place: _Place, path: str) -> Iterator[Segment]:
        """Yield what each voice of a paragraph says; where it has no times, its spans' first and last are."""
        runs = [(inner, text) for inner, text in self.runs(element, place, path) if text]
        timed = [inner for inner, text in runs if inner.is_timed and text.strip()]
        start, end = place.start_ms, place.end_ms
        if timed and not _has_times(element):
            start = min(each.start_ms for each in timed)
            ends = [each.end_ms for each in timed]
            end = end if None in ends else max(each for each in ends if each is not None)
        if end is None:
            end = self.duration_ms or start
        # Times of words are those of spans that hold a word each; longer ones do not say when each word is said.
        words = timed and all(len(text.split()) <= 1 for inner, text in runs if inner.is_timed)
        overlapped = OVERLAPPED in (_attribute(element, _METADATA, "role") or "").split()
        spans = [
            Span(
                text=" ".join(text.split("\n")).replace("\v", "\n"),
                speaker=inner.speaker,
                start_ms=inner.start_ms if words and inner.is_timed else None,
                end_ms=inner.end_ms if words and inner.is_timed else None,
                overlapped=overlapped,
            )
            for inner, text in runs
        ]
        return spoken(spans, start, max(start, end), self.language)

    def runs(self, element: Element, place: _Place, path: str) -> Iterator[tuple[_Place, str]]:
        """Yield the text of an element, with a vertical tab for every break, without metadata and readings."""
        yield place, element.text or ""
        at_ms, in_turn = place.start_ms, element.get("timeContainer") == "seq"
        for child in element:
            name = _local(child)
            if name == "br":
                yield place, "\v"
            elif name == "span" and not _is_reading(child, self.readings):
                parent = replace(place, start_ms=at_ms)
                yield from self.runs(child, self.place(child, parent, path), path)
                at_ms = self.end(child, parent, path, ()) if in_turn else at_ms
            yield place, child.tail or ""


def _has_times(element: Element) -> bool:
    return any(element.get(name) for name in _TIMES)


def _local(element: Element) -> str:
    """Return an element's name without its namespace, which drafts of TTML spell in several ways."""
    return element.tag.rpartition("}")[2] if isinstance(element.tag, str) else ""


FORMAT = CaptionFormat(
    name="ttml",
    title="TTML",
    media_type="application/ttml+xml",
    suffix=".ttml",
    other_suffixes=(".dfxp",),
    write=write,
    read=read,
    detect=detect,
)
