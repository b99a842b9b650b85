"""The nouns of an archive as plain values, with filled examples.

All other modules use them. Times inside recordings are integer milliseconds. Moments in the world are ISO 8601 text
with an offset. Languages are BCP-47 tags. Names and titles are kept as they are written, and compared by
`metadata.names`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from msgspec import UNSET, UnsetType

Mode = Literal["in-person", "online", "hybrid"]
PlaceKind = Literal["venue", "online", "watch-party"]
Qualifier = Literal["exactly", "about", "over", "under"]
Measure = Literal["registered", "attended", "watched"]
SessionKind = Literal[
    "talk",
    "keynote",
    "panel",
    "plenary",
    "workshop",
    "lecture",
    "launch",
    "reading",
    "qa",
    "performance",
    "other",
]
RoleName = Literal["speaker", "chair", "interpreter", "reader", "author", "panellist", "host"]
ReleaseState = Literal["public", "embargoed", "private", "withdrawn"]
RecordingRole = Literal["floor", "interpretation", "screen"]
MediaKind = Literal["video", "audio"]
TranscriptKind = Literal["asr", "human", "imported", "translation"]


class Flag(StrEnum):
    """Why a segment is doubtful. A flagged segment is marked where it is shown, and is not in search or captions."""

    REPETITIVE = "repetitive"
    """Its text repeats itself, or compresses too well, which shows a loop in decoding."""
    LOW_CONFIDENCE = "low-confidence"
    """The model gave the words a low probability."""
    NO_SPEECH = "no-speech"
    """No speech was detected at the time of these words."""
    TOO_FAST = "too-fast"
    """It has more words a second than people can say."""
    STOCK_PHRASE = "stock-phrase"
    """It is a sentence that Whisper is known to invent, and other signs agree."""
    WRONG_LANGUAGE = "wrong-language"
    """The text is not in the declared or detected language."""
    NOT_TRANSCRIBED = "not-transcribed"
    """It is loud enough that somebody may speak, and no word was found: the segment has no text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExternalId:
    """An identifier in another system: ``scheme`` names the system."""

    scheme: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link of an event, session or person. ``rel`` tells what it is; ``reading`` is a reading list."""

    rel: str
    url: str | None = None
    title: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """Whether the public may have something. An embargo ends on the date ``until``; ``reason`` tells why not."""

    state: ReleaseState
    until: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number as it was written: "over 300" is ``Figure(count=300, qualifier="over")``."""

    count: int
    qualifier: Qualifier = "exactly"


@dataclass(frozen=True, slots=True, kw_only=True)
class Announcement:
    """What organisers published about an event.

    Attributes:
        slug: tells it apart from the event's others.
        title: its heading, or how it begins.
        text: plain text; blank lines part paragraphs.
        url: where it stands on the web.
        published: ISO 8601: a moment with an offset, or a date.
        source: who published it.
        language: BCP-47.
        private: whether it was taken back.
    """

    slug: str
    title: str
    text: str | None = None
    url: str | None = None
    published: str | None = None
    source: str | None = None
    language: str | None = None
    private: bool = False

    @property
    def day(self) -> str:
        """The date on which it was published, on its own clock; "" where nobody knows."""
        return (self.published or "")[:10]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attendance:
    """How many took part, as known on a date. A later figure is another value, never a correction of this one.

    ``announcement`` is the slug, the address or the title of the announcement that the figure is from.
    """

    measure: Measure
    people: Figure
    countries: Figure | None = None
    places: Figure | None = None
    observed_on: str | None = None
    source: str | None = None
    announcement: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A venue, an online room or a watch party. ``country`` is an ISO 3166-1 alpha-2 code."""

    name: str
    kind: PlaceKind = "venue"
    city: str | None = None
    country: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Someone who takes part in sessions. ``name`` is kept as written; ``key`` tells two of one name apart."""

    name: str
    key: str | None = None
    biography: str | None = None
    links: tuple[Link, ...] = ()
    external_ids: tuple[ExternalId, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A person's part in a session, with the affiliation at that time."""

    person: Person
    role: RoleName = "speaker"
    affiliation: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFacts:
    """What is said of a session wherever it is named: the catalogue has a column for each, but for the ``place``.

    ``place`` is the name of one of the event's places. ``planned_ms`` is the length in the timetable.
    """

    slug: str
    title: str
    subtitle: str | None = None
    kind: SessionKind = "talk"
    track: str | None = None
    room: str | None = None
    place: str | None = None
    planned_ms: int | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Session(SessionFacts):
    """One item of a timetable.

    ``start`` is ISO 8601 with an offset. If only the date is known, it is in ``day`` and ``start`` is None.
    """

    start: str | None = None
    day: str | None = None
    abstract: str | None = None
    people: tuple[Role, ...] = ()
    links: tuple[Link, ...] = ()
    attendance: tuple[Attendance, ...] = ()
    external_ids: tuple[ExternalId, ...] = ()
    release: Release | None = None
    recordings: tuple[RecordingNote, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordingNote:
    """What a timetable says about a recording before the file is pulled: its name, language and credit."""

    file: str
    role: RecordingRole = "floor"
    language: str | None = None
    credit: str | None = None
    licence: str | None = None
    synthetic_voice: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFacts:
    """What is said of an event wherever it is shown: the catalogue has a column for each, but for the ``series``.

    ``edition`` counts within ``series``, which is named by its title. Dates are local to ``time_zone`` (IANA).
    """

    slug: str
    title: str
    subtitle: str | None = None
    description: str | None = None
    series: str | None = None
    edition: int | None = None
    mode: Mode = "in-person"
    start_date: str | None = None
    end_date: str | None = None
    time_zone: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event(EventFacts):
    """One gathering, with its sessions."""

    languages: tuple[str, ...] = ()
    interpreted_into: tuple[str, ...] = ()
    places: tuple[Place, ...] = ()
    attendance: tuple[Attendance, ...] = ()
    announcements: tuple[Announcement, ...] = ()
    links: tuple[Link, ...] = ()
    external_ids: tuple[ExternalId, ...] = ()
    sessions: tuple[Session, ...] = ()


DOUBTFUL_WORD = 0.3
"""Confidence of a word, below which more than half of them are wrong, in quiet and in noise (`tests.bench.hard`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """A word with its times. ``confidence`` is the probability that the model gave it, 0 to 1; None if unknown."""

    start_ms: int
    end_ms: int
    text: str
    confidence: float | None = None

    @property
    def doubtful(self) -> bool:
        """Whether it is more likely wrong than right, also where its segment is believed."""
        return self.confidence is not None and self.confidence < DOUBTFUL_WORD


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """A sentence or part of one.

    ``flags`` tell why it is doubtful (see `Flag`). ``words`` have times of their own. ``speaker`` is the label of a
    voice in this recording, as a caption file has it; a label is not yet a person. ``overlapped`` is True where
    others speak at the same time, and is not set elsewhere, so that a transcript without overlaps keeps its version.
    """

    start_ms: int
    end_ms: int
    text: str
    confidence: float | None = None
    flags: tuple[Flag, ...] = ()
    language: str | None = None
    words: tuple[Word, ...] = ()
    speaker: str | None = None
    overlapped: bool | UnsetType = UNSET


@dataclass(frozen=True, slots=True, kw_only=True)
class Transcript:
    """Everything that was said in a recording, in order. ``parameters`` are those with which the generator made it."""

    language: str
    duration_ms: int
    segments: tuple[Segment, ...]
    kind: TranscriptKind = "asr"
    generator: str = "unknown"
    generator_version: str = ""
    parameters: dict[str, str | int | float | bool | None] = field(default_factory=dict)


EXAMPLE_PERSON = Person(
    name="Noor Okafor",
    biography="Keeps the sound archive of a small radio station.",
    links=(Link(rel="website", url="https://example.org/noor"),),
)
EXAMPLE_SESSION = Session(
    slug="what-an-archive-owes",
    title="What an archive owes its listeners",
    kind="keynote",
    track="Memory",
    room="Main hall",
    start="2022-07-23T18:00:00+02:00",
    planned_ms=45 * 60_000,
    language="en",
    abstract="Recordings that nobody can search are recordings that nobody has.",
    people=(Role(person=EXAMPLE_PERSON, role="speaker", affiliation="Radio Lighthouse"),),
    links=(Link(rel="reading", title="The Art of Memory"),),
    attendance=(Attendance(measure="attended", people=Figure(count=300, qualifier="over")),),
    external_ids=(ExternalId(scheme="guid", value="5f2b0d5e"),),
    release=Release(state="public"),
    recordings=(RecordingNote(file="keynote.mp4", language="en", credit="Radio Lighthouse", licence="CC-BY-4.0"),),
)
EXAMPLE_EVENT = Event(
    slug="summer-university-2022",
    title="Summer University",
    series="Summer University",
    edition=3,
    mode="online",
    start_date="2022-07-23",
    end_date="2022-07-26",
    time_zone="Europe/Berlin",
    languages=("en",),
    interpreted_into=("ar", "es"),
    places=(Place(name="Lighthouse", city="Hamburg", country="DE", kind="watch-party"),),
    attendance=(
        Attendance(
            measure="registered",
            people=Figure(count=1000),
            countries=Figure(count=91),
            observed_on="2022-06-01",
            announcement="2022-06-01-a-thousand-have-registered",
        ),
    ),
    announcements=(
        Announcement(
            slug="2022-06-01-a-thousand-have-registered",
            title="A thousand have registered",
            text="They write from 91 countries.",
            url="https://example.org/news/1000",
            published="2022-06-01",
            source="the organisers",
            language="en",
        ),
    ),
    sessions=(EXAMPLE_SESSION,),
)
EXAMPLE_TRANSCRIPT = Transcript(
    language="en",
    duration_ms=4_000,
    segments=(
        Segment(
            start_ms=400,
            end_ms=2_100,
            text="Nobody has what nobody can find.",
            confidence=0.94,
            words=(
                Word(start_ms=400, end_ms=700, text="Nobody", confidence=0.98),
                Word(start_ms=700, end_ms=900, text="has", confidence=0.97),
                Word(start_ms=900, end_ms=1_100, text="what", confidence=0.95),
                Word(start_ms=1_100, end_ms=1_400, text="nobody", confidence=0.96),
                Word(start_ms=1_400, end_ms=1_600, text="can", confidence=0.92),
                Word(start_ms=1_600, end_ms=2_100, text="find.", confidence=0.87),
            ),
        ),
    ),
    generator="faster-whisper",
    generator_version="1.2.1",
    parameters={"model": "base", "beam_size": 5},
)
