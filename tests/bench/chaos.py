"""Runs that are killed at random moments, compared with one that nobody disturbed.

``python -m tests.bench.chaos [--kills 100] [--recordings 30] [--seed 0] [--model base] [--engine faster-whisper|fake]``

An archive is pulled and run again and again, and each driver gets SIGKILL after a random while, until one comes to
its end; then its catalogue and its published database must hold the same rows as those of an undisturbed archive,
with neither a temporary file nor a process left, nothing done twice and nobody charged; and the next archive begins,
until there were as many kills as asked for. Rework is what was begun when a driver was killed, and is done again.
Another seed gives other moments: several short benches say as much as a long one.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
import wave
from collections import Counter
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path

import numpy as np

from pipelines.media.files import stream_audio
from tests.pipelines.cli.test_cli import rostra
from tests.pipelines.run.test_kill import NATURAL, alive, children, published

CLIP_SECONDS = 3


def write_clips(folder: Path, source: Path, count: int, seconds: int = CLIP_SECONDS) -> None:
    """Cut a recording of speech into others; one that is too short is repeated."""
    folder.mkdir()
    samples = np.concatenate(list(stream_audio(source)))
    samples = np.tile(samples, 1 + seconds * 16_000 // len(samples))
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


def scalars(root: Path, sql: str) -> list[str]:
    with closing(sqlite3.connect(root / "catalogue.db")) as conn:
        return [row[0] for row in conn.execute(sql)]


def in_hand(root: Path) -> str:
    """Return the stages that the catalogue takes for being at work."""
    return "+".join(scalars(root, "SELECT DISTINCT stage FROM stage_run WHERE status = 'running'")) or "between items"


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


def start(root: Path, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "pipelines", *arguments, "--archive", str(root)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


MOMENTS = {
    "its start": "SELECT id FROM stage_run WHERE 0",
    "the first item it began": "SELECT id FROM stage_run",
    "the first item it ended": "SELECT id FROM stage_run WHERE status = 'done'",
}
"""From when a run's time until its kill is counted: something changes in what these return."""


def killed(root: Path, step: Sequence[str], seconds: float, since: str) -> tuple[bool, int]:
    """Kill a driver some seconds after one of the `MOMENTS`.

    Returns:
        Whether it had not come to its end, and how many processes outlived it.
    """
    before = scalars(root, MOMENTS[since])
    run = start(root, *step)
    while since != "its start" and run.poll() is None and scalars(root, MOMENTS[since]) == before:
        time.sleep(0.05)
    below: list[int] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end and run.poll() is None:
        with suppress(OSError):
            below = children(run.pid) or below
        time.sleep(0.02)
    ended = run.poll() is not None
    with suppress(OSError):
        below += children(run.pid)
    run.kill()
    run.wait()
    end = time.monotonic() + 5
    while any(map(alive, below)) and time.monotonic() < end:
        time.sleep(0.05)
    assert not ended or run.returncode == 0
    return not ended, sum(map(alive, below))


def make(root: Path, settings: str) -> Path:
    assert rostra("init", root, "--title", "Talks").returncode == 0
    (root / "rostra.toml").write_text(settings)
    return root


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--recordings", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--engine", default="faster-whisper")
    parser.add_argument("--model", default="base")
    parser.add_argument("--longest", type=float, help="seconds before a kill [a twentieth of undisturbed]")
    parser.add_argument("--speech", type=Path, default=Path(os.environ.get("ROSTRA_TEST_DATA", "../shared/data")))
    options = parser.parse_args()
    chance = random.Random(options.seed)  # noqa: S311 the same moments every time
    folder = Path(tempfile.mkdtemp(prefix="rostra-chaos-"))
    clips = folder / "clips"
    write_clips(clips, options.speech / "audio" / "en" / "acoustic_corpus.flac", options.recordings)
    settings = (
        f"[transcribe]\nengine = '{options.engine}'\nmodel = '{options.model}'\nlanguage = 'en'\n[run]\nworkers = 2\n"
    )
    steps = (("pull", str(clips)), ("run",))
    calm = make(folder / "undisturbed", settings)
    began = time.monotonic()
    for step in steps:
        assert start(calm, *step).wait() == 0
    longest = options.longest or (time.monotonic() - began) / 20
    print(f"undisturbed: {time.monotonic() - began:.1f} s", flush=True)

    kills = orphans = archives = rework = 0
    moments: Counter[str] = Counter()
    faults: list[str] = []
    while kills < options.kills:
        archives += 1
        wild = make(folder / f"disturbed-{archives}", settings)
        for step in steps:
            while True:
                if kills == options.kills:
                    assert start(wild, *step).wait() == 0
                    break
                since = chance.choice((*MOMENTS, "the first item it ended"))
                disturbed, left = killed(wild, step, chance.uniform(0, longest), since)
                orphans += left
                if not disturbed:
                    break
                kills += 1
                moments[in_hand(wild)] += 1
        rework += len(scalars(wild, "SELECT id FROM stage_run WHERE status = 'interrupted'"))
        faults += [
            f"archive {archives}: {fault}"
            for fault, found in (
                ("its catalogue differs", catalogue(wild) != catalogue(calm)),
                ("its publication differs", published(wild) != published(calm)),
                ("files are left", scraps(wild)),
                (
                    "done twice",
                    scalars(
                        wild,
                        "SELECT subject FROM stage_run WHERE status = 'done'"
                        " GROUP BY stage, subject, fingerprint HAVING count(*) > 1",
                    ),
                ),
                ("charged", scalars(wild, "SELECT subject FROM stage_run WHERE status IN ('failed', 'refused')")),
            )
            if found
        ]
        print(
            f"archive {archives}: {kills} kills so far, {faults or 'the same rows as the undisturbed one'}", flush=True
        )
        shutil.rmtree(wild)
    print(f"{kills} kills over {archives} archives of {options.recordings} recordings; at work were: {dict(moments)}")
    print(f"begun and done again: {rework} of {archives * options.recordings * 4} steps of recordings")
    print(f"processes left: {orphans}; faults: {faults or 'none'}")
    shutil.rmtree(folder)
    sys.exit(bool(orphans or faults))


if __name__ == "__main__":
    main()
