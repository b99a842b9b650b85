"""Which session a recording is of: what speaks for it, what against it, and how sure that is.

Every sign is worth something on its own, by `WEIGHTS`; signs that do not depend on each other add up as
independent chances do, ``1 - (1 - a)(1 - b)``, and what speaks against a session divides what is left. The best
session is *certain* only where it is nearly sure and far ahead of the next: everything else is for a person.

Words of a name speak for a session by how much they tell (inverse document frequency among the sessions, Spärck
Jones 1972), and only as far as the session explains the name: a film *about* harbours is not the talk on them.
Some words of a title, whatever they tell, are not enough where no person, room, hour or number joins them: the name
has to say most of the title, or to be its beginning. What two sessions explain alike tells neither from the other.
Words match that differ by a slip (rapidfuzz, normalised Indel similarity).
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cached_property, lru_cache
from pathlib import PurePath

from rapidfuzz import fuzz, process
from slugify import slugify

from metadata.errors import InvalidTimeError
from metadata.times import parse_zone
from pipelines.matching.clocks import is_utc_name, local_day, said_days, said_years, starts

WEIGHTS = {
    "id": 0.97,
    "number": 0.6,
    "title": 0.97,
    "words": 1.0,
    "few": 1.0,
    "time": 0.85,
    "room": 0.33,
    "length": 0.3,
    "day": 0.3,
}
AGAINST = {"day": 0.4, "time": 0.6, "room": 0.5, "length": 0.6, "part": 0.4, "words": 0.6, "few": 0.85}
CERTAIN = 0.9
"""What the best must score; the next must be `CLEAR_LEAD` times as doubtful. Below `POSSIBLE` nothing is proposed."""
CLEAR_LEAD = 3.0
POSSIBLE = 0.3

_TELLING = 1.1
"""How fast words convince: one that only one session has by 67%, two by 89%, three by 96%."""
_BESIDE, _NEAR = timedelta(minutes=10), timedelta(minutes=30)
"""How far apart a recording and its session may begin without loss, and at all."""
_TOLD = 1_200_000
"""Shorter sessions, in milliseconds, begin and end within the slack that recordings have, and are not told by time."""
_MOSTLY_HELD = 0.8
"""How much of its session's time a recording holds, unless it is another's."""
_SLIP = 85.0
_MOSTLY = 0.7
"""How much of what a title tells a name must say to stand for it."""
_WEAK = frozenset({"few", "length", "day"})
"""What recordings of no session have in common with one, too: alone they leave it to a person."""
_ANOTHERS = 0.7
"""How well the words of a name must fit one session to speak against those that they do not fit at all."""
_CUT = 3
"""How many letters a last word must have to be taken for the beginning of one."""
_AS_LONG = 0.6
_SHORT = 0.4
"""What lasts less than this share of the planned length is not the whole session."""
_NOISE = re.compile(
    r"gmt\d*|pxl|vid|img|dsc\w?|mvi|gopro|recording|record|video|audio|final|edit(ed)?|export(ed)?|compressed|master|"
    r"hd|sd|full|raw|cam\d*|camera|room|copy|zoom|meeting|clip|movie|stream|output|untitled|mp4|webm|talk|v\d+|\d{3,4}x\d{3,4}|(480|720|1080|2160)p?|4k|"
    r"de|en|es|fr|eng|deu|the|a|an|of|and|to|in|on|at|for|is|by|with|der|die|das|und|le|la|les|el|los|il"
)
_BETWEEN = re.compile(r"[\s/:;–—]+")
_PART = re.compile(r" (?:part|teil|pt|partie|parte) (\d) ")
_BRACKETED = re.compile(r"\[[\w-]{11}\]")
"""An id that a video site gave, as yt-dlp writes it into names."""


@dataclass(frozen=True)
class Talk:
    """A session that a recording may be of.

    Attributes:
        id: in the catalogue.
        label: for people: ``event/session``.
        ids: what other systems call it.
        start: zoned, where the timetable says so.
        day: on which it is, where no hour is known.
        zone: the event's time zone.
    """

    id: int
    label: str
    title: str
    people: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    room: str | None = None
    start: datetime | None = None
    day: date | None = None
    planned_ms: int | None = None
    zone: str = "UTC"

    @cached_property
    def event(self) -> str:
        """The event's slug."""
        return self.label.rpartition("/")[0]

    @cached_property
    def words(self) -> frozenset[str]:
        """The words of its title that say something."""
        return frozenset().union(*self.terms)

    @cached_property
    def terms(self) -> frozenset[frozenset[str]]:
        """The same words, those together that are parts of one hyphenated word."""
        return frozenset(filter(None, (frozenset(_words(term)) for term in _BETWEEN.split(self.title))))

    @cached_property
    def names(self) -> dict[str, frozenset[str]]:
        """The words of its people's names, by person."""
        return {person: frozenset(_names(person)) for person in self.people}

    @cached_property
    def about(self) -> frozenset[str]:
        """Words that say nothing of what it is about: of its room, its event, and its ids."""
        own = (slugify(each, separator=" ") for each in self.ids)
        return frozenset((*_words(self.room or ""), *_words(self.event), *own))

    @cached_property
    def own_names(self) -> tuple[tuple[str, str, str, bool], ...]:
        """Each of its ids, as names of files have it, after its event's name, and whether it tells enough alone."""
        found = []
        for name in self.ids:
            if slug := slugify(name):
                told = "-" in slug or (any(char.isdigit() for char in slug) and not _is_short_number(slug))
                found.append((name, _spaced(name), _spaced(f"{self.event} {name}"), told))
        return tuple(found)

    @cached_property
    def title_slug(self) -> str:
        """Its title, as names of files have it."""
        return slugify(self.title)

    @property
    def slug(self) -> str:
        """The session's slug."""
        return self.label.rpartition("/")[2]

    @cached_property
    def place(self) -> tuple[tzinfo, bool]:
        """The time zone of the place, and whether that is known: UTC is what is written where nobody said."""
        zone = parse_zone(self.zone)
        if self.start is None:
            return zone, self.zone not in _UTC
        own, there = self.start.utcoffset() or timedelta(), self.start.astimezone(zone).utcoffset() or timedelta()
        if own and not there:
            return self.start.tzinfo or zone, self.zone in _UTC
        return zone, self.zone not in _UTC

    @cached_property
    def days(self) -> set[date]:
        """The days that it belongs to."""
        if self.start is not None:
            return local_day(self.start, self.place[0])
        return {self.day} if self.day else set()


_UTC = frozenset({"UTC", "Etc/UTC", "GMT", "Etc/GMT"})


@dataclass(frozen=True)
class FileFacts:
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
        return _spaced(" ".join([self.folder, self.stem, *self.tags]))

    @cached_property
    def words(self) -> frozenset[str]:
        """The words that say something: of its name and its own title, or of its folder where those say nothing."""
        own = _words(" ".join([self.stem, *self.tags]))
        return frozenset(word for word in own or _words(self.folder) if not (word.isdigit() and len(word) > 2))

    @cached_property
    def stem(self) -> str:
        """Its file's name without a suffix, and without what a video site calls it."""
        return _BRACKETED.sub(" ", PurePath(self.name).stem)

    @cached_property
    def slug(self) -> str:
        """Its file's name in the letters of slugs."""
        return slugify(self.stem)

    @cached_property
    def years(self) -> set[int]:
        """The years that its name and folder speak of."""
        return said_years(f"{self.folder} {self.name}")

    def starts(self, talk: Talk, days: Sequence[date] = ()) -> Iterator[tuple[datetime, float]]:
        """Yield moments at which it may have begun, if it is of this session's event, and their trust."""
        place, sure = talk.place
        yield from starts(self.name, self.started, self.duration_ms, place, days=days, sure=sure)


@dataclass(frozen=True, slots=True)
class Match:
    """How well a session fits, 0 to 1, and why, in words."""

    talk: Talk
    score: float
    reasons: tuple[str, ...]


Sign = tuple[str, float, str]
"""Its kind, what there is of it (0 to 1), and the same in words."""


class Timetable:
    """The sessions that recordings may be of, made ready for being asked."""

    def __init__(self, talks: Sequence[Talk]) -> None:
        self.talks = talks
        self._holders: dict[str, set[int]] = defaultdict(set)
        self._rooms: dict[str, set[str]] = defaultdict(set)
        days: dict[str, set[date]] = defaultdict(set)
        for number, talk in enumerate(talks):
            for word in talk.words.union(*talk.names.values()):
                self._holders[word].add(number)
            if talk.room:
                self._rooms[talk.event].add(talk.room)
            days[talk.event] |= talk.days
        self._days = {event: sorted(found) for event, found in days.items()}
        self._terms = [{term: max(self._tells({word}) for word in term) for term in talk.terms} for talk in talks]

    def matches(self, file: FileFacts) -> list[Match]:
        """Return the sessions that a recording could be of, the likeliest first."""
        explained = self._explain(file)
        worded = [list(self._worded(file, number, explained)) for number in range(len(self.talks))]
        best = max((share for signs in worded for _, share, _ in signs), default=0.0)
        found = [self._match(file, talk, signs, best) for talk, signs in zip(self.talks, worded, strict=True)]
        return sorted((match for match in found if match.score >= POSSIBLE), key=lambda match: -match.score)

    def _match(self, file: FileFacts, talk: Talk, worded: list[Sign], best: float) -> Match:
        doubt, reasons, kinds = 1.0, [], set()
        named = [*_named(file, talk), *worded]
        times = list(_timed(file, talk, self._days.get(talk.event, [])))
        lengths = _lasting(file, talk) if named or times else ()
        for kind, share, reason in (*named, *_placed(file, talk), *times, *lengths):
            kinds.add(kind)
            doubt *= 1 - WEIGHTS[kind] * share
            reasons.append(reason)
        score = 1 - doubt
        for kind, reason in self._against(file, talk, timed=any(kind == "time" for kind, _, _ in times)):
            score *= AGAINST[kind]
            reasons.append(reason)
        if best > _ANOTHERS and not named:
            score *= AGAINST["words"]
            reasons.append("but is named as another")
        if "few" in kinds and kinds <= _WEAK:
            score *= AGAINST["few"]
            reasons.append("but little of its title")
        return Match(talk, score, tuple(reasons))

    def _explain(self, file: FileFacts) -> dict[str, tuple[set[str], float]]:
        """Return for each word of a name the words of the timetable that it may be, and how much it tells."""
        known = list(self._holders)
        last = file.stem.rstrip().lower()
        found = {}
        for word in file.words:
            same = {word} if word in self._holders else set()
            if len(word) > 4:
                # Words of four letters or fewer must be the same.
                close = process.extract(word, known, scorer=fuzz.ratio, score_cutoff=_SLIP, limit=None)
                same |= {each for each, _, _ in close if len(each) > 4}
            if len(word) >= _CUT and last.endswith(word):
                # Names are cut off where they are too long.
                same |= {each for each in known if each.startswith(word)}
            found[word] = same, self._tells(same)
        return found

    def _tells(self, same: set[str]) -> float:
        """Return how much a word tells: 1 where it is in one session only, towards 0 where it is in all."""
        holders = len(set().union(*(self._holders[word] for word in same))) if same else 1
        return math.log(1 + len(self.talks) / holders) / math.log(1 + len(self.talks))

    def _worded(self, file: FileFacts, number: int, words: dict[str, tuple[set[str], float]]) -> Iterator[Sign]:
        """Yield how far the words of a name are those of a session's title and people."""
        talk = self.talks[number]
        left = 0.0
        named: dict[str, float] = {}
        hits: dict[str, float] = {}
        said: set[str] = set()
        for word, (same, tells) in sorted(words.items()):
            if found := same & talk.words:
                hits[word] = tells
                said |= found
            elif whose := [person for person, parts in talk.names.items() if same & parts]:
                # First and last name are one fact.
                named |= {person: max(named.get(person, 0.0), tells) for person in whose}
            elif word not in talk.about and not _passes(word):
                left += tells
        # So are the parts of a hyphenated word.
        terms = self._terms[number]
        covered = sum(tells * len(term & said) / len(term) for term, tells in terms.items())
        told = min(sum(hits.values()), covered) + sum(named.values())
        if not told:
            return
        share = (1 - math.exp(-_TELLING * told)) * told / (told + left)
        shared = f"shares {', '.join(hits)} with the title" if hits else ""
        whom = f"names {', '.join(named)}" if named else ""
        begins = bool(file.slug) and talk.title_slug.startswith(file.slug)
        kind = "words" if named or begins or covered >= _MOSTLY * sum(terms.values()) else "few"
        yield kind, share, " and ".join(filter(None, (shared, whom)))

    def _against(self, file: FileFacts, talk: Talk, *, timed: bool) -> Iterator[tuple[str, str]]:
        """Yield what speaks against a session."""
        days = self._days.get(talk.event, [])
        said = set() if is_utc_name(file.name) else said_days(f"{file.folder} {file.name}", days)
        if talk.days and not timed:
            if said and not said & talk.days:
                yield "day", "but on another day"
            elif talk.start is not None and any(file.starts(talk, days)):
                yield "time", "but begins at another time"
        years = {day.year for day in days}
        other = file.years - years
        if years and not said and (other := other and other - said_years(talk.title)):
            yield "day", f"but of {min(other)}"
        if talk.room and not mentions(file, talk.room) and any(mentions(file, x) for x in self._rooms[talk.event]):
            yield "room", "but from another room"
        if talk.planned_ms and file.duration_ms:
            if file.duration_ms > 2.5 * talk.planned_ms + 600_000:
                yield "length", "but much longer"
            elif file.duration_ms < _SHORT * talk.planned_ms:
                yield "length", "but much shorter"
        part = _PART.search(file.text)
        if part and (own := _PART.search(_spaced(talk.title))) and part[1] != own[1]:
            yield "part", "but another part"


def matches(file: FileFacts, talks: Sequence[Talk]) -> list[Match]:
    """Return the sessions that a recording could be of, the likeliest first."""
    return Timetable(talks).matches(file)


def certain(found: Sequence[Match]) -> Match | None:
    """Return the match that needs nobody's word, if there is one."""
    if not found or found[0].score < CERTAIN:
        return None
    return found[0] if len(found) == 1 or 1 - found[1].score >= CLEAR_LEAD * (1 - found[0].score) else None


def _named(file: FileFacts, talk: Talk) -> Iterator[Sign]:
    """Yield whether the file carries one of the session's own names."""
    stem, made = file.slug, talk.title_slug
    if stem == talk.slug and not re.fullmatch(re.escape(made) + r"(-\d+)?", talk.slug):
        yield "id", 1.0, f"is named {talk.slug}"
        return
    if stem == made:
        yield "title", 1.0, "is named as its title"
    for name, spaced, qualified, told in talk.own_names:
        if spaced not in file.text:
            continue
        if told or qualified in file.text or (stem == slugify(name) and not _is_short_number(stem)):
            yield "id", 1.0, f"is named {name}"
            return
        if _is_short_number(slugify(name)):
            yield "number", 1.0, f"is named {name}"
            return


def _is_short_number(slug: str) -> bool:
    """Return whether an id may be a year or a camera's count."""
    return slug.isdigit() and len(slug) < 6


def _placed(file: FileFacts, talk: Talk) -> Iterator[Sign]:
    if talk.room and mentions(file, talk.room):
        yield "room", 1.0, f"from {talk.room}"


def mentions(file: FileFacts, room: str) -> bool:
    """Whether a file's name, folder or tags name a room."""
    name = _spaced(room)
    return bool(name.strip()) and name in file.text


def _timed(file: FileFacts, talk: Talk, days: Sequence[date]) -> Iterator[Sign]:
    """Yield how near the recording begins to the session, or whether it is of its day."""
    best, how = 0.0, ""
    for moment, trust in file.starts(talk, days):
        if talk.start is None:
            break
        apart = moment - talk.start
        near = max(0.0, 1 - max(abs(apart) - _BESIDE, timedelta()) / (_NEAR - _BESIDE))
        told = min(1.0, (talk.planned_ms or _TOLD) / _TOLD) * min(1.0, _held(file, talk, apart) / _MOSTLY_HELD)
        fit = trust * near * told
        if fit > best:
            minutes = round(apart.total_seconds() / 60)
            best, how = fit, f"begins {abs(minutes)} min {'after' if minutes >= 0 else 'before'} its start"
    if best:
        yield "time", best, how
    elif len(days) > 1 and not is_utc_name(file.name) and talk.days & said_days(f"{file.folder} {file.name}", days):
        yield "day", 1.0, "is of its day"


def _held(file: FileFacts, talk: Talk, apart: timedelta) -> float:
    """Return how much of the session's time a recording holds that begins so much later, 0 to 1."""
    if not talk.planned_ms or not file.duration_ms:
        return 1.0
    late = round(apart / timedelta(milliseconds=1))
    return max(0, min(late + file.duration_ms, talk.planned_ms) - max(late, 0)) / talk.planned_ms


def _lasting(file: FileFacts, talk: Talk) -> Iterator[Sign]:
    """Yield whether the recording is about as long as the session."""
    if talk.planned_ms and file.duration_ms:
        ratio = min(talk.planned_ms, file.duration_ms) / max(talk.planned_ms, file.duration_ms)
        if ratio >= _AS_LONG:
            yield "length", ratio, f"lasts {file.duration_ms // 60_000} of {talk.planned_ms // 60_000} min"


def _passes(word: str) -> bool:
    """Return whether a word says when or which, and so is nobody's."""
    return word.isdigit() or word in {"day", "tag", "jour", "dia", "giorno", "part", "teil"}


def _spaced(text: str) -> str:
    """Return a text's words with single spaces around each; letters and digits are words of their own."""
    return f" {re.sub(r'(?<=[a-z])(?=[0-9])', ' ', slugify(text, separator=' '))} "


def _words(text: str) -> tuple[str, ...]:
    apart = re.sub(r"(?<=[^\W\d_])(?<![A-Z])(?=[A-Z])", " ", text)
    return tuple(word for word in slugify(apart, separator=" ").split() if not _NOISE.fullmatch(word))


def _names(person: str) -> tuple[str, ...]:
    return tuple(word for word in slugify(person, separator=" ").split() if len(word) > 2)


def parse_started(text: str | None) -> datetime | None:
    """Return a container's time as a zoned moment, or None for none, and for clocks that were never set."""
    try:
        moment = datetime.fromisoformat(text) if text else None
    except ValueError:
        return None
    if moment is None or moment.year < 1980:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


@lru_cache(maxsize=1024)
def zone_or_utc(name: str) -> str:
    """Return a time zone's name, or UTC's for one that is not known here."""
    try:
        parse_zone(name)
    except InvalidTimeError:
        return "UTC"
    return name
