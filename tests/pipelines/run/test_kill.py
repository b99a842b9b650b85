"""A run that is killed at any moment and run again ends where one that never was killed ends."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from pipelines.storage.archive_folder import init
from tests.pipelines.cli.test_cli import rostra
from tests.pipelines.sounds import write_wav

NATURAL = {
    "session": "SELECT event.slug, session.slug, session.title FROM session JOIN event ON event.id = event_id",
    "recording": "SELECT sha256, duration_ms, bytes, media_type FROM recording",
    "transcript": "SELECT version, language, parameters_hash, is_current FROM transcript",
    "segment": "SELECT version, position, start_ms, end_ms, text, confidence, flags FROM segment"
    " JOIN transcript ON transcript.id = transcript_id",
    "word": "SELECT version, segment.position, word.position, word.start_ms, word.end_ms, word.text, word.confidence"
    " FROM word"
    " JOIN segment ON segment.id = segment_id JOIN transcript ON transcript.id = transcript_id",
    "rendition": "SELECT recording.sha256, rendition.kind, rendition.media_type FROM rendition"
    " JOIN recording ON recording.id = recording_id",
    "passage": "SELECT version, first_position, last_position FROM passage"
    " JOIN transcript ON transcript.id = transcript_id",
}


def published(root: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return the rows of the published database by their natural keys."""
    current = msgspec.json.decode((root / "public" / "current.json").read_bytes())
    conn = sqlite3.connect(root / "public" / current["database"])
    try:
        return {table: sorted(conn.execute(sql).fetchall(), key=repr) for table, sql in NATURAL.items()}
    finally:
        conn.close()


def children(pid: int) -> list[int]:
    """Return the processes below this one."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            found += [child, *children(child)]
    return found


def alive(pid: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def wait_for(condition: object, seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end, "it never came to pass"
        time.sleep(0.05)


def make_archive(root: Path, sources: Path, settings: str = "") -> None:
    rostra("init", root, "--title", "Talks")
    (root / "rostra.toml").write_text(settings)
    assert rostra("pull", sources, "--archive", root).returncode == 0


def kill_in_the_middle(root: Path) -> list[int]:
    """Start a run, kill its driver when one recording is done and another is in hand; return its children."""
    driver = subprocess.Popen(
        [sys.executable, "-m", "pipelines", "run", "--archive", str(root)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )

    def in_the_middle() -> bool:
        conn = sqlite3.connect(root / "catalogue.db", timeout=30)
        try:
            states = dict(
                conn.execute(
                    "SELECT status, count(*) FROM stage_run WHERE stage = 'transcribe' GROUP BY status"
                ).fetchall()
            )
        finally:
            conn.close()
        return states.get("done", 0) >= 1 and states.get("running", 0) >= 1

    wait_for(in_the_middle, 120)
    below = children(driver.pid)
    os.kill(driver.pid, signal.SIGKILL)
    driver.wait()
    return below


@pytest.mark.speech
@pytest.mark.data
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_killed_run_ends_like_an_undisturbed_one(tmp_path: Path, data: Path) -> None:
    sources = tmp_path / "sources"
    sources.mkdir()
    for name in ("LJ001-0001.flac", "LJ001-0003.flac", "LJ001-0005.flac", "jfk.flac"):
        shutil.copy(data / "audio" / "en" / name, sources / name)
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    for root in (undisturbed, killed):
        make_archive(root, sources, "[transcribe]\nlanguage = 'en'\n[run]\nworkers = 2\n")
    assert rostra("run", "--archive", undisturbed).returncode == 0

    below = kill_in_the_middle(killed)
    assert below
    wait_for(lambda: not any(map(alive, below)), 20)

    conn = sqlite3.connect(killed / "catalogue.db")
    done_before = {row[0] for row in conn.execute("SELECT subject FROM stage_run WHERE status = 'done'")}
    conn.close()
    again = rostra("run", "--archive", killed)
    assert again.returncode == 0, again.stderr

    conn = sqlite3.connect(killed / "catalogue.db")
    rows = conn.execute("SELECT subject, status, attempt FROM stage_run WHERE stage = 'transcribe'").fetchall()
    conn.close()
    interrupted = {subject for subject, status, _ in rows if status == "interrupted"}
    assert len(interrupted) in {1, 2}
    assert interrupted.isdisjoint(done_before)
    assert {attempt for _, _, attempt in rows} == {1}
    assert sorted(status for _, status, _ in rows) == ["done"] * 4 + ["interrupted"] * len(interrupted)
    assert published(killed) == published(undisturbed)
    assert not (killed / "work").exists()
    assert not list(killed.rglob("*.part"))


def test_interrupted_pull_leaves_no_scraps(tmp_path: Path) -> None:
    root = tmp_path / "talks"
    sources = tmp_path / "sources"
    sources.mkdir()
    for number in range(30):
        write_wav(sources / f"{number}.wav", 20, frequency=200.0 + number)
    init(root, title="Talks")
    driver = subprocess.Popen(
        [sys.executable, "-m", "pipelines", "pull", str(sources), "--archive", str(root)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    wait_for(lambda: len(list((root / "media").rglob("*.wav"))) >= 3)
    os.kill(driver.pid, signal.SIGKILL)
    driver.wait()
    assert rostra("pull", sources, "--archive", root).returncode == 0
    stored = [path for path in (root / "media").rglob("*") if path.is_file()]
    assert len(stored) == 30
    conn = sqlite3.connect(root / "catalogue.db")
    assert conn.execute("SELECT count(*) FROM recording").fetchone()[0] == 30
    conn.close()
