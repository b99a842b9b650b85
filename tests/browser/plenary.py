"""A plenary of two hours in 2,498 captions with the times of their words, beside the small published folder."""

from __future__ import annotations

import hashlib
import json
import random
import subprocess
from pathlib import Path

from imageio_ffmpeg import get_ffmpeg_exe

from archive.sqlite import Database

CUES = 2_498
HOURS = 2
PATH = "/events/summer-university-2022/plenary"
WORD = "lantern"
EVERY = 5
"""Each so many-th caption has the word: 500 of them."""


def add_plenary(db: Database, media: Path) -> None:
    """Add it to a database that is not indexed yet."""
    minute, sound = media / "minute.webm", media / "plenary.webm"
    ffmpeg = (get_ffmpeg_exe(), "-loglevel", "error", "-y")
    tone = ("-f", "lavfi", "-i", "sine=frequency=300:sample_rate=8000", "-t", "60")
    subprocess.run([*ffmpeg, *tone, "-c:a", "libopus", "-b:a", "6k", str(minute)], check=True)
    again = ("-stream_loop", str(HOURS * 60 - 1), "-i", str(minute), "-c", "copy")
    subprocess.run([*ffmpeg, *again, str(sound)], check=True)
    minute.unlink()
    data = sound.read_bytes()
    sha256 = hashlib.sha256(data).hexdigest()
    sound.replace(media / f"{sha256}.webm")
    whole = HOURS * 3_600_000
    db["session"].insert(
        {
            "id": 50, "event_id": 1, "slug": "plenary", "title": "The plenary of two hours", "position": 50,
            "kind": "plenary", "track": "Memory", "language": "en", "start_at": "2022-07-25T10:00:00+02:00",
            "start_utc": "2022-07-25T08:00:00Z", "planned_ms": whole,
        }
    )  # fmt: skip
    for person in (1, 2):
        db["session_person"].insert({"session_id": 50, "person_id": person, "role": "speaker", "position": person})
    db["recording"].insert(
        {
            "id": 50, "session_id": 50, "sha256": sha256, "kind": "audio", "role": "floor", "language": "en",
            "duration_ms": whole, "bytes": len(data), "media_type": "audio/webm", "suffix": ".webm",
            "pulled_at": "2026-11-23T09:00:00Z",
        }
    )  # fmt: skip
    db["rendition"].insert(
        {
            "recording_id": 50, "kind": "web", "sha256": sha256, "suffix": ".webm", "media_type": "audio/webm",
            "bytes": len(data),
        }
    )  # fmt: skip
    for key, person in enumerate((1, 2, None), 1):
        db["speaker_tag"].insert({"id": 500 + key, "recording_id": 50, "label": f"Voice {key}", "person_id": person})
    db["transcript"].insert(
        {
            "id": 50, "recording_id": 50, "version": "plenary", "language": "en", "kind": "asr",
            "generator": "faster-whisper", "parameters_hash": "-", "duration_ms": whole, "is_current": 1,
            "created_at": "2026-11-23T09:00:00Z",
        }
    )  # fmt: skip
    _say(db, whole)


def _say(db: Database, whole: int) -> None:
    chance = random.Random(7)  # noqa: S311  # the same each time
    syllables = [a + b for a in "bcdfglmnprstv" for b in ("a", "e", "i", "o", "u", "an", "er", "is")]
    vocabulary = ["".join(chance.choices(syllables, k=chance.randint(1, 3))) for _ in range(3_000)]
    likely = [1 / (1 + rank) for rank in range(len(vocabulary))]
    step = whole // CUES
    segments, words = [], []
    for position in range(CUES):
        said = chance.choices(vocabulary, likely, k=chance.randint(5, 11))
        if position % EVERY == 2:
            said[2] = WORD
        said[0] = said[0].capitalize()
        said[-1] += "." if position % 2 else ","
        start = position * step
        segments.append(
            {
                "id": 100_000 + position, "transcript_id": 50, "position": position, "start_ms": start,
                "end_ms": start + step - 100, "text": " ".join(said), "confidence": 0.9, "flags": json.dumps([]),
                "speaker_tag_id": 501 + position // 40 % 3,
            }
        )  # fmt: skip
        each = (step - 100) // len(said)
        words += [
            {
                "segment_id": 100_000 + position, "position": nth, "start_ms": start + nth * each,
                "end_ms": start + (nth + 1) * each, "text": f" {word}", "confidence": 0.9,
            }
            for nth, word in enumerate(said)
        ]  # fmt: skip
    db["segment"].insert_all(segments)
    db["word"].insert_all(words)
