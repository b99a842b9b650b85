"""What an archive of many hours takes: the arithmetic of the README, with one's own figures.

``python -m tests.bench.plan [--hours 100000] [--speed 37] [--gpu-hour 0.80] …`` prints the table.

``python -m tests.bench.plan --measure 60`` measures here what the arithmetic takes for granted of Rostra, over as
many hours of real text with the time and confidence of every word, and prints the table with it.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import shutil
import tempfile
import time
from dataclasses import dataclass, fields
from pathlib import Path

import msgspec

from metadata.model import Segment, Transcript, Word
from pipelines.run.executors import InProcess
from pipelines.run.runner import Silent, run_stage
from pipelines.stages.base import Artefact, Report, Stage
from pipelines.stages.index import Index
from pipelines.stages.publish import Publish
from pipelines.stages.transcribe import Task, Transcribe, leave
from pipelines.storage.archive_folder import Context, init, open_archive
from pipelines.transcribers.chunks import Heard
from pipelines.transcribers.fake import FakeTranscriber
from tests.bench.grown import varied
from tests.bench.scale import fill
from tests.corpus import read_corpus

WORDS, SEGMENT_MS, SEGMENT_WORDS = 9_000, 5_000, 12.5
"""Of an hour of speech: 150 words a minute, in segments of five seconds."""


@dataclass(frozen=True)
class Given:
    """What is not measured here."""

    hours: float = 100_000
    speed: float = 37.0  # hours of sound an hour of a GPU: OpenTranscribe's whole pipeline, RTX A6000, 3,718 h
    rework: float = 1.02  # of machines that are lost with what they had in hand
    gpu_hour: float = 0.80
    terabyte_month: float = 20.0
    opus_kbits: float = 32.0
    video_kbits: float = 1_000.0
    gpus: int = 100


@dataclass(frozen=True)
class Measured:
    """What Rostra takes for an hour of speech: kilobytes, and processor seconds of one core."""

    artefact_kb: float = 897
    transcript_kb: float = 418
    index_kb: float = 75
    published_kb: float = 484
    keep_s: float = 0.063
    index_s: float = 0.011
    publish_s: float = 0.018


@dataclass(frozen=True)
class Said(Transcribe):
    """The stage, with an hour of real text instead of sound."""

    words: tuple[str, ...] = ()

    def work(self, task: Task, report: Report) -> Artefact:
        return leave(Heard(an_hour(self.words, task.sha256)), task, f"{task.part.number}.heard")


def an_hour(words: tuple[str, ...], seed: str) -> Transcript:
    """Return an hour of text with the times and confidence of its words."""
    choose = random.Random(seed)  # noqa: S311 the same text each time
    first = choose.randrange(len(words) - WORDS)
    segments = []
    for number in range(3_600_000 // SEGMENT_MS):
        begin, end = (first + int(at * SEGMENT_WORDS) for at in (number, number + 1))
        said = varied(" ".join(words[begin:end]), choose).split()
        start, each = number * SEGMENT_MS, (SEGMENT_MS - 200) // len(said)
        timed = tuple(
            Word(start_ms=start + at * each, end_ms=start + (at + 1) * each, text=word, confidence=choose.random())
            for at, word in enumerate(said)
        )
        confidence = choose.random()
        segments.append(
            Segment(start_ms=start, end_ms=start + SEGMENT_MS, text=" ".join(said), confidence=confidence, words=timed)
        )
    return Transcript(language="en", duration_ms=3_600_000, segments=tuple(segments), generator="bench")


def measure(hours: int) -> Measured:
    words = tuple(word for talk in read_corpus() for text in talk for word in text.split())
    folder = Path(tempfile.mkdtemp(prefix="rostra-plan-"))
    init(folder / "archive", title="Plan")
    with open_archive(folder / "archive") as context:
        fill(context, hours)
        empty = _bytes(context)
        making = _seconds(lambda: [an_hour(words, hashlib.sha256(b"%d" % n).hexdigest()) for n in range(hours)])
        keeping = _run(context, Said(FakeTranscriber(), words=words)) - making
        kept = _bytes(context)
        indexing = _run(context, Index())
        indexed = _bytes(context)
        publishing = _run(context, Publish())
        published = next(context.layout.public.glob("catalogue-*.db")).stat().st_size
    shutil.rmtree(folder)
    return Measured(
        artefact_kb=len(msgspec.json.encode(Heard(an_hour(words, "")))) / 1e3,
        transcript_kb=(kept - empty) / hours / 1e3,
        index_kb=(indexed - kept) / hours / 1e3,
        published_kb=published / hours / 1e3,
        keep_s=keeping / hours,
        index_s=indexing / hours,
        publish_s=publishing / hours,
    )


def _bytes(context: Context) -> int:
    context.db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return context.layout.catalogue.stat().st_size


def _run(context: Context, stage: Stage) -> float:
    def run() -> None:
        assert not run_stage(context, stage, InProcess(), Silent()).failed

    return _seconds(run)


def _seconds(work: object) -> float:
    began = time.process_time()
    work()  # type: ignore[operator]
    return time.process_time() - began


def table(given: Given = Given(), measured: Measured = Measured()) -> str:
    """Return the plan as Markdown: what, how much, how that is reckoned, and where the figures in it come from."""
    hours, gpus = given.hours, given.gpus
    gpu_hours = hours / given.speed * given.rework
    sound, video = (hours * 3_600 * kbits / 8 / 1e9 for kbits in (given.opus_kbits, given.video_kbits))
    kept, published = measured.transcript_kb + measured.index_kb, measured.published_kb
    driven = measured.keep_s + measured.index_s
    of, wall = f"{hours:,.0f}", gpu_hours / gpus
    lines = f"""
    GPU hours | {gpu_hours:,.0f} h | {of} h ÷ {given.speed:g} × {given.rework:g} for rework | assumed
    on {gpus} GPUs | {wall:,.0f} h | {gpu_hours:,.0f} h ÷ {gpus} | assumed
    their cost | {gpu_hours * given.gpu_hour:,.0f} | {gpu_hours:,.0f} × {given.gpu_hour:.2f} | assumed
    media, as sound | {sound:,.1f} TB | {of} × 3,600 s × {given.opus_kbits:g} kbit/s (Opus) | assumed
    media, as video | {video:,.0f} TB | {of} × 3,600 s × {given.video_kbits:,.0f} kbit/s | assumed
    reading that | {video * 1e6 / wall / 3_600:,.0f} MB/s | {video:,.0f} TB ÷ {wall:,.0f} h | assumed
    keeping it | {video * given.terabyte_month:,.0f} a month | {video:,.0f} TB × {given.terabyte_month:g} | assumed
    catalogue | {hours * kept / 1e6:,.0f} GB | {of} × ({measured.transcript_kb:.0f} kB of words + \
{measured.index_kb:.0f} kB of index) | measured
    what is published | {hours * published / 5e5:,.0f} GB | {of} × {published:.0f} kB × 2 while it is built | measured
    the driver's own work | {hours * driven / 3_600:.1f} h | {of} × ({measured.keep_s:.3f} s to keep + \
{measured.index_s:.3f} s to index) | measured
    building a publication | {hours * measured.publish_s / 3_600:.1f} h | {of} × {measured.publish_s:.3f} s | measured
    transcripts on their way | {gpus * measured.artefact_kb / 1e3:.0f} MB | {gpus} workers × \
{measured.artefact_kb:,.0f} kB | measured
    """
    rows = [f"| {line.strip()} |" for line in lines.replace("\\\n", "").strip().splitlines()]
    return "\n".join(["| what | how much | arithmetic | figures |", "|---|---|---|---|", *rows])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for each in fields(Given):
        parser.add_argument(f"--{each.name.replace('_', '-')}", type=type(each.default), default=each.default)
    parser.add_argument("--measure", type=int, metavar="HOURS", help="measure over so many hours of text")
    options = parser.parse_args()
    given = Given(**{each.name: getattr(options, each.name) for each in fields(Given)})
    measured = measure(options.measure) if options.measure else Measured()
    if options.measure:
        print(measured)
    print(table(given, measured))


if __name__ == "__main__":
    main()
