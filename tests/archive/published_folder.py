"""A small published folder: three events whose texts are partly hostile, and recordings that are tones."""

from __future__ import annotations

import hashlib
import io
import json
import math
import wave
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np

from archive.catalogue.migrations import catalogue_migrations
from archive.index.passages import rebuild
from archive.publication.rules import create_schema
from archive.research.vocabulary import write_counts
from archive.search.announcements import write_index
from archive.sqlite import Database, sqlite3
from metadata.times import format_timestamp

FIRST_BUILD = "00000000000000aa"
SECOND_BUILD = "00000000000000bb"

SENTENCES = (
    (0, 4_000, "Good evening, and welcome to everyone who listens."),
    (4_200, 9_000, "Tonight I want to ask what an archive owes its listeners."),
    (9_100, 14_500, "A recording that nobody can search is a recording that nobody has."),
    (17_000, 22_000, "So the first debt is a table of contents, down to the second."),
    (22_100, 27_400, "The second debt is honesty about what was heard and what was guessed."),
    (27_500, 33_000, "A lighthouse does not tell ships where to go, it tells them where they are."),
    (33_200, 38_000, "Thank you for watching and do not forget to subscribe."),
    (41_000, 47_000, "The third debt is patience: names are misheard, and must be corrected by people."),
    (47_100, 53_000, "And the last one is to stay reachable, for longer than a project lasts."),
    (53_200, 58_900, "The lamp has to burn when nobody is at sea."),
)
DOUBTFUL = 6
"""Position of the sentence that is flagged."""

HOSTILE = "<script>alert('x')</script> & \"quotes\" ünïcode"
HOSTILE_SENTENCES = (
    (0, 3_000, "</script><script>alert(1)</script> said the microphone."),
    (3_000, 6_000, "\"Quotes\", 'apostrophes' & ampersands \N{GRINNING FACE}."),
    (6_000, 9_000, "<img src=x onerror=alert(2)> and a lantern"),
)
ARABIC_SENTENCES = (
    (0, 4_000, "أهلا وسهلا بكم في الأرشيف."),
    (4_000, 8_000, "الصوت الذي لا يمكن البحث عنه لا يملكه أحد."),
)
SPANISH_SENTENCES = ((0, 4_000, "Buenas noches y bienvenidos."), (4_200, 9_000, "¿Qué debe un archivo a sus oyentes?"))


def publish(
    public: Path,
    build: str = FIRST_BUILD,
    *,
    extra_title: str | None = None,
    more: Callable[[Database, Path], None] | None = None,
) -> None:
    """Write a database, and only then name it in ``current.json``, in one step.

    Args:
        public: the folder.
        build: what the database's name ends in.
        extra_title: of one more session.
        more: adds what a test is about, given the database and the folder of media.
    """
    (public / "media").mkdir(parents=True, exist_ok=True)
    name = f"catalogue-{build}.db"
    conn = sqlite3.connect(public / name)
    conn.row_factory = sqlite3.Row
    db = Database(conn)
    catalogue = Database(sqlite3.connect("file:published-schema?mode=memory&cache=shared", uri=True))
    catalogue_migrations.apply(catalogue)
    conn.execute("ATTACH 'file:published-schema?mode=memory&cache=shared' AS source")
    create_schema(conn, "source")
    conn.commit()
    conn.execute("DETACH source")
    catalogue.close()
    _fill(db, public / "media")
    if extra_title:
        _session(db, 90, "extra", extra_title, start="2022-07-26T10:00:00+02:00")
    if more:
        more(db, public / "media")
    conn.commit()
    rebuild(db)
    write_index(conn)
    write_counts(conn)
    conn.commit()
    conn.close()
    point_to(public, name)


def point_to(public: Path, name: str) -> None:
    """Make ``current.json`` name a database."""
    draft = public / "current.json.new"
    draft.write_text(json.dumps({"database": name, "built_at": "2026-11-23T10:00:00Z"}))
    draft.replace(public / "current.json")


def tone(path: Path, seconds: int, hertz: float) -> None:
    """Write a sine wave, mono, 8 bits at 8 kHz."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(8_000)
        period = bytes(int(128 + 20 * math.sin(2 * math.pi * hertz * i / 8_000)) for i in range(8_000))
        file.writeframes(period * seconds)


def _fill(db: Database, media: Path) -> None:
    db["series"].insert({"id": 1, "slug": "summer", "title": "Summer University"})
    _insert(
        db,
        "event",
        {
            "id": 1,
            "series_id": 1,
            "edition": 3,
            "slug": "summer-university-2022",
            "title": "Summer University",
            "subtitle": "Memory, voice and record",
            "description": "Four days on what is kept, who keeps it, and who can find it again.",
            "mode": "online",
            "start_date": "2022-07-23",
            "end_date": "2022-07-26",
            "time_zone": "Europe/Berlin",
        },
        {
            "id": 2,
            "slug": "launch",
            "title": "Book launch",
            "mode": "in-person",
            "start_date": "2022-01-15",
            "end_date": "2022-01-15",
            "time_zone": "Europe/London",
        },
        {"id": 3, "slug": "hostile", "title": HOSTILE, "subtitle": HOSTILE, "description": HOSTILE},
    )
    db["event_language"].insert_all(
        {"event_id": 1, "language": tag, "role": role}
        for tag, role in (("en", "floor"), ("es", "interpretation"), ("ar", "interpretation"))
    )
    _insert(
        db,
        "place",
        {"id": 1, "event_id": 1, "kind": "watch-party", "name": "Lighthouse", "city": "Hamburg", "country": "DE"},
        {"id": 2, "event_id": 2, "kind": "venue", "name": "The Reading Room", "city": "London", "country": "GB"},
        {"id": 3, "event_id": 3, "kind": "venue", "name": HOSTILE, "city": None, "country": None},
    )
    _insert(
        db,
        "person",
        {
            "id": 1,
            "slug": "noor-okafor",
            "name": "Noor Okafor",
            "biography": "Keeps the sound archive of a small radio station.",
        },
        {"id": 2, "slug": "jonas-lindqvist", "name": "Jonas Lindqvist", "biography": None},
        {"id": 3, "slug": "eve", "name": 'Eve "<img src=x onerror=alert(3)>" O\'Neil', "biography": HOSTILE},
    )
    _session(
        db,
        1,
        "what-an-archive-owes",
        "What an archive owes its listeners",
        kind="keynote",
        track="Memory",
        room="Main hall",
        language="en",
        start="2022-07-23T16:00:00+00:00",
        planned_ms=45 * 60_000,
        abstract="Recordings that nobody can search are recordings that nobody has.",
    )
    _session(
        db, 2, "open-questions", "Open questions", kind="qa", start="2022-07-24T09:30:00+02:00", planned_ms=1_800_000
    )
    _session(db, 3, "unplanned", "A session without a time")
    _session(
        db, 4, "the-launch", "The book is out", event=2, kind="launch", start="2022-01-15T18:00:00+00:00", place_id=2
    )
    _session(
        db, 5, "hostile", HOSTILE, event=3, track=HOSTILE, room=HOSTILE, abstract=HOSTILE, subtitle=HOSTILE, place_id=3
    )
    _session(db, 6, "arabic", "الأرشيف والصوت", language="ar", start="2022-07-24T14:00:00+02:00")
    _insert(
        db,
        "session_person",
        {"session_id": 1, "person_id": 1, "role": "speaker", "affiliation": "Radio Lighthouse", "position": 0},
        {"session_id": 1, "person_id": 2, "role": "chair", "affiliation": None, "position": 1},
        {"session_id": 6, "person_id": 1, "role": "speaker", "affiliation": None, "position": 0},
        {"session_id": 2, "person_id": 2, "role": "speaker", "affiliation": None, "position": 0},
        {"session_id": 5, "person_id": 3, "role": "speaker", "affiliation": HOSTILE, "position": 0},
    )
    _insert(
        db,
        "attendance",
        {"id": 1, "event_id": 1, "observed_on": "2022-06-01", "measure": "registered", "people": 1000, "countries": 91},
        {
            "id": 2,
            "event_id": 1,
            "observed_on": "2022-07-23",
            "measure": "registered",
            "people": 3800,
            "announcement": "2022-07-23-over-3800",
        },
        {"id": 3, "event_id": 2, "measure": "attended", "people": 300, "people_qualifier": "over", "countries": 18},
    )
    _insert(
        db,
        "announcement",
        {
            "id": 1,
            "event_id": 1,
            "slug": "2022-07-23-over-3800",
            "title": "Over 3,800 have registered",
            "text": "Thank you! Bring a lantern.",
            "url": "https://example.org/news/3800",
            "published": "2022-07-23T08:00:00+02:00",
            "source": "Summer University",
            "language": "en",
        },
        {"id": 2, "event_id": 3, "slug": "hostile", "title": HOSTILE, "text": HOSTILE, "url": "javascript:alert(6)"},
    )
    _insert(
        db,
        "link",
        {"id": 1, "session_id": 1, "rel": "reading", "title": "The Art of Memory"},
        {"id": 2, "person_id": 1, "rel": "website", "url": "https://example.org/noor"},
        {"id": 4, "event_id": 1, "rel": "pre-order", "url": "https://example.org/book", "title": "The lectures, bound"},
        {"id": 3, "session_id": 5, "rel": "reading", "url": "javascript:alert(4)", "title": HOSTILE},
    )
    recordings = (
        (1, 1, "floor", "en", 440.0, SENTENCES, {"credit": "Radio Lighthouse", "licence": "CC-BY-4.0"}),
        (2, 1, "interpretation", "es", 550.0, SPANISH_SENTENCES, {"synthetic_voice": 1}),
        (3, 5, "floor", "en", 330.0, HOSTILE_SENTENCES, {"credit": HOSTILE, "licence": "javascript:alert(5)"}),
        (4, 6, "floor", "ar", 660.0, ARABIC_SENTENCES, {"synthetic_voice": 1}),
    )
    for key, session, role, language, hertz, sentences, more in recordings:
        _recording(db, media, key, session, role, language, hertz, sentences, more)


def _insert(db: Database, table: str, *rows: dict[str, object]) -> None:
    for row in rows:  # one by one: each leaves other columns to their defaults
        db[table].insert(row)


def _session(
    db: Database, key: int, slug: str, title: str, *, event: int = 1, start: str | None = None, **more: object
) -> None:
    row = {"id": key, "event_id": event, "slug": slug, "title": title, "position": key, "start_at": start, **more}
    db["session"].insert({"identity": f"{key:012x}", **row})
    db.execute(
        "UPDATE session SET start_utc = strftime('%Y-%m-%dT%H:%M:%SZ', start_at) WHERE id = ? AND start_at IS NOT NULL",
        (key,),
    )


def _rendered(db: Database, media: Path) -> None:
    """Write what the first recording's timeline shows: a shape, and two pictures for half a minute each."""
    shape = [sample for second in range(60) for sample in (-(second % 30), second % 30)]
    peaks = {"version": 2, "channels": 1, "sample_rate": 8_000, "samples_per_pixel": 8_000, "bits": 8}
    sheet = io.BytesIO()
    with av.open(sheet, "w", format="mjpeg") as container:
        stream = container.add_stream("mjpeg", rate=1, width=320, height=90, pix_fmt="yuvj420p")
        halves = np.repeat(np.array([40, 200], dtype=np.uint8), 160)
        frame = av.VideoFrame.from_ndarray(np.tile(halves, (90, 1)), format="gray")
        container.mux([*stream.encode(frame.reformat(format="yuvj420p")), *stream.encode(None)])
    picture = hashlib.sha256(sheet.getvalue()).hexdigest()
    cues = ""
    for n, start_ms in enumerate((0, 30_000)):
        times = f"{format_timestamp(start_ms)} --> {format_timestamp(start_ms + 30_000)}"
        cues += f"{times}\n{picture}.jpg#xywh={160 * n},0,160,90\n\n"
    for kind, suffix, media_type, data in (
        ("peaks", ".json", "application/json", json.dumps(peaks | {"length": 60, "data": shape}).encode()),
        ("sprite", ".jpg", "image/jpeg", sheet.getvalue()),
        ("previews", ".vtt", "text/vtt", f"WEBVTT\n\n{cues}".encode()),
    ):
        sha256 = hashlib.sha256(data).hexdigest()
        (media / f"{sha256}{suffix}").write_bytes(data)
        db["rendition"].insert(
            {
                "recording_id": 1,
                "kind": kind,
                "sha256": sha256,
                "suffix": suffix,
                "media_type": media_type,
                "bytes": len(data),
            }
        )


def _recording(db, media, key, session, role, language, hertz, sentences, more) -> None:  # type: ignore[no-untyped-def]
    draft = media / f"draft{key}"
    tone(draft, 60, hertz)
    data = draft.read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    draft.replace(media / f"{sha256}.wav")
    db["recording"].insert(
        {
            "id": key, "session_id": session, "sha256": sha256, "kind": "audio", "role": role, "language": language,
            "duration_ms": 60_000, "bytes": len(data), "media_type": "audio/wav", "suffix": ".wav",
            "pulled_at": "2026-11-23T09:00:00Z", **more,
        }
    )  # fmt: skip
    # What browsers play is published in a copy of its own; here it has the recording's name.
    db["rendition"].insert(
        {
            "recording_id": key, "kind": "web", "sha256": sha256, "suffix": ".wav", "media_type": "audio/wav",
            "bytes": len(data),
        }
    )  # fmt: skip
    if key == 1:
        _rendered(db, media)
    db["transcript"].insert(
        {
            "id": key, "recording_id": key, "version": f"{key:08x}" * 2, "language": language, "kind": "asr",
            "generator": "faster-whisper", "parameters_hash": "-", "duration_ms": 60_000, "is_current": 1,
            "created_at": "2026-11-23T09:00:00Z",
        }
    )  # fmt: skip
    for position, (start_ms, end_ms, text) in enumerate(sentences):
        flags = ["stock-phrase", "no-speech"] if key == 1 and position == DOUBTFUL else []
        db["segment"].insert(
            {
                "id": key * 100 + position, "transcript_id": key, "position": position, "start_ms": start_ms,
                "end_ms": end_ms, "text": text, "flags": json.dumps(flags), "confidence": 0.9,
            }
        )  # fmt: skip
