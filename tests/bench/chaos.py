"""Runs that are killed at random moments, compared with one that nobody disturbed.

``python -m tests.bench.chaos [--runs 100] [--recordings 30] [--engine faster-whisper|fake]``

Every run's driver gets SIGKILL after a random while. In the end the catalogue and the published database
must hold the same rows as those of an undisturbed run, and neither a temporary file nor a process may be
left. Rework is what was begun and not ended by a run that was killed: done again, and charged to nobody.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import wave
from contextlib import closing, suppress
from pathlib import Path

import numpy as np

from pipelines.media import stream_audio
from tests.pipelines.test_cli import rostra
from tests.pipelines.test_kill import NATURAL, alive, children, published

CLIP_SECONDS = 3


def write_clips(folder: Path, source: Path, count: int, seconds: int = CLIP_SECONDS) -> None:
    """Cut a recording of speech into short ones."""
    folder.mkdir()
    samples = np.concatenate(list(stream_audio(source)))
    for number in range(count):
        start = (number * seconds * 16_000) % max(1, len(samples) - seconds * 16_000) + number
        clip = (samples[start : start + seconds * 16_000] * 32_767).astype("<i2")
        with wave.open(str(folder / f"clip-{number:03}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(16_000)
            file.writeframes(clip.tobytes())


def catalogue(root: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(root / "catalogue.db")) as conn:
        return {table: sorted(conn.execute(sql).fetchall(), key=repr) for table, sql in NATURAL.items()}


def states(root: Path) -> dict[tuple[str, str], int]:
    with closing(sqlite3.connect(root / "catalogue.db")) as conn:
        sql = "SELECT stage, status, count(*) FROM stage_run GROUP BY stage, status"
        return {(stage, status): count for stage, status, count in conn.execute(sql)}


def scraps(root: Path) -> list[str]:
    kept = {"rostra.toml", "catalogue.db", "catalogue.db-wal", "catalogue.db-shm", ".lock"}
    found = [path for path in root.rglob("*") if path.is_file()]
    return [
        str(path.relative_to(root))
        for path in found
        if (path.parent == root and path.name not in kept)
        or ".part" in path.name
        or path.relative_to(root).parts[0] == "work"
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--recordings", type=int, default=30)
    parser.add_argument("--engine", default="faster-whisper")
    parser.add_argument("--longest", type=float, default=4.0, help="seconds before a kill, at most")
    parser.add_argument("--speech", type=Path, default=Path(os.environ.get("ROSTRA_TEST_DATA", "../shared/data")))
    options = parser.parse_args()
    chance = random.Random(0)  # noqa: S311 the same moments every time
    folder = Path(tempfile.mkdtemp(prefix="rostra-chaos-"))
    clips = folder / "clips"
    write_clips(clips, options.speech / "audio" / "en" / "acoustic_corpus.flac", options.recordings)
    settings = f"[transcribe]\nengine = '{options.engine}'\nlanguage = 'en'\n[run]\nworkers = 2\n"
    roots = {name: folder / name for name in ("undisturbed", "disturbed")}
    for root in roots.values():
        rostra("init", root, "--title", "Talks")
        (root / "rostra.toml").write_text(settings)
    calm, wild = roots["undisturbed"], roots["disturbed"]
    began = time.monotonic()
    assert rostra("pull", clips, "--archive", calm).returncode == 0
    assert rostra("run", "--archive", calm).returncode == 0
    print(f"undisturbed: {time.monotonic() - began:.1f} s, {states(calm)}")

    killed = orphans = 0
    for number in range(options.runs):
        if number >= options.runs * 0.8 and number % 5 == 0:
            shutil.rmtree(wild / "public", ignore_errors=True)  # so that the last ones have something to do
        what = ["pull", str(clips)] if number % 4 == 0 else ["run"]
        run = subprocess.Popen(
            [sys.executable, "-m", "pipelines", *what, "--archive", str(wild)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        below: list[int] = []
        end = time.monotonic() + chance.uniform(0.3, options.longest)
        while time.monotonic() < end and run.poll() is None:
            with suppress(OSError):
                below = children(run.pid) or below
            time.sleep(0.02)
        if run.poll() is None:
            killed += 1
            with suppress(OSError):
                below += children(run.pid)
            run.send_signal(signal.SIGKILL)
        run.wait()
        end = time.monotonic() + 5
        while any(map(alive, below)) and time.monotonic() < end:
            time.sleep(0.05)
        orphans += sum(map(alive, below))
    assert rostra("pull", clips, "--archive", wild).returncode == 0
    last = rostra("run", "--archive", wild)
    assert last.returncode == 0, last.stderr
    after = states(wild)
    print(f"disturbed: {options.runs} runs, {killed} killed, {orphans} processes left, {after}")
    print(f"begun and done again: {sum(n for (_, status), n in after.items() if status == 'interrupted')}")
    print(f"charged: {sum(n for (_, status), n in after.items() if status in {'failed', 'refused'})}")
    print(f"files left: {scraps(wild) or 'none'}")
    print(f"catalogue is the same: {catalogue(wild) == catalogue(calm)}")
    print(f"publication is the same: {published(wild) == published(calm)}")
    shutil.rmtree(folder)


if __name__ == "__main__":
    main()
