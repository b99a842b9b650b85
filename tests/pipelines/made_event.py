"""A made event of two days in two rooms, and forty recordings of it with the names and clocks that files have."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from pipelines.matching.evidence import FileFacts, Talk

ZONE = "Europe/Berlin"
HALL, ROOM = "Main hall", "Room 2"


def talks(
    event: str, month: str, zone: str, rows: Iterable[tuple[str, int, str, int, str, str, str, str]]
) -> list[Talk]:
    """Return the talks of an event: slug, day, time, minutes, room, title, people with commas, and id or nothing."""
    return [
        Talk(
            id=number,
            label=f"{event}/{slug}",
            title=title,
            people=tuple(filter(None, people.split(", "))),
            ids=(guid,) if guid else (),
            room=room,
            start=datetime.fromisoformat(f"{month}-{day}T{time}").replace(tzinfo=ZoneInfo(zone)),
            planned_ms=minutes * 60_000,
            zone=zone,
        )
        for number, (slug, day, time, minutes, room, title, people, guid) in enumerate(rows, start=1)
    ]


def files(
    rows: Iterable[tuple[str | None, str, str, str | None, int, str]],
) -> list[tuple[str | None, FileFacts]]:
    """Return recordings with the session that each is of: slug, name, folder, container's start, minutes, tag."""
    return [
        (
            truth,
            FileFacts(
                name=name,
                folder=folder,
                started=datetime.fromisoformat(started) if started else None,
                duration_ms=minutes * 60_000,
                tags=(tags,) if tags else (),
            ),
        )
        for truth, name, folder, started, minutes, tags in rows
    ]


_TIMETABLE = (
    # slug, day, time, minutes, room, title, people, external id
    ("opening", 18, "10:00", 30, HALL, "Opening", "Noor Okafor", "fx-1001"),
    ("tides-of-the-wadden-sea", 18, "10:30", 45, HALL, "Tides of the Wadden Sea", "Jette Lindqvist", "fx-1002"),
    ("reading-old-charts", 18, "10:30", 45, ROOM, "Reading old charts", "Pavel Dvořák", "fx-1003"),
    ("lighthouses-and-keepers", 18, "11:30", 45, HALL, "Lighthouses and keepers", "Amara Diallo", "fx-1004"),
    ("radio-before-satellites", 18, "11:30", 45, ROOM, "Radio before satellites", "Ken Watanabe", "fx-1005"),
    ("lunch-concert", 18, "12:30", 30, HALL, "Lunch concert", "", "fx-1006"),
    ("the-memory-of-harbours", 18, "14:00", 60, HALL, "The memory of harbours", "Noor Okafor", "fx-1007"),
    ("workshop-knots-1", 18, "14:00", 90, ROOM, "Workshop: Knots (part 1)", "Ines Moreau", "fx-1008"),
    ("who-owns-the-coast", 18, "15:15", 60, HALL, "Who owns the coast?", "Lior Ben-Ami, Marta Kowalska", "fx-1009"),
    ("workshop-knots-2", 18, "16:00", 90, ROOM, "Workshop: Knots (part 2)", "Ines Moreau", "fx-1010"),
    ("storm-surges", 18, "16:30", 45, HALL, "Storm surges, past and future", "Hans-Jürgen Claußen", "fx-1011"),
    ("evening-reading", 18, "20:00", 60, HALL, "Evening reading", "Zoë Hartmann", "fx-1012"),
    ("day-two", 19, "10:00", 15, HALL, "Good morning", "Noor Okafor", "fx-1013"),
    ("salt-marshes", 19, "10:15", 45, HALL, "Salt marshes as archives", "Jette Lindqvist", "fx-1014"),
    ("sextant", 19, "10:15", 45, ROOM, "A sextant for everyone", "Pavel Dvořák", "fx-1015"),
    ("fog", 19, "11:15", 45, HALL, "What fog does to sound", "Ken Watanabe", "fx-1016"),
    ("archives-at-sea", 19, "11:15", 45, ROOM, "Archives at sea", "Amara Diallo", "fx-1017"),
    ("panel-shipping", 19, "13:30", 75, HALL, "Panel: Shipping after oil", "Lior Ben-Ami, Marta Kowalska", "fx-1018"),
    ("dialects", 19, "13:30", 45, ROOM, "Dialects of the islands", "Zoë Hartmann", "fx-1019"),
    ("maps-of-nothing", 19, "14:30", 45, ROOM, "Maps of nothing", "Pavel Dvořák", "fx-1020"),
    ("sounding-lead", 19, "15:00", 45, HALL, "From sounding lead to sonar", "Hans-Jürgen Claußen", "fx-1021"),
    ("lightning-talks", 19, "16:00", 45, HALL, "Lightning talks", "", "fx-1022"),
    ("closing", 19, "17:00", 30, HALL, "Closing", "Noor Okafor", "fx-1023"),
)  # fmt: skip

TALKS = talks("coast-2022", "2022-06", ZONE, _TIMETABLE)

_RECORDINGS = (
    # truth, name, folder, container's start (UTC, as ISO) or None, minutes, tags
    ("opening", "GMT20220618-075512_Recording_1920x1080.mp4", "Main hall", "2022-06-18T07:55:12+00:00", 33, ""),
    ("tides-of-the-wadden-sea", "Tides_of_the_Wadden_Sea-FINAL.mp4", "exports", None, 44, ""),
    ("tides-of-the-wadden-sea", "lindqvist tides wadden (audio).wav", "audio", None, 44, ""),
    ("reading-old-charts", "2022-06-18 10-31-04.mkv", "Room 2", None, 43, ""),
    ("lighthouses-and-keepers", "lighthouses-and-keepers.mp4", "", None, 45, ""),
    ("radio-before-satellites", "fx-1005_watanabe_v2.mov", "", None, 41, ""),
    ("lunch-concert", "GMT20220618-103105_Recording.m4a", "Main hall", None, 28, ""),
    ("the-memory-of-harbours", "The memory of harbors - Noor Okafor.mp4", "", None, 58, ""),
    ("workshop-knots-1", "Knots part 1.mp4", "room 2", "2022-06-18T12:02:00+00:00", 88, ""),
    ("who-owns-the-coast", "who owns the coast_ (Ben-Ami, Kowalska).mp4", "", None, 61, ""),
    ("workshop-knots-2", "Knots part 2.mp4", "room 2", "2022-06-18T14:03:00+00:00", 87, ""),
    ("storm-surges", "Claussen_StormSurges_1080p.mp4", "", None, 44, ""),
    ("storm-surges", "Storm surges past and future.m4a", "", None, 44, ""),
    ("evening-reading", "00017.MTS", "Main hall", "2022-06-18T20:01:40+00:00", 62, ""),
    ("evening-reading", "clip.mp4", "", None, 60, "Evening reading with Zoë Hartmann"),
    ("day-two", "2022-06-19_09-58 main hall.mp4", "", None, 17, ""),
    ("salt-marshes", "salt marshes as archves (lindqvist).mp4", "", None, 46, ""),
    ("sextant", "a-sextant-for-everyone-dvorak.webm", "", None, 45, ""),
    ("fog", "Ken Watanabe fog sound.mp4", "day 2", "2022-06-19T09:14:00+00:00", 44, ""),
    ("archives-at-sea", "Archives at Sea.mp4", "Room 2", None, 44, ""),
    ("panel-shipping", "panel shipping after oil EDIT 3.mp4", "", "2022-06-25T09:14:00+00:00", 74, ""),
    ("dialects", "Dialects_of_the_islands_Hartmann_hd.mp4", "", None, 45, ""),
    ("maps-of-nothing", "maps of nothing dvorak.mp4", "", None, 41, ""),
    ("sounding-lead", "coast22-fx-1021-eng-From_sounding_lead_to_sonar_hd.mp4", "", None, 45, ""),
    ("lightning-talks", "GMT20220619-140210_Recording.mp4", "main hall", None, 47, ""),
    ("closing", "2022-06-19 17-01-12.mkv", "Main hall", None, 26, ""),
    # What is hard: clocks in local time, no names, two talks of one person, parts of names.
    ("fog", "MVI_0042.MP4", "", "2022-06-19T11:16:00+00:00", 44, ""),
    ("dialects", "DSC_0107.MOV", "room 2", "2022-06-19T13:31:00+00:00", 46, ""),
    ("maps-of-nothing", "dvorak.mp4", "", None, 45, ""),
    ("the-memory-of-harbours", "okafor.mp4", "", None, 59, ""),
    ("salt-marshes", "Lindqvist day 2.mp4", "", None, 45, ""),
    ("panel-shipping", "panel.mp4", "", None, 76, ""),
    ("workshop-knots-1", "workshop knots.mp4", "", None, 90, ""),
    # What is of no session: it must not be given one.
    (None, "Interview with Amara Diallo.mp4", "extras", None, 12, ""),
    (None, "soundcheck main hall.wav", "", "2022-06-18T06:10:00+00:00", 22, ""),
    (None, "GMT20220618-050102_Recording.mp4", "Main hall", None, 4, ""),
    (None, "Room 2 whole day 2022-06-18.mkv", "Room 2", "2022-06-18T08:00:00+00:00", 480, ""),
    (None, "Opening 2021.mp4", "2021", "2021-06-19T08:00:00+00:00", 31, ""),
    (None, "crowd noise.wav", "", None, 3, ""),
    (None, "Harbours of Portugal, a film.mp4", "", None, 52, ""),
)  # fmt: skip

RECORDINGS = files(_RECORDINGS)
