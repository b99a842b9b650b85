"""Media files that are broken in a thousand ways, each pulled and transcribed like any other.

``python -m tests.bench.mutate_media [--count 1000] [--seed 0] [--engine fake|faster-whisper]``

Good files in many containers get bytes flipped, cut out, doubled or overwritten, their ends cut off and the
sizes in their boxes made to lie. Beside them stand playlists in disguise that name a local file, recordings
of no length, of hours of silence and of a hundred streams. Every one must be transcribed or refused with a
reason; no process may crash or take longer than its limit, and nothing but the file may be read: the file
that the playlists name is a FIFO, which whoever opens it for reading would be seen at.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import struct
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

from pipelines.config import Limits
from pipelines.media.files import ffmpeg_binary
from pipelines.run.executors import Local
from pipelines.run.runner import Silent, run_stage
from pipelines.stages.pull import Pull
from pipelines.stages.transcribe import Transcribe
from pipelines.storage.archive_folder import init, open_archive
from pipelines.transcribers import engine

FORMATS = ["mp4", "mov", "mkv", "webm", "ogg", "mp3", "flac", "wav", "m4a", "avi", "ts", "aiff", "caf", "wma"]
CODECS = {"webm": ["-c:a", "libopus"], "ogg": ["-c:a", "libvorbis"]}
PICTURES = {"mp4", "mov", "mkv", "avi", "ts"}
BOXES = [b"moov", b"trak", b"mdia", b"stbl", b"stsz", b"stco", b"stts", b"mdat", b"stsd", b"esds"]
SECONDS_AN_ITEM = 60.0

Mutation = Callable[[bytearray, random.Random], bytearray]


def ffmpeg(*arguments: str) -> None:
    subprocess.run([ffmpeg_binary(), "-nostdin", "-v", "error", "-y", *arguments], check=True)


def good_files(folder: Path) -> list[Path]:
    """Make two seconds of sound in every container."""
    files = []
    for suffix in FORMATS:
        path = folder / f"good.{suffix}"
        pictures = ["-f", "lavfi", "-i", "testsrc=size=64x48:rate=5:duration=2"] if suffix in PICTURES else []
        with suppress(subprocess.CalledProcessError):
            ffmpeg("-f", "lavfi", "-i", "sine=300:duration=2", *pictures, *CODECS.get(suffix, []), str(path))
            files.append(path)
    return files


def flip(data: bytearray, chance: random.Random) -> bytearray:
    for _ in range(chance.choice([1, 8, 64, 512])):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    return data


def flip_head(data: bytearray, chance: random.Random) -> bytearray:
    for _ in range(chance.choice([1, 4, 16])):
        data[chance.randrange(min(512, len(data)))] = chance.randrange(256)
    return data


def cut(data: bytearray, chance: random.Random) -> bytearray:
    return data[: chance.randrange(len(data))]


def hollow(data: bytearray, chance: random.Random) -> bytearray:
    start = chance.randrange(len(data))
    end = min(len(data), start + chance.randrange(1, len(data)))
    data[start:end] = bytes(end - start)
    return data


def splice(data: bytearray, chance: random.Random) -> bytearray:
    start, end = sorted(chance.randrange(len(data)) for _ in range(2))
    return data[:start] + data[end:] if chance.random() < 0.5 else data[:end] + data[start:]


def lie(data: bytearray, chance: random.Random) -> bytearray:
    """Give a box, or any number, a size that is not its own."""
    places = [place - 4 for box in BOXES if (place := data.find(box)) >= 4] or [chance.randrange(len(data) - 8)]
    place = chance.choice(places) + chance.choice([0, 0, 8, 12, 16])
    size = chance.choice([0, 1, 7, 8, 0x7FFFFFFF, 0xFFFFFFFF, len(data) * 2, chance.randrange(2**32)])
    data[place : place + 4] = struct.pack(">I", size & 0xFFFFFFFF)
    return data


MUTATIONS: list[Mutation] = [flip, flip_head, cut, hollow, splice, lie]


def oddities(folder: Path, secret: Path) -> Iterator[Path]:
    """Make what is odd rather than broken."""
    texts = {
        "hls.mp4": f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile://{secret}\n#EXT-X-ENDLIST\n",
        "concat.mp3": f"ffconcat version 1.0\nfile '{secret}'\n",
        "dash.mp4": f"<?xml version='1.0'?><MPD><Period><BaseURL>file://{secret}</BaseURL></Period></MPD>",
        "playlist.wav": f"[playlist]\nFile1={secret}\n",
        "late.ts": "\n" * 300 + f"#EXTM3U\n#EXTINF:5,\n{secret}\n",
    }
    for name, text in texts.items():
        path = folder / name
        path.write_text(text)
        yield path
    sound = ["-f", "lavfi", "-i", "sine=300:duration=1"]
    ffmpeg(*sound, *["-map", "0:a"] * 100, "-c:a", "aac", "-b:a", "8k", str(folder / "hundred.mka"))
    ffmpeg("-f", "lavfi", "-i", "anullsrc=r=8000:cl=mono", "-t", "36000", "-c:a", "flac", str(folder / "silence.flac"))
    ffmpeg(*sound, "-t", "0.00001", str(folder / "nothing.wav"))
    reference = f"#EXTM3U\n{secret}\n".encode()
    whole = (folder / "good.mp4").read_bytes() if (folder / "good.mp4").exists() else b""
    (folder / "appended.mp4").write_bytes(whole + reference)
    (folder / "empty.mp4").write_bytes(b"")
    names = ("hundred.mka", "silence.flac", "nothing.wav", "appended.mp4", "empty.mp4")
    yield from (folder / name for name in names)


def watch_fifo(fifo: Path, opened: threading.Event) -> None:
    """Notice whoever reads the file that playlists name: opening it for writing waits for a reader."""
    with suppress(OSError), fifo.open("wb"):
        opened.set()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--engine", default="fake")
    options = parser.parse_args()
    chance = random.Random(options.seed)  # noqa: S311 the same files every time
    folder = Path(tempfile.mkdtemp(prefix="rostra-mutate-"))
    made, sources = folder / "made", folder / "sources"
    made.mkdir()
    sources.mkdir()
    secret = folder / "secret.wav"
    os.mkfifo(secret)
    opened = threading.Event()
    threading.Thread(target=watch_fifo, args=(secret, opened), daemon=True).start()
    good = good_files(made)
    for path in oddities(made, secret):
        shutil.copy(path, sources / path.name)
    for number in range(options.count - len(list(sources.iterdir()))):
        source = chance.choice(good)
        mutation = chance.choice(MUTATIONS)
        data = mutation(bytearray(source.read_bytes()), chance)
        (sources / f"{number:04}-{mutation.__name__}{source.suffix}").write_bytes(data)
    print(f"{len(list(sources.iterdir()))} files from {len(good)} containers", flush=True)

    init(folder / "archive", title="Broken")
    with open_archive(folder / "archive") as context:
        executor = Local(options.workers, context.layout.work, Limits(grace=SECONDS_AN_ITEM, patience=1.0))
        for stage in (Pull([sources]), Transcribe(engine(options.engine))):
            began = time.monotonic()
            report = run_stage(context, stage, executor, Silent())
            print(f"{stage.name}: {dict(report.counts)} in {time.monotonic() - began:.0f} s", flush=True)
            codes = Counter((outcome.status, outcome.code) for _, outcome in report.troubles)
            for (status, code), count in codes.most_common():
                print(f"  {count:4} {status} {code}")
            crashes = [
                (item.label, outcome.code, outcome.text)
                for item, outcome in report.troubles
                if outcome.code in {"worker-died", "timeout", "unexpected", "out-of-memory", "not-kept"}
            ]
            print(f"  crashed, hung or not understood: {crashes or 'none'}")
            print(
                f"  without a reason: {[item.label for item, outcome in report.troubles if not outcome.text] or 'none'}"
            )
        remarks = context.db.execute("SELECT count(*) FROM stage_run WHERE remark LIKE '%decoded%'").fetchone()[0]
        print(f"transcribed with a remark that parts were lost: {remarks}")
    print(f"something else was read: {opened.is_set()}")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
