"""WebVTT: what HTML's ``<track>`` takes, and what Zoom, YouTube and most platforms give.

Source: W3C WebVTT, section 4 for writing and section 6 for reading (https://www.w3.org/TR/webvtt1/). Cue text
escapes ``&``, ``<`` and ``>``, so it holds neither markup nor an arrow. What section 6 says is passed over is
passed over, with a word in the log: text that has no times, and times that cannot be read.

Four dialects are understood. Segments of a stream (HLS) that somebody has joined each have a header of their own: a
caption that lies over an edge stands in both of them, and ``X-TIMESTAMP-MAP`` says what is added to times (RFC 8216,
section 3.5). Zoom's transcripts put names before what is said (`metadata.captions.prefixes`),
and its closed captions send a sentence again when they go on. YouTube's automatic captions give each word its
time, and show every line twice, as lines move up. A file whose header says ``Kind: chapters`` or ``Kind:
descriptions``, or whose name does, holds what nobody says; it is read, and marked as what it is. What programs read
(``Kind: metadata``, pictures for a player's bar, JSON) is refused: it is no text at all.

The libraries that read WebVTT (webvtt-py 0.6, pysubs2 1.8, pycaption 2.3, ttconv 1.2) were tried on real files:
none keeps the times of words or more than one voice a cue, none says which line is broken, and they leave
entities escaped, or take comments and identifiers for speech, or lose captions that follow an empty one.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from html import unescape
from operator import itemgetter

import msgspec

from metadata.captions.base import CaptionFormat, Source, clock_ms, declared_language, imported, join_lines, tidy
from metadata.captions.cues import Cue, cues
from metadata.captions.prefixes import name_speakers
from metadata.captions.rolling import may_roll, new_lines, rolls
from metadata.captions.spans import Span, spoken
from metadata.errors import NotSaidError
from metadata.model import Flag, Segment, Transcript
from metadata.times import format_timestamp

logger = logging.getLogger(__name__)

TRACKS = ("chapters", "descriptions")
METADATA = "metadata"
MPEG_HZ = 90_000
"""Of the clock of MPEG-2 streams, which ``X-TIMESTAMP-MAP`` counts in."""
MPEG_WRAP = 1 << 33
"""Where that clock begins again."""

OVERLAPPED = "overlapped"
"""The class of what is said while others speak."""
# Files that others wrote have hours of one digit, commas before the fraction, more or fewer digits of it than three, or
# none, which the standard has not.
_TIME = r"(?:(\d{1,4}):)?([0-5]?\d):([0-5]\d)(?:[.,](\d{1,9}))?"
_TIMINGS = re.compile(rf"\s*{_TIME}\s*-->\s*{_TIME}(?P<settings>(?![\d.,:]).*)?", re.ASCII | re.DOTALL)
_TAG = re.compile(r"(<[^>]*>?)")
_WORD_TIME = re.compile(_TIME, re.ASCII)
_VOICE = re.compile(r"v(?P<classes>\.\S*)?\s+(?P<name>.+)", re.DOTALL)
_TAG_NAME = re.compile(r"/?[a-z]+", re.ASCII)
_ASIDE = re.compile(r"(NOTE|STYLE|REGION)(\s|$)")
_TITLE = re.compile(r"WEBVTT(?:[ \t].*)?")
_MAP = "X-TIMESTAMP-MAP="
_LOCAL = re.compile(rf"\bLOCAL:{_TIME}", re.ASCII)
_MPEG = re.compile(r"\bMPEGTS:(\d{1,12})", re.ASCII)
_PICTURES = (".avif", ".gif", ".jpeg", ".jpg", ".png", ".webp")
_SENTENCE = re.compile(r"(?:\S+\s+){3,}?\S*[.?!…](?=\s)")


def write(transcript: Transcript) -> str:
    """Return a WebVTT file; flagged segments are left out, and speakers are voice spans (section 4.2.2).

    What is said while others speak has the class ``overlapped``. A comment (section 4.1), which players pass over,
    stands where somebody may speak and no word was understood.
    """
    blocks = [(cue.start_ms, _block(cue)) for cue in cues(transcript)]
    blocks += [(each.start_ms, _note(each)) for each in transcript.segments if Flag.NOT_TRANSCRIBED in each.flags]
    return "\n".join(["WEBVTT\n", *(block for _, block in sorted(blocks, key=itemgetter(0)))])


def _note(silent: Segment) -> str:
    times = f"{format_timestamp(silent.start_ms)} to {format_timestamp(silent.end_ms)}"
    return f"NOTE not transcribed, although somebody may speak: {times}\n"


def _block(cue: Cue) -> str:
    mark = f".{OVERLAPPED}" if cue.overlapped else ""
    name = _escape(cue.speaker or "")
    # Readers take the blanks around a name away, and an arrow for times.
    voice = f"<v{mark} {name}{' ' if name.endswith('--') else ''}>" if name else f"<c{mark}>" if mark else ""
    lines = "\n".join(map(_escape, cue.lines))
    return f"{format_timestamp(cue.start_ms)} --> {format_timestamp(cue.end_ms)}\n{voice}{lines}\n"


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


@dataclass(frozen=True, slots=True)
class _Cue:
    """A cue as it stands in a file."""

    start_ms: int
    end_ms: int
    settings: str
    lines: list[str]


def detect(text: str) -> bool:
    """Whether the text begins as WebVTT does."""
    return re.match(r"WEBVTT(?:\s|$)", text) is not None


def read(text: str, source: Source) -> Transcript:
    """Return what a WebVTT file says.

    Raises:
        FormatError: it does not begin with ``WEBVTT``, or has times of which none can be read.
        NotSaidError: it holds data for programs.
    """
    lines = re.split(r"\r\n|\r|\n", text)
    if not detect(lines[0]):
        raise source.error(1, "a WebVTT file begins with 'WEBVTT'")
    header, _ = _header(lines)
    found = _joined(lines, source)
    if header.get("kind", "").lower() == METADATA or _is_for_programs(found):
        reason = "it holds data for programs (Kind: metadata), which nobody says: it is no caption file"
        raise NotSaidError(source.name, "", reason)
    language = source.language or declared_language(header.get("language", header.get("lang")))
    times = [(cue.start_ms, cue.end_ms) for cue in found]
    moves = _moves_words(found)
    if moves or may_roll(times):
        shown = [[tidy(unescape(_TAG.sub("", line))) for line in cue.lines] for cue in found]
        if moves or rolls(times, shown):
            found = [
                replace(cue, lines=[line for line, is_new in zip(cue.lines, new, strict=True) if is_new])
                for cue, new in zip(found, new_lines(shown), strict=True)
            ]
    segments = [segment for cue in found for segment in _segments(cue, language)]
    if not any(segment.speaker for segment in segments):
        segments = [*_sent_once(name_speakers(segments))]
    return imported(source, segments, generator=FORMAT.title, language=language, track=_track(header, source))


def _header(lines: Sequence[str]) -> tuple[dict[str, str], int]:
    """Return the header's fields by lower-case name, and the index of the line after it."""
    end = next((index for index, line in enumerate(lines) if index and (not line or "-->" in line)), len(lines))
    fields: dict[str, str] = {}
    # YouTube once wrote its fields into the first line: "WEBVTT Kind: captions; Language: en".
    for line in [*lines[1:end], *lines[0].removeprefix("WEBVTT").split(";")]:
        name, colon, value = line.partition("=" if line.startswith(_MAP) else ":")
        if colon:
            fields.setdefault(name.strip().lower(), value.strip())
    return fields, end


def _joined(lines: Sequence[str], source: Source) -> list[_Cue]:
    """Return the cues of all parts that have a header of their own, each once, on the clock of the first part."""
    titles = (at for at in range(2, len(lines)) if not lines[at - 1] and lines[at].startswith("WEBVTT"))
    starts = [0, *(at for at in titles if _TITLE.fullmatch(lines[at]))]
    if len(starts) == 1:
        return list(_cues(lines, _header(lines)[1], source, ahead=0))
    found: list[_Cue] = []
    last: dict[tuple[str, ...], int] = {}
    first: int | None = None
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        part = lines[start:end]
        header, body = _header(part)
        offset = _offset(header.get("x-timestamp-map", ""))
        first = offset if first is None else first
        shift_ms = _shift_ms(offset - first)
        before = len(found)
        for cue in _cues(part, body, source, ahead=start):
            _add(found, last, before, _shifted(cue, shift_ms))
    return found


def _add(found: list[_Cue], last: dict[tuple[str, ...], int], before: int, cue: _Cue) -> None:
    """Add a cue, unless it is one that went on over the edge of a part, or stands in two of them.

    Args:
        found: the cues until now.
        last: where the last cue of each text is among them.
        before: how many are of the parts before this one.
        cue: what is added.
    """
    at = last.get(tuple(cue.lines), before)
    if at < before and found[at].start_ms <= cue.start_ms <= found[at].end_ms:
        found[at] = replace(found[at], end_ms=max(found[at].end_ms, cue.end_ms))
    else:
        last[tuple(cue.lines)] = len(found)
        found.append(cue)


def _shifted(cue: _Cue, ms: int) -> _Cue:
    return replace(cue, start_ms=max(cue.start_ms + ms, 0), end_ms=max(cue.end_ms + ms, 0)) if ms else cue


def _offset(mapping: str) -> int:
    """Return the ticks that a map of times adds to those of its part; without one, none (RFC 8216, section 3.5)."""
    local, mpeg = _LOCAL.search(mapping), _MPEG.search(mapping)
    return int(mpeg[1]) - (clock_ms(local.groups()) if local else 0) * MPEG_HZ // 1000 if mpeg else 0


def _shift_ms(ticks: int) -> int:
    """Return how much later a part is; where the stream's clock began again in between, it seems much earlier."""
    return round((ticks + MPEG_WRAP if ticks < -MPEG_WRAP // 2 else ticks) * 1000 / MPEG_HZ)


def _is_for_programs(found: Sequence[_Cue]) -> bool:
    """Whether every cue names a picture, or is an object of JSON."""
    texts = ("\n".join(cue.lines).strip() for cue in found)
    return bool(found) and all(_is_picture(text) or _is_json(text) for text in texts)


def _is_picture(text: str) -> bool:
    """Whether it is the address of a picture, and perhaps of a part of it: ``sprite.jpg#xywh=0,0,160,90``."""
    return len(text.split()) == 1 and re.split("[?#]", text, maxsplit=1)[0].lower().endswith(_PICTURES)


def _is_json(text: str) -> bool:
    try:
        return text.startswith("{") and isinstance(msgspec.json.decode(text), dict)
    except msgspec.DecodeError:
        return False


def _track(header: dict[str, str], source: Source) -> str | None:
    kind = header.get("kind", "").lower()
    if kind in {"captions", "subtitles"}:
        return None
    words = {word.rstrip("s") + "s" for word in re.split(r"[\W_]+", source.name.lower())}
    return next((track for track in TRACKS if track == kind or track in words), None)


def _blocks(lines: Sequence[str], first: int) -> Iterator[tuple[int, list[str]]]:
    """Yield runs of lines with the number of their first; a second line of times begins a new one (section 6.2)."""
    block: list[str] = []
    for number, line in enumerate(lines[first:], start=first + 1):
        ends = block and (not line or ("-->" in line and (len(block) > 1 or "-->" in block[0])))
        if ends:
            yield number - len(block), block
            block = []
        if line:
            block.append(line)
    if block:
        yield len(lines) + 1 - len(block), block


def _cues(lines: Sequence[str], first: int, source: Source, *, ahead: int) -> Iterator[_Cue]:
    """Yield the cues of a part: its lines, where its header ends, and how many lines stand before it in the file."""
    broken: int | None = None
    any_read = False
    for at_line, block in _blocks(lines, first):
        number = at_line + ahead
        at = 0 if "-->" in block[0] else 1 if len(block) > 1 and "-->" in block[1] else None
        if at is None:
            if not _ASIDE.match(block[0]):
                logger.warning("%s: line %d: text without times is passed over", source.name, number)
        elif match := _TIMINGS.fullmatch(block[at]):
            any_read = True
            groups = match.groups()
            yield _Cue(clock_ms(groups[:4]), clock_ms(groups[4:8]), match["settings"] or "", block[at + 1 :])
        else:
            logger.warning("%s: line %d: times that cannot be read are passed over", source.name, number + at)
            broken = broken or number + at
    if broken and not any_read:
        raise source.error(broken, "expected times such as '00:01.000 --> 00:02.500'")


def _spans(payload: str) -> Iterator[Span]:
    """Cut a cue's text at its tags; how ruby is read, which goes on until the next base (section 6.4), is left out."""
    speaker: str | None = None
    start_ms: int | None = None
    ruby = reading = overlapped = False
    for token in _TAG.split(payload):
        if not token.startswith("<"):
            if token and not reading:
                yield Span(text=unescape(token), speaker=speaker, start_ms=start_ms, overlapped=overlapped)
            continue
        tag = token[1:].removesuffix(">")
        name = _TAG_NAME.match(tag)
        if match := _WORD_TIME.fullmatch(tag):
            start_ms = clock_ms(match.groups())
        elif match := _VOICE.fullmatch(tag):
            speaker = tidy(unescape(match["name"])) or None
            overlapped = OVERLAPPED in (match["classes"] or "").split(".")
        elif tag == f"c.{OVERLAPPED}":
            overlapped = True
        elif tag == "/v":
            speaker, overlapped = None, False
        elif name and name[0] == "br":  # which is HTML's
            yield Span(text="\n", speaker=speaker, start_ms=start_ms, overlapped=overlapped)
        elif name and name[0] in {"ruby", "/ruby"}:
            ruby, reading = name[0] == "ruby", False
        elif name and name[0] in {"rt", "/rt"}:
            reading = ruby and name[0] == "rt"


def _segments(cue: _Cue, language: str) -> Iterator[Segment]:
    payload = "\n".join(cue.lines)
    end_ms = max(cue.start_ms, cue.end_ms)
    if "<" in payload:
        yield from spoken(list(_spans(payload)), cue.start_ms, end_ms, language)
    elif payload:  # as most are: nobody is named, and no word has a time
        text = join_lines(unescape(payload).split("\n"), language)
        yield Segment(start_ms=cue.start_ms, end_ms=end_ms, text=text)


def _moves_words(found: Sequence[_Cue]) -> bool:
    """Whether lines move up, as in YouTube's automatic captions: words have times, and lines come twice."""
    if not any("position:0%" in cue.settings for cue in found):
        return False
    return any(_WORD_TIME.fullmatch(tag[1:-1]) for cue in found for line in cue.lines for tag in _TAG.findall(line))


def _sent_once(segments: Sequence[Segment]) -> Iterator[Segment]:
    """Leave out a sentence of four words or more that the caption just before began with too (Zoom)."""
    before: Segment | None = None
    for segment in segments:
        goes_on = before is not None and before.end_ms == segment.start_ms
        again = _SENTENCE.match(segment.text) if goes_on else None
        if before and again and before.text.startswith(again[0]):
            yield replace(segment, text=segment.text[again.end() :].strip())
        else:
            yield segment
        before = segment


FORMAT = CaptionFormat(
    name="vtt", title="WebVTT", media_type="text/vtt", suffix=".vtt", write=write, read=read, detect=detect
)
