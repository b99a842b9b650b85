"""A repository as large as pyvideo's, imported, and a folder of captions, added: seconds and memory.

``python -m tests.bench.importing [--files 21715] [--captions 2000]``

The talks are made up, in events of 80: titles, speakers, abstracts, links and languages. Imported are the whole
repository, the same again (which must change nothing), and the same after one talk in a hundred was renamed.
Beside it, a `schedule.xml` of 1,000 sessions.

The captions are 600 cues a file, with two speakers in every fourth file, of 2,000 sessions of a timetable, then the
same again. ``--files 0`` and ``--captions 0`` leave one out.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from metadata.model import Event, Person, Role, Session
from metadata.timetables import WRITERS
from metadata.timetables.parts import with_slugs
from pipelines.exchange.captioned import Names, add_files, caption_files
from pipelines.exchange.timetables import Imported, import_timetables
from pipelines.storage.archive_folder import init, open_archive

TALKS_AN_EVENT = 80
CUES = 600
WORDS = "tide harbour lamp rope sail chart pilot buoy wave keel mast storm signal depth anchor beacon".split()  # noqa: SIM905


def make(folder: Path, files: int) -> list[Path]:
    """Write a repository, and return its talks."""
    chance = random.Random(7)  # noqa: S311 - it only has to be the same every time
    names = [f"{a.title()} {b.title()}{c.title()}" for a in WORDS for b in WORDS for c in WORDS]
    talks = []
    for number in range(files):
        event = folder / f"event-{number // TALKS_AN_EVENT:04}"
        if number % TALKS_AN_EVENT == 0:
            (event / "videos").mkdir(parents=True)
            (event / "category.json").write_text(json.dumps({"title": f"Event {number // TALKS_AN_EVENT}"}))
        talk = {
            "title": f"{' '.join(chance.choices(WORDS, k=5))} {number}",
            "description": " ".join(chance.choices(WORDS, k=200)),
            "duration": chance.randrange(600, 5400),
            "language": "eng",
            "recorded": f"20{10 + number // TALKS_AN_EVENT % 15}-07-{1 + number % 4:02}",
            "speakers": chance.sample(names, chance.choice((1, 1, 1, 2))),
            "tags": [],
            "videos": [{"type": "youtube", "url": f"https://www.youtube.com/watch?v={number:011}"}],
            "related_urls": [{"label": "page", "url": f"https://a.example/{number}"}],
        }
        talks.append(event / "videos" / f"talk-{number}.json")
        talks[-1].write_text(json.dumps(talk))
    return talks


def rename(talks: Sequence[Path]) -> None:
    """Give one talk in a hundred another title."""
    for path in talks[::100]:
        talk = json.loads(path.read_text())
        path.write_text(json.dumps(talk | {"title": "Renamed " + talk["title"]}))


def timetable(sessions: int) -> bytes:
    """Return a `schedule.xml` of so many sessions."""
    made = [
        Session(
            slug="",
            title=f"Session {number}",
            room=f"Room {number % 10}",
            start=f"2024-07-{1 + number // 250:02}T{9 + number // 10 % 12:02}:{number // 120 % 2 * 30:02}:00+02:00",
            planned_ms=1_500_000,
            abstract="An abstract. " * 60,
            people=(Role(person=Person(name=f"Speaker {number % 700}")),),
        )
        for number in range(sessions)
    ]
    event = Event(slug="large", title="Large", time_zone="Europe/Berlin", sessions=with_slugs(made))
    return WRITERS["schedule.xml"](event).files["schedule.xml"]


def make_captions(folder: Path, files: int) -> list[Session]:
    """Write captions, each called as a session, and return the sessions."""
    chance = random.Random(11)  # noqa: S311 - it only has to be the same every time
    words = [*WORDS, *(a + b for a in WORDS for b in WORDS)]
    common = "the of and to a in that is it we you for on with this as are be so but have not what".split()  # noqa: SIM905
    folder.mkdir()
    for number in range(files):
        lines = ["WEBVTT", ""]
        for cue in range(CUES):
            said = " ".join(chance.choice(common if chance.random() < 0.5 else words) for _ in range(9))
            voice = f"<v Speaker {cue // 20 % 2}>" if number % 4 == 0 else ""
            lines += [f"{_clock(cue * 4000)} --> {_clock(cue * 4000 + 3900)}", f"{voice}{said}.", ""]
        (folder / f"captioned-{number}.en.vtt").write_text("\n".join(lines))
    titles = [f"Captioned {number}" for number in range(files)]
    made = [Session(slug="", title=each, start="2024-07-01T09:00:00+02:00", planned_ms=1_500_000) for each in titles]
    return list(with_slugs(made))


def _clock(ms: int) -> str:
    return f"{ms // 3_600_000:02}:{ms // 60_000 % 60:02}:{ms // 1000 % 60:02}.{ms % 1000:03}"


def add_captions(folder: Path, files: int) -> None:
    """Add captions to the sessions of a timetable, twice, and say how long it took, in seconds of computing, too."""
    event = Event(slug="captioned", title="Captioned", sessions=tuple(make_captions(folder / "captions", files)))
    (folder / "captioned.xml").write_bytes(WRITERS["schedule.xml"](event).files["schedule.xml"])
    init(folder / "captioned", title="Bench")
    with open_archive(folder / "captioned") as context:
        import_timetables(context, [str(folder / "captioned.xml")])
        for what in (f"captions, {files} files", "the same again"):
            began, computed = time.monotonic(), _computed()
            paths = list(caption_files([folder / "captions"]))
            told = list(add_files(context, paths, Names(context).recording_of, kind="human"))
            new = sum(each.added is not None and each.added.new for each in told)
            took, peak = time.monotonic() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            computed = _computed() - computed
            print(f"{what:32} {took:7.1f} s   {peak:6.0f} MiB at most   {new} added, {computed:.1f} CPU s", flush=True)


def _computed() -> float:
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in spent)


def tell(what: str, began: float, done: Sequence[Imported]) -> None:
    """Print how long it took, how much memory the process has had at most, and what was done."""
    took = time.monotonic() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    counts: Counter[str] = Counter()
    for imported in done:
        for applied in imported.applied:
            counts.update(
                {"added": len(applied.added), "changed": len(applied.changed), "dropped": len(applied.dropped)}
            )
    told = ", ".join(f"{number} {verb}" for verb, number in counts.items())
    print(f"{what:32} {took:7.1f} s   {peak:6.0f} MiB at most   {told}", flush=True)


def main() -> None:
    """Make, import, and say how long it took."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=21_715)
    parser.add_argument("--captions", type=int, default=2_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.captions:
            add_captions(folder, options.captions)
        if not options.files:
            return
        talks = make(folder / "data", options.files)
        init(folder / "archive", title="Bench")
        with open_archive(folder / "archive") as context:
            for what in ("a repository", "the same again", "one in a hundred renamed"):
                if what.endswith("renamed"):
                    rename(talks)
                began = time.monotonic()
                tell(f"{what}, {options.files} files", began, import_timetables(context, [str(folder / "data")]))
            (folder / "schedule.xml").write_bytes(timetable(1000))
            for what in ("schedule.xml, 1,000 sessions", "the same again"):
                began = time.monotonic()
                tell(what, began, import_timetables(context, [str(folder / "schedule.xml")]))


if __name__ == "__main__":
    main()
