"""Recordings of real timetables, with the names, folders and clocks that files have.

A *hand* is a way in which people and machines name what they record, and a *stray* is a recording of no
session that looks like one. What rules are tuned to and what they are measured on must not be the same:
`EARLY` and `LATE` are two sets of hands that share none.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path

from metadata.model import Event
from metadata.times import parse_moment
from metadata.timetables import pyvideo_json, read_timetables
from metadata.timetables.base import Source
from pipelines.matching.evidence import FileFacts, Talk, zone_or_utc

Named = tuple[Talk | None, FileFacts]
"""A recording, and the session that it is of, if it is of one."""


def read_talks(path: Path) -> list[Talk]:
    """Return the sessions of a timetable, or of a folder of pyvideo's, as the catalogue would give them."""
    if path.is_dir():
        videos = [
            Source(f"{path.name}/videos/{file.name}", file.read_bytes()) for file in sorted(path.glob("videos/*"))
        ]
        [event] = pyvideo_json.read_folder(path.name, None, videos).events
    else:
        [event] = read_timetables(path.read_bytes(), path.name).events
    return talks_of(event)


def talks_of(event: Event) -> list[Talk]:
    """Return an event's sessions, as the catalogue would give them."""
    zone = zone_or_utc(event.time_zone)
    return [
        Talk(
            id=number,
            label=f"{event.slug}/{session.slug}",
            title=session.title,
            people=tuple(role.person.name for role in session.people),
            ids=tuple(each.value for each in session.external_ids),
            room=session.room,
            start=parse_moment(session.start, zone) if session.start else None,
            day=date.fromisoformat(session.day) if session.day else None,
            planned_ms=session.planned_ms,
            zone=zone,
        )
        for number, session in enumerate(event.sessions, start=1)
    ]


@dataclass(frozen=True)
class Desk:
    """What a hand has to go by: chance, the event's name, and all its sessions."""

    chance: random.Random
    event: str
    talks: Sequence[Talk]
    place: tzinfo

    def length(self, talk: Talk) -> int:
        """Return how long a recording of a session is, in milliseconds."""
        return round((talk.planned_ms or 2_700_000) * self.chance.uniform(0.75, 1.15))

    def began(self, talk: Talk) -> datetime:
        """Return when somebody pressed the button, in UTC."""
        start = talk.start or datetime(2020, 1, 1, 12, tzinfo=UTC)
        return start.astimezone(UTC) + timedelta(seconds=self.chance.randrange(-400, 500))

    def local(self, talk: Talk) -> datetime:
        """Return the same on the clocks of the place."""
        return self.began(talk).astimezone(self.place)

    def slip(self, text: str) -> str:
        """Return a text with one letter too few, too many, or two in the wrong order."""
        at = self.chance.randrange(1, max(2, len(text) - 1))
        return self.chance.choice((text[:at] + text[at + 1 :], text[:at] + text[at - 1 :], swapped(text, at)))

    def some(self, text: str, least: int, most: int) -> str:
        """Return some words of a text, in their order, from its beginning on."""
        return " ".join(text.split()[: self.chance.randint(least, most)])


def swapped(text: str, at: int) -> str:
    return text[: at - 1] + text[at : at + 1] + text[at - 1 : at] + text[at + 1 :]


def surname(talk: Talk) -> str:
    return talk.people[0].split()[-1] if talk.people and talk.people[0].split() else ""


def tidy(text: str) -> str:
    """Return what a file system takes."""
    return re.sub(r'[/\\:*?"<>|\x00-\x1f]', "_", text)[:120]


Hand = Callable[[Desk, Talk], FileFacts]


def _zoom(desk: Desk, talk: Talk) -> FileFacts:
    name = f"GMT{desk.began(talk):%Y%m%d-%H%M%S}_Recording_1920x1080.mp4"
    return FileFacts(name, desk.chance.choice((talk.room or "", "")), None, desk.length(talk))


def _screen(desk: Desk, talk: Talk) -> FileFacts:
    return FileFacts(f"{desk.local(talk):%Y-%m-%d %H-%M-%S}.mkv", talk.room or "obs", None, desk.length(talk))


def _release(desk: Desk, talk: Talk) -> FileFacts:
    number = next((each for each in talk.ids if each.isdigit()), str(talk.id))
    return FileFacts(
        f"{desk.event}-{number}-eng-{tidy(talk.title).replace(' ', '_')}_hd.mp4", "", None, desk.length(talk)
    )


def _slipped(desk: Desk, talk: Talk) -> FileFacts:
    return FileFacts(f"{tidy(desk.slip(talk.title))} ({surname(talk)}).mp4", "", None, desk.length(talk))


def _short(desk: Desk, talk: Talk) -> FileFacts:
    return FileFacts(
        f"{tidy(surname(talk))} {tidy(desk.some(talk.title, 1, 3)).lower()}.mp4", "", None, desk.length(talk)
    )


def _card(desk: Desk, talk: Talk) -> FileFacts:
    wrong = desk.chance.choice((0, 0, 3600, -3600, 7200, 60))
    started = (desk.began(talk) + timedelta(seconds=wrong)).replace(microsecond=0)
    return FileFacts(f"{desk.chance.randrange(1, 400):05}.MTS", talk.room or "", started, desk.length(talk))


def _cut_off(desk: Desk, talk: Talk) -> FileFacts:
    return FileFacts(f"{tidy(talk.title)[:28].strip()}.mov", "exports", None, desk.length(talk))


def _site(desk: Desk, talk: Talk) -> FileFacts:
    letters = "".join(desk.chance.choices("abcdefghijkmnopqrstuvwxyzABCDEFGH0123456789-_", k=11))
    return FileFacts(f"{tidy(talk.title)} [{letters}].webm", "", None, desk.length(talk))


def _tagged(desk: Desk, talk: Talk) -> FileFacts:
    return FileFacts("clip.mp4", "", None, desk.length(talk), (f"{talk.title} - {', '.join(talk.people)}",))


def _speaker(desk: Desk, talk: Talk) -> FileFacts:
    return FileFacts(f"{tidy(surname(talk)).lower() or 'talk'}.mp4", "", None, desk.length(talk))


def _slot(desk: Desk, talk: Talk) -> FileFacts:
    first = min((each.start for each in desk.talks if each.start), default=None)
    day = (
        (talk.start.astimezone(desk.place).date() - first.astimezone(desk.place).date()).days + 1
        if talk.start and first
        else 1
    )
    clock = f"{talk.start.astimezone(desk.place):%H%M}" if talk.start else ""
    return FileFacts(f"Day {day} - {clock} - {talk.room or ''}.mp4", "", None, desk.length(talk))


def _whole_day(desk: Desk, talk: Talk) -> FileFacts:
    return FileFacts(
        f"{talk.room or 'stream'} {desk.local(talk):%Y-%m-%d}.mkv", talk.room or "", desk.began(talk), 36_000_000
    )


def _interview(desk: Desk, talk: Talk) -> FileFacts:
    return FileFacts(
        f"Interview with {tidy(', '.join(talk.people))}.mp4", "extras", None, desk.chance.randrange(300_000, 900_000)
    )


def _check(desk: Desk, talk: Talk) -> FileFacts:
    began = desk.began(talk) - timedelta(minutes=desk.chance.randrange(35, 70))
    return FileFacts(
        f"GMT{began:%Y%m%d-%H%M%S}_Recording.mp4", talk.room or "", None, desk.chance.randrange(60_000, 600_000)
    )


def _year_before(desk: Desk, talk: Talk) -> FileFacts:
    year = (talk.start or datetime(2020, 1, 1, tzinfo=UTC)).year - 1
    return FileFacts(f"{year} - {tidy(surname(talk))} - A look back at {year}.mp4", str(year), None, desk.length(talk))


def _film(desk: Desk, talk: Talk) -> FileFacts:
    longest = max(re.findall(r"\w+", talk.title), key=len, default="film")
    return FileFacts(f"The {longest} documentary.mp4", "", None, 5_400_000)


def _weekday(desk: Desk, talk: Talk) -> FileFacts:
    local = (talk.start or desk.began(talk)).astimezone(desk.place)
    room = (talk.room or "").replace(" ", "")
    return FileFacts(f"{local:%a %H.%M} {room} - {tidy(desk.some(talk.title, 2, 4))}.mov", "", None, desk.length(talk))


def _german(desk: Desk, talk: Talk) -> FileFacts:
    return FileFacts(f"{desk.local(talk):%d.%m.%Y %H-%M} {talk.room or ''}.mp4", "", None, desk.length(talk))


def _phone(desk: Desk, talk: Talk) -> FileFacts:
    clock = desk.chance.choice((f"PXL_{desk.began(talk):%Y%m%d_%H%M%S}123", f"VID_{desk.local(talk):%Y%m%d_%H%M%S}"))
    return FileFacts(f"{clock}.mp4", desk.chance.choice(("DCIM", talk.room or "")), None, desk.length(talk))


def _teams(desk: Desk, talk: Talk) -> FileFacts:
    subject = desk.chance.choice((tidy(talk.title), "Meeting in General"))
    return FileFacts(f"{subject}-{desk.local(talk):%Y%m%d_%H%M%S}-Meeting Recording.mp4", "", None, desk.length(talk))


def _sent(desk: Desk, talk: Talk) -> FileFacts:
    late = desk.local(talk) + timedelta(minutes=desk.chance.randrange(60, 400))
    return FileFacts(
        f"WhatsApp Video {late:%Y-%m-%d} at {late:%H.%M.%S}.mp4", "", None, desk.chance.randrange(60_000, 200_000)
    )


def _scrambled(desk: Desk, talk: Talk) -> FileFacts:
    words = [word for word in re.findall(r"\w+", talk.title) if len(word) > 3][:5]
    desk.chance.shuffle(words)
    return FileFacts(
        f"{'_'.join(words)}_master-v{desk.chance.randrange(1, 9)}.mkv", "to upload", None, desk.length(talk)
    )


def _half(desk: Desk, talk: Talk) -> FileFacts:
    return FileFacts(f"{tidy(talk.title)} - {desk.chance.choice((1, 2))} of 2.mp4", "", None, desk.length(talk) // 2)


def _in_a_folder(desk: Desk, talk: Talk) -> FileFacts:
    return FileFacts("final.mp4", tidy(talk.title), None, desk.length(talk))


def _numbered(desk: Desk, talk: Talk) -> FileFacts:
    return FileFacts(
        f"{desk.chance.randrange(1, 60):02} {tidy(desk.slip(talk.title.upper()))}.m4v", "", None, desk.length(talk)
    )


def _initials(desk: Desk, talk: Talk) -> FileFacts:
    letters = "".join(word[0] for word in re.findall(r"\w+", talk.title))[:6]
    return FileFacts(f"{letters} {tidy(surname(talk))}.mp4", "", None, desk.length(talk))


def _ids(desk: Desk, talk: Talk) -> FileFacts:
    return FileFacts(f"{desk.chance.choice(talk.ids or (talk.slug,))}.mp4", "", None, desk.length(talk))


def _everyone(desk: Desk, talk: Talk) -> FileFacts:
    return FileFacts(f"{tidy(' & '.join(talk.people))} @ {desk.event}.mp4", "", None, desk.length(talk))


def _stage(desk: Desk, talk: Talk) -> FileFacts:
    """A recorder on the stage whose clock nobody set: it is an hour behind, in every file."""
    began = desk.began(talk) - timedelta(hours=1)
    return FileFacts(f"{began.astimezone(desk.place):%y%m%d-%H%M%S}.wav", talk.room or "", began, desk.length(talk))


def _long_talk(desk: Desk, talk: Talk) -> FileFacts:
    return FileFacts(
        f"Long interview {tidy(', '.join(talk.people))} - {tidy(desk.some(talk.title, 1, 2))}.mp4",
        "",
        None,
        desk.length(talk),
    )


def _trailer(desk: Desk, talk: Talk) -> FileFacts:
    return FileFacts(f"Trailer {tidy(talk.title)}.mp4", "", None, 90_000)


def _other_year(desk: Desk, talk: Talk) -> FileFacts:
    year = (talk.start or datetime(2020, 1, 1, tzinfo=UTC)).year + desk.chance.choice((-2, -1, 1))
    return FileFacts(f"{tidy(talk.title)} ({year}).mp4", "", None, desk.length(talk))


def _panel(desk: Desk, talk: Talk) -> FileFacts:
    others = [surname(each) for each in desk.chance.sample(list(desk.talks), k=3)]
    return FileFacts(f"Panel with {tidy(', '.join(others))}.mp4", "", None, desk.length(talk))


def _hallway(desk: Desk, talk: Talk) -> FileFacts:
    return FileFacts(f"IMG_{desk.chance.randrange(1, 9999):04}.MOV", "hallway", desk.began(talk), desk.length(talk))


def _corridor(desk: Desk, talk: Talk) -> FileFacts:
    words = desk.chance.choices([word for each in desk.talks for word in re.findall(r"\w{5,}", each.title)], k=3)
    return FileFacts(f"{' '.join(words)}.mp4", "", None, desk.length(talk))


def _break(desk: Desk, talk: Talk) -> FileFacts:
    """What ran on in an empty room, until the next session at the latest."""
    ended = desk.began(talk) + timedelta(milliseconds=talk.planned_ms or 0, minutes=12)
    later = [each.start for each in desk.talks if each.room == talk.room and each.start and each.start > ended]
    free = (min(later) - ended) / timedelta(milliseconds=1) if later else 1_500_000
    length = desk.chance.randrange(60_000, 1_500_000)
    return FileFacts(
        f"GMT{ended:%Y%m%d-%H%M%S}_Recording.mp4", talk.room or "", None, min(length, max(60_000, round(free)))
    )


@dataclass(frozen=True)
class Habits:
    """Ways in which recordings are named, and recordings of no session."""

    hands: tuple[Hand, ...]
    strays: tuple[Hand, ...]


EARLY = Habits(
    (_zoom, _screen, _release, _slipped, _short, _card, _cut_off, _site, _tagged, _speaker, _slot),
    (_whole_day, _interview, _check, _year_before, _film),
)
LATE = Habits(
    (
        _weekday,
        _german,
        _phone,
        _teams,
        _sent,
        _scrambled,
        _half,
        _in_a_folder,
        _numbered,
        _initials,
        _ids,
        _everyone,
        _stage,
    ),
    (_long_talk, _trailer, _other_year, _panel, _hallway, _corridor, _break),
)


HABITS = {"early": EARLY, "late": LATE}
PLACES = {
    "31c3-schedule.xml": "Europe/Berlin",
    "frab-camp2019.json": "Europe/Berlin",
    "moca-2024-schedule.ics": "Europe/Rome",
    "indico.json": "Europe/Warsaw",
    "pretalx-democon.json": "Europe/Berlin",
    "pyvideo/europython-2024": "Europe/Prague",
}
"""Real timetables, and the clocks of the places."""


def recordings(talks: Sequence[Talk], habits: Habits, place: tzinfo, *, seed: int, strays: int = 8) -> list[Named]:
    """Return forty recordings of a timetable, of which so many are of none of its sessions."""
    chance = random.Random(seed)  # noqa: S311 - it only has to be the same every time
    desk = Desk(chance, talks[0].event, talks, place)
    chosen = [(talk, chance.choice(habits.hands)) for talk in chance.choices(talks, k=40 - strays)]
    made: list[Named] = [(talk, hand(desk, talk)) for talk, hand in chosen]
    return made + [(None, chance.choice(habits.strays)(desk, talk)) for talk in chance.choices(talks, k=strays)]
