"""How the pipeline grows.

``python -m tests.bench.scale items [--count 100000]``: synthetic recordings through the runner, with an engine
that hears nothing: how long, how much memory, and how long a run takes in which nothing is due.

``python -m tests.bench.scale workers [--seconds 30]``: real Whisper over the same recordings with one worker and with
two, each with its share of the machine's cores, in turn, as a ratio of the best; and the memory that they take.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import resource
import shutil
import tempfile
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from archive.connection import transaction
from metadata.model import Transcript
from pipelines.config import cores
from pipelines.media.samples import AudioBlock
from pipelines.run.executors import InProcess, Local
from pipelines.run.runner import Silent, run_stage
from pipelines.stages.base import Artefact, Item, Outcome, Report, Stage
from pipelines.stages.index import Index
from pipelines.stages.pull import Pull
from pipelines.stages.transcribe import Task, Transcribe, leave
from pipelines.storage.archive_folder import Context, init, open_archive
from pipelines.transcribers import engine
from pipelines.transcribers.chunks import Heard
from pipelines.transcribers.fake import FakeTranscriber
from tests.bench.chaos import write_clips
from tests.pipelines.run.test_kill import children

ABSTRACT = (
    "Recordings that nobody can search are recordings that nobody has. We show how Radio Lighthouse packs BagIt, why "
    "its catalogue speaks OAI-PMH, and what happened when the whole of it moved from tape to a server in Thessaloniki. "
    "The second part is about the people: who listens, what they ask for, and what an archive owes to those who were "
    "recorded without being asked. With examples from Winter School, live, and time for questions at the end. "
)


@dataclass(frozen=True)
class Unheard(Transcribe):
    """The stage, without sound: its work is everything but decoding and listening."""

    def work(self, task: Task, report: Report) -> Artefact:
        silence: Iterable[AudioBlock] = ()
        transcript: Transcript = self.transcriber.transcribe(silence, task.hints, report)
        return leave(Heard(transcript), task, "heard")


class Memory(Silent):
    """Notes memory as items end."""

    def __init__(self, every: int) -> None:
        self.every = every
        self.count = 0

    def stage(self, stage: Stage, items: Sequence[Item]) -> None:
        print(f"{stage.name}: {len(items)} due, {mebibytes():.0f} MiB", flush=True)
        self.count = 0

    def ended(self, item: Item, outcome: Outcome, remark: str | None) -> None:
        self.count += 1
        if self.count % self.every == 0:
            print(f"  {self.count}: {mebibytes():.0f} MiB now, {peak():.0f} at most", flush=True)


def mebibytes() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def spent_below() -> float:
    """Return the processor seconds of child processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def fill(context: Context, count: int) -> None:
    """Put sessions with a recording, two people and an abstract each into the catalogue, as pulling would have."""
    shas = [hashlib.sha256(str(number).encode()).hexdigest() for number in range(count)]
    with transaction(context.db):
        context.db.execute("INSERT INTO event(id, slug, title) VALUES (1, 'synthetic', 'Synthetic')")
        context.db.conn.executemany(
            "INSERT INTO session(id, event_id, slug, title, abstract, position) VALUES (?, 1, ?, ?, ?, ?)",
            ((number + 1, f"session-{number}", f"Session {number}", ABSTRACT, number) for number in range(count)),
        )
        context.db.conn.executemany(
            "INSERT INTO person(id, slug, name) VALUES (?, ?, ?)",
            ((number, f"person-{number}", f"Person {number}") for number in range(1, 1001)),
        )
        context.db.conn.executemany(
            "INSERT INTO session_person(session_id, person_id, role, position) VALUES (?, ?, 'speaker', ?)",
            ((n + 1, (n + at * 7) % 1000 + 1, at) for n in range(count) for at in (0, 1)),
        )
        context.db.conn.executemany(
            "INSERT INTO recording(session_id, sha256, kind, duration_ms, bytes, media_type, suffix, original_name,"
            " pulled_at) VALUES (?, ?, 'audio', 3600000, 1, 'audio/wav', '.wav', ?, '2022-01-01T00:00:00Z')",
            [(number + 1, sha, f"{number}.wav") for number, sha in enumerate(shas)],
        )


def items(count: int) -> None:
    folder = Path(tempfile.mkdtemp(prefix="rostra-scale-"))
    init(folder / "archive", title="Synthetic")
    with open_archive(folder / "archive") as context:
        fill(context, count)
        for stage in (Unheard(FakeTranscriber()), Index()):
            began = time.monotonic()
            report = run_stage(context, stage, InProcess(), Memory(count // 5))
            assert not report.failed
            print(f"{stage.name}: {dict(report.counts)} in {time.monotonic() - began:.1f} s, {peak():.0f} MiB at most")
        for stage in (Unheard(FakeTranscriber()), Index()):
            began = time.monotonic()
            assert not run_stage(context, stage, InProcess(), Silent()).counts
            print(f"{stage.name}, nothing due: {time.monotonic() - began:.2f} s")
    shutil.rmtree(folder)


class Below(Silent):
    """Notes the most memory that each child process has taken."""

    def __init__(self) -> None:
        self.most: dict[int, int] = {}

    def advanced(self, item: Item, done: float) -> None:
        for child in children(os.getpid()):
            with suppress(OSError, TypeError):
                status = Path(f"/proc/{child}/status").read_text()
                if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                    self.most[child] = int(re.search(r"VmHWM:\s+(\d+) kB", status)[1])  # type: ignore[index]


def workers(count: int, seconds: int, rounds: int) -> None:
    folder = Path(tempfile.mkdtemp(prefix="rostra-scale-"))
    speech = Path(os.environ.get("ROSTRA_TEST_DATA", "../shared/data")) / "audio" / "en" / "gb0_bush_radio_address.flac"
    write_clips(folder / "clips", speech, count, seconds)
    took: dict[int, list[float]] = {1: [], 2: []}
    for turn in range(rounds):
        for number, times in took.items():
            root = folder / f"archive-{number}-{turn}"
            init(root, title="Speech")
            with open_archive(root) as context:
                run_stage(context, Pull([folder / "clips"]), InProcess(), Silent())
                stage = Transcribe(engine("faster-whisper", model="base", threads=max(1, cores() // number)))
                began, spent, below = time.monotonic(), spent_below(), Below()
                report = run_stage(context, stage, Local(number, context.layout.work), below)
                times.append(time.monotonic() - began)
                assert dict(report.counts) == {"done": count}
            print(
                f"{number} workers with {max(1, cores() // number)} threads each: {times[-1]:.1f} s,"
                f" {spent_below() - spent:.1f} s of processors, {sum(below.most.values()) / 1024:.0f} MiB",
                flush=True,
            )
    ratio = min(took[1]) / min(took[2])
    print(f"two workers against one, {count} recordings of {seconds} s, {cores()} cores: {ratio:.2f} times as fast")
    shutil.rmtree(folder)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["items", "workers"])
    parser.add_argument("--count", type=int)
    parser.add_argument("--seconds", type=int, default=30, help="of each recording, for workers")
    parser.add_argument("--rounds", type=int, default=2, help="of each number of workers, in turn; the best counts")
    options = parser.parse_args()
    if options.what == "items":
        items(options.count or 100_000)
    else:
        workers(options.count or 12, options.seconds, options.rounds)


if __name__ == "__main__":
    main()
