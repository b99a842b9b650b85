"""Which session a recording is of: what speaks for it, what against it, and how sure that is.

Every sign is worth something on its own, by `WEIGHTS`; signs that do not depend on each other add up as
independent chances do, ``1 - (1 - a)(1 - b)``, and what speaks against a session divides what is left. The best
session is *certain* only where it is nearly sure and far ahead of the next: everything else is for a person.

A name's words count by how rare they are among the sessions' titles (Spärck Jones 1972, inverse document
frequency), and words match that differ by a slip (rapidfuzz, normalised Indel similarity).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property, lru_cache
from pathlib import PurePath

from rapidfuzz import fuzz
from slugify import slugify

from metadata.errors import InvalidTimeError
from metadata.times import parse_zone

WEIGHTS = {"id": 0.97, "number": 0.6, "title": 0.85, "speaker": 0.55, "time": 0.85, "room": 0.35, "length": 0.4}
AGAINST = {"day": 0.3, "time": 0.6, "room": 0.4, "length": 0.6}
CERTAIN = 0.9
"""What the best must score; the next must be `AHEAD` times as doubtful. Below `POSSIBLE` nothing is proposed."""
AHEAD = 3.0
POSSIBLE = 0.3

_NEAR = timedelta(minutes=30)
_SLIP = 85.0
_NOISE = re.compile(
    r"gmt\d*|recording|record|video|audio|final|edited?|export(ed)?|hd|sd|full|raw|cam\d*|camera|room|copy|zoom|mp4|"
    r"talk|v\d+|\d{3,4}x\d{3,4}|(480|720|1080|2160)p?|4k|de|en|es|fr|eng|deu|the|a|an|of|and|to|in|on|for|is|der|die|das"
)
_GMT = re.compile(r"GMT(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)", re.ASCII)
_DAY = r"(?<!\d)((?:19|20)\d\d)[-_.]?(0[1-9]|1[0-2])[-_.]?(0[1-9]|[12]\d|3[01])"
_LOCAL = re.compile(
    _DAY + r"(?:[-_ T]|(?:[-_ ]at[-_ ]))+([01]\d|2[0-3])[-_.:h]?([0-5]\d)(?:[-_.:]?([0-5]\d))?(?!\d)", re.ASCII
)
_DATE = re.compile(_DAY + r"(?!\d)", re.ASCII)


@dataclass(frozen=True)
class Talk:
    """A session that a recording may be of.

    Attributes:
        id: in the catalogue.
        label: for people: ``event/session``.
        ids: what other systems call it, and its slug.
        start: zoned, where the timetable says so.
        zone: the event's time zone.
    """

    id: int
    label: str
    title: str
    people: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    room: str | None = None
    start: datetime | None = None
    planned_ms: int | None = None
    zone: str = "UTC"

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The title's words, as names of files have them."""
        return _words(self.title)


@dataclass(frozen=True)
class File:
    """What is known of a recording.

    Attributes:
        name: its file's.
        folder: the name of the folder it lay in.
        started: when its container says that it began, zoned.
        tags: what its container says in words.
    """

    name: str
    folder: str = ""
    started: datetime | None = None
    duration_ms: int | None = None
    tags: tuple[str, ...] = ()

    @cached_property
    def text(self) -> str:
        """Everything that is said of it in words, with single spaces around each."""
        said = slugify(" ".join([self.folder, PurePath(self.name).stem, *self.tags]), separator=" ")
        return f" {said} "

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words of its name and its own title that say something."""
        words = _words(" ".join([PurePath(self.name).stem, *self.tags]))
        return tuple(word for word in words if not (word.isdigit() and len(word) > 2))


@dataclass(frozen=True, slots=True)
class Match:
    """How well a session fits, 0 to 1, and why, in words."""

    talk: Talk
    score: float
    reasons: tuple[str, ...]


def matches(file: File, talks: Sequence[Talk]) -> list[Match]:
    """Return the sessions that a recording could be of, the likeliest first."""
    rarity, rooms = _rarity(tuple(talk.title for talk in talks)), {talk.room for talk in talks if talk.room}
    found = [_match(file, talk, rarity, rooms) for talk in talks]
    return sorted((match for match in found if match.score >= POSSIBLE), key=lambda match: -match.score)


def certain(found: Sequence[Match]) -> Match | None:
    """Return the match that needs nobody's word, if there is one."""
    if not found or found[0].score < CERTAIN:
        return None
    return found[0] if len(found) == 1 or 1 - found[1].score >= AHEAD * (1 - found[0].score) else None


def _match(file: File, talk: Talk, rarity: dict[str, float], rooms: set[str]) -> Match:
    doubt, reasons = 1.0, []
    for kind, share, reason in (*_named(file, talk), *_titled(file, talk, rarity), *_placed(file, talk)):
        doubt *= 1 - WEIGHTS[kind] * share
        reasons.append(reason)
    times = list(_timed(file, talk))
    for kind, share, reason in times:
        doubt *= 1 - WEIGHTS[kind] * share
        reasons.append(reason)
    score = 1 - doubt
    for kind, reason in _against(file, talk, rooms, timed=bool(times)):
        score *= AGAINST[kind]
        reasons.append(reason)
    return Match(talk, score, tuple(reasons))


Sign = tuple[str, float, str]
"""Its kind, what there is of it (0 to 1), and the same in words."""


def _named(file: File, talk: Talk) -> Iterator[Sign]:
    """Yield whether the file carries one of the session's own names."""
    stem = slugify(PurePath(file.name).stem)
    for name in talk.ids:
        slug = slugify(name, separator=" ")
        if slug and (slugify(name) == stem or f" {slug} " in file.text):
            # A short number may be a year or a camera's; a slug of one word may be anyone's.
            weak = slug.isdigit() and len(slug) < 6
            if slugify(name) == stem or weak or " " in slug or any(char.isdigit() for char in slug):
                yield ("number" if weak else "id"), 1.0, f"is named {name}"
                return


def _titled(file: File, talk: Talk, rarity: dict[str, float]) -> Iterator[Sign]:
    """Yield how much of the title is in the file's name and the other way round, and who is."""
    spoken = {word for person in talk.people for word in _words(person)}
    named = [word for word in file.words if not any(_same(word, each) for each in spoken)]
    hits = {word for word in talk.words if any(_same(word, each) for each in named)}
    if hits and (len(hits) > 1 or len(set(talk.words)) == 1):
        weight = {word: rarity.get(word, max(rarity.values(), default=1.0)) for word in {*talk.words, *named}}
        shared = sum(weight[word] for word in hits)
        recall = shared / sum(weight[word] for word in set(talk.words))
        back = sum(weight[word] for word in set(named) if any(_same(word, each) for each in hits))
        precision = back / sum(weight[word] for word in set(named))
        share = 0.6 * max(recall, precision) + 0.4 * min(recall, precision)
        yield "title", share, f"title fits by {share:.0%}"
    heard = [person for person in talk.people if _is_named(person, file.words)]
    if heard:
        yield "speaker", 1.0, f"names {', '.join(heard)}"


def _is_named(person: str, words: Sequence[str]) -> bool:
    """Whether a person's last name, or whole name, is among words."""
    own = [word for word in slugify(person, separator=" ").split() if len(word) > 2]
    return bool(own) and any(_same(own[-1], word) for word in words)


def _placed(file: File, talk: Talk) -> Iterator[Sign]:
    if talk.room and mentions(file, talk.room):
        yield "room", 1.0, f"from {talk.room}"


def mentions(file: File, room: str) -> bool:
    """Whether a file's name, folder or tags name a room."""
    slug = slugify(room, separator=" ")
    return bool(slug) and f" {slug} " in file.text


def _timed(file: File, talk: Talk) -> Iterator[Sign]:
    """Yield how near the recording begins to the session, and whether it is as long."""
    if talk.start is None:
        return
    best, how = 0.0, ""
    for moment, trust in starts(file, talk.zone):
        apart = moment - talk.start
        fit = trust * max(
            0.0, 1 - max(abs(apart) - timedelta(minutes=10), timedelta()) / (_NEAR - timedelta(minutes=10))
        )
        if fit > best:
            minutes = round(apart.total_seconds() / 60)
            best, how = fit, f"begins {abs(minutes)} min {'after' if minutes >= 0 else 'before'} its start"
    if best:
        yield "time", best, how
        if talk.planned_ms and file.duration_ms:
            ratio = min(talk.planned_ms, file.duration_ms) / max(talk.planned_ms, file.duration_ms)
            if ratio >= 0.6:
                yield "length", ratio, f"lasts {file.duration_ms // 60_000} of {talk.planned_ms // 60_000} min"


def _against(file: File, talk: Talk, rooms: set[str], *, timed: bool) -> Iterator[tuple[str, str]]:
    """Yield what speaks against a session."""
    if talk.start is not None and not timed:
        local = talk.start.astimezone(parse_zone(talk.zone)).date()
        day = _DATE.search(f"{file.folder} {file.name}")
        if day and not _GMT.search(file.name) and "-".join(day.groups()) != local.isoformat():
            yield "day", "but on another day"
        elif list(starts(file, talk.zone)):
            yield "time", "but begins at another time"
    if talk.room and not mentions(file, talk.room) and any(mentions(file, room) for room in rooms):
        yield "room", "but from another room"
    if talk.planned_ms and file.duration_ms and file.duration_ms > 2.5 * talk.planned_ms + 600_000:
        yield "length", "but much longer"


def starts(file: File, zone: str) -> Iterator[tuple[datetime, float]]:
    """Yield moments at which a recording may have begun, and how far each is to be trusted, 0 to 1.

    Zoom's names are in UTC, other programs' in local time. Containers' times should be UTC (ISO 14496-12,
    8.2.2.3), yet cameras write local time there, and some write the time at which they stopped.
    """
    local = parse_zone(zone)
    try:
        if match := _GMT.search(file.name):
            yield datetime(*map(int, match.groups()), tzinfo=UTC), 1.0  # type: ignore[misc,arg-type]
            return
        if match := _LOCAL.search(file.name):
            yield datetime(*(int(part or 0) for part in match.groups()), tzinfo=local), 0.95  # type: ignore[misc,arg-type]
            return
    except ValueError:
        pass  # digits that are no date
    if file.started is not None:
        yield file.started, 0.85
        yield file.started.replace(tzinfo=local), 0.5
        if file.duration_ms:
            yield file.started - timedelta(milliseconds=file.duration_ms), 0.5


def _words(text: str) -> tuple[str, ...]:
    apart = re.sub(r"(?<=[^\W\d_])(?<![A-Z])(?=[A-Z])", " ", text)
    return tuple(word for word in slugify(apart, separator=" ").split() if not _NOISE.fullmatch(word))


@lru_cache(maxsize=65_536)
def _same(one: str, other: str) -> bool:
    """Whether two words are the same but for a slip; short words must be the same."""
    return one == other or (min(len(one), len(other)) > 4 and fuzz.ratio(one, other) >= _SLIP)


@lru_cache(maxsize=8)
def _rarity(titles: tuple[str, ...]) -> dict[str, float]:
    """Return the inverse document frequency of every word among titles."""
    counts = Counter(word for title in titles for word in set(_words(title)))
    return {word: math.log(1 + len(titles) / count) for word, count in counts.items()}


def parse_started(text: str | None) -> datetime | None:
    """Return a container's time as a zoned moment, or None for none, and for clocks that were never set."""
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    if moment is None or moment.year < 1980:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def zone_or_utc(name: str) -> str:
    """Return a time zone's name, or UTC's for one that is not known here."""
    try:
        parse_zone(name)
    except InvalidTimeError:
        return "UTC"
    return name
