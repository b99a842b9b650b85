from __future__ import annotations

import subprocess
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.catalogue.importing import apply_event
from archive.catalogue.labelling import Turn
from archive.catalogue.recordings import assign
from archive.catalogue.speakers import read_said, read_turns, set_turns
from archive.connection import transaction
from archive.voices.attributions import attribute, take_back
from archive.voices.decisions import find_voice, join_voices, name_voice, refuse, undo
from metadata.model import Event, Session
from pipelines.errors import ConfigError
from pipelines.matching import cutting
from pipelines.matching.cutting import Cut, between, detected_pauses, plan
from pipelines.media import files as media
from pipelines.run.executors import InProcess
from pipelines.run.runner import run_stage
from pipelines.speakers.fake import FakeDiarizer
from pipelines.stages.captions import Captions
from pipelines.stages.diarize import Diarize
from pipelines.stages.pull import Pull
from pipelines.stages.transcribe import Transcribe
from pipelines.storage.archive_folder import Context, init, open_archive
from pipelines.transcribers import FakeTranscriber
from tests.pipelines.cli.test_cli import rostra
from tests.pipelines.made_event import TALKS
from tests.pipelines.media.test_files import write_video
from tests.pipelines.media.test_renditions import ffmpeg
from tests.pipelines.sounds import write_wav
from tests.pipelines.trials import Watch

MINUTE = 60_000
HALL = [talk for talk in TALKS if talk.room == "Main hall" and talk.start and talk.start.day == 18][:3]
assert HALL[0].start is not None
BEGAN = HALL[0].start - timedelta(minutes=10)


def test_plan_cuts_at_the_long_pauses_near_the_timetable() -> None:
    pauses = [
        (0, 11 * MINUTE),  # until the opening begins, a minute late
        (25 * MINUTE, 25 * MINUTE + 4_000),
        (38 * MINUTE, 42 * MINUTE),  # the opening ends early; tides begin two minutes late
        (60 * MINUTE, 60 * MINUTE + 5_000),
        (84 * MINUTE, 101 * MINUTE),  # the break before the third
    ]
    assert plan(HALL, BEGAN, 150 * MINUTE, pauses) == [
        Cut(
            HALL[0],
            11 * MINUTE - 1_000,
            38 * MINUTE + 1_000,
            ("begins after a pause of 660 s", "ends before a pause of 240 s"),
        ),
        Cut(
            HALL[1],
            42 * MINUTE - 1_000,
            84 * MINUTE + 1_000,
            ("begins after a pause of 240 s", "ends before a pause of 1020 s"),
        ),
        Cut(
            HALL[2],
            101 * MINUTE - 1_000,
            145 * MINUTE,
            ("begins after a pause of 1020 s", "ends as planned"),
        ),
    ]


def test_plan_without_pauses_is_the_timetable() -> None:
    assert [(cut.start_ms // MINUTE, cut.end_ms // MINUTE) for cut in plan(HALL, BEGAN, 120 * MINUTE, [])] == [
        (10, 40),
        (40, 85),
        (100, 120),
    ]


@given(
    st.lists(st.tuples(st.integers(0, 9 * 3_600_000), st.integers(0, 600_000)), max_size=30),
    st.integers(1, 9 * 3_600_000),
    st.integers(-300, 300),
)
def test_plan_never_overlaps_and_stays_inside(speech: list[tuple[int, int]], length: int, minutes: int) -> None:
    pauses = list(between(sorted((start, start + size) for start, size in speech)))
    cuts = plan(TALKS, BEGAN + timedelta(minutes=minutes), length, pauses)
    assert all(0 <= cut.start_ms < cut.end_ms <= length for cut in cuts)
    assert all(before.end_ms <= cut.start_ms for before, cut in pairwise(cuts))


def test_pauses_are_detected_over_the_edges_of_blocks(tmp_path: Path) -> None:
    def loud(samples: media.AudioBlock) -> np.typing.NDArray[np.float32]:
        return (np.abs(samples.reshape(-1, 512)).max(axis=1) > 0.01).astype(np.float32)

    path = write_wav(tmp_path / "talk.wav", 2)
    subprocess.run(
        [
            media.ffmpeg_binary(), "-loglevel", "error", "-i", str(path), "-af", "adelay=28500,apad=pad_dur=4",
            str(tmp_path / "late.wav"),
        ],
        check=True,
    )  # fmt: skip
    first, last = detected_pauses(tmp_path / "late.wav", loud)
    assert [first[0], *(round(each, -2) for each in (first[1], *last))] == [0, 28_500, 30_500, 34_500]


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    """An archive with forty seconds of a hall in which two sessions were held, and what was said in them."""
    folder = tmp_path / "in"
    folder.mkdir()
    write_video(folder / "2022-06-18 10-00-00 Main hall.mp4", seconds=40)
    (folder / "2022-06-18 10-00-00 Main hall.vtt").write_text(
        "WEBVTT\n\n00:02.000 --> 00:14.000\nThe first.\n\n00:22.000 --> 00:35.000\nThe second.\n"
    )
    sessions = tuple(
        Session(slug=slug, title=slug, room=room, start=f"2022-06-18T10:00:{second:02}+00:00", planned_ms=15_000)
        for slug, room, second in (("one", "Main hall", 0), ("other", "Room 2", 5), ("two", "Main hall", 20))
    )
    init(tmp_path / "archive", title="Test")
    with open_archive(tmp_path / "archive") as context:
        with transaction(context.db):
            apply_event(context.db, Event(slug="e", title="E", sessions=sessions), decided_at="2022-07-01T00:00:00Z")
        for stage in (Pull([folder]), Captions([folder])):
            run_stage(context, stage, InProcess(), Watch())
        yield context


def planned(context: Context) -> tuple[cutting.Day, list[Cut]]:
    whole = cutting.day(context, 1)
    pauses = cutting.heard_pauses(context, 1)
    assert pauses == [(0, 2_000), (14_000, 22_000), (35_000, 40_000)]
    cuts = plan(whole.talks, whole.started, whole.recording.duration_ms or 0, pauses)
    assert [(cut.talk.label, cut.start_ms, cut.end_ms) for cut in cuts] == [
        ("e/one", 1_000, 15_000),
        ("e/two", 21_000, 36_000),
    ]
    return whole, cutting.at_key_frames(whole.path, cuts)


def test_cut_makes_the_sessions_recordings_without_encoding(context: Context) -> None:
    whole, cuts = planned(context)
    spoken = {"e/one": 2_000, "e/two": 22_000}
    for cut in cuts:
        assert {"e/one": 1_000, "e/two": 21_000}[cut.talk.label] <= cut.start_ms <= spoken[cut.talk.label]
        cutting.make(context, whole, cut)
        assert cutting.is_made(context, 1, cut)
    rows = list(
        context.db.query(
            "SELECT slug, duration_ms, recording.sha256, suffix, cut_from, cut_start_ms FROM recording"
            " JOIN session ON session.id = session_id JOIN recording_source ON recording_id = recording.id"
        )
    )
    assert [(row["slug"], row["cut_from"], row["cut_start_ms"]) for row in rows] == [
        ("one", 1, cuts[0].start_ms),
        ("two", 1, cuts[1].start_ms),
    ]
    for row, cut in zip(rows, cuts, strict=True):
        part = context.blobs.path(row["sha256"], row["suffix"])
        assert abs(row["duration_ms"] - (cut.end_ms - cut.start_ms)) <= 200
        assert pictures(part)[:5] == pictures(whole.path, cut.start_ms)[:5]


def pictures(path: Path, start_ms: int = 0) -> list[int]:
    """Return the mean grey of the frames from a moment on: in `write_video` it rises with each."""
    import av

    with av.open(str(path)) as container:
        frames = [(frame.time, int(frame.to_ndarray(format="gray").mean())) for frame in container.decode(video=0)]
    return [grey for time, grey in frames if time is not None and round(time * 1000) >= start_ms]


def test_what_was_cut_is_heard_in_its_parts(context: Context) -> None:
    whole, cuts = planned(context)
    for cut in cuts:
        cutting.make(context, whole, cut)
    assert [item.label for item in Transcribe(FakeTranscriber()).items(context)] == ["e/one", "e/two"]


def test_parts_know_the_voices_of_the_whole_and_what_people_said_of_them(context: Context) -> None:
    """Names, corrections, refusals and joined voices go over with the minutes that they are of, and nothing else."""
    db, now = context.db, "2022-07-01T00:00:00Z"
    session = db.execute("SELECT id FROM session WHERE slug = 'one'").fetchone()[0]
    with transaction(db):
        assign(db, 1, session)
        db.execute("INSERT INTO person(slug, name) VALUES ('noor', 'Noor Okafor'), ('ken', 'Ken Watanabe')")
        turns = [(2_000, 8_000, 0), (8_000, 14_000, 1), (22_000, 30_000, 2), (30_000, 35_000, 1)]
        set_turns(db, 1, turns, at=now)
        name_voice(db, find_voice(db, session, "Voice 1"), "noor", by="editor", at=now)
        refuse(db, find_voice(db, session, "Voice 3"), "ken", by="editor", at=now)
        join_voices(db, find_voice(db, session, "Voice 2"), find_voice(db, session, "Voice 3"), by="editor", at=now)
        attribute(db, 1, (24_000, 26_000), "Ken Watanabe", by="editor", at=now)
        db.execute("UPDATE recording SET session_id = NULL")
    whole, cuts = planned(context)
    for cut in cuts:
        cutting.make(context, whole, cut)
    first, second = (row[0] for row in db.execute("SELECT id FROM recording WHERE id > 1 ORDER BY id").fetchall())
    at, there = cuts[0].start_ms, cuts[1].start_ms
    assert read_turns(db, first) == [
        Turn(2_000 - at, 8_000 - at, "Voice 1"), Turn(8_000 - at, 14_000 - at, "Voice 3"),
    ]  # fmt: skip
    assert read_turns(db, second) == [
        Turn(22_000 - there, 30_000 - there, "Voice 3"), Turn(30_000 - there, 35_000 - there, "Voice 3"),
    ]  # fmt: skip
    assert read_said(db, first) == []
    assert read_said(db, second) == [Turn(24_000 - there, 26_000 - there, "Voice 4")]
    names = "SELECT label, slug FROM speaker_tag LEFT JOIN person ON person.id = person_id WHERE recording_id = ?"
    assert dict(db.execute(names, [first]).fetchall())["Voice 1"] == "noor"
    assert dict(db.execute(names, [second]).fetchall()) == {"Voice 2": None, "Voice 3": None, "Voice 4": "ken"}
    assert run_stage(context, Transcribe(FakeTranscriber()), InProcess(), Watch()).counts == {"done": 2}
    heard = Diarize(FakeDiarizer((6_000 + 2_000 - at, 60_000)))
    assert run_stage(context, heard, InProcess(), Watch()).counts == {"done": 2}
    assert dict(db.execute(names, [first]).fetchall())["Voice 1"] == "noor", "it is known again by when it speaks"
    assert read_said(db, second), "what people said stays"


def test_what_people_say_of_the_whole_after_a_cut_reaches_its_parts_and_goes_back_with_it(context: Context) -> None:
    db, now = context.db, "2022-07-01T00:00:00Z"
    [plenary] = db.execute("SELECT id FROM session WHERE slug = 'other'").fetchone()
    with transaction(db):
        assign(db, 1, plenary)
        db.execute("INSERT INTO person(slug, name) VALUES ('noor', 'Noor Okafor'), ('ken', 'Ken Watanabe')")
        set_turns(db, 1, [(2_000, 8_000, 0), (8_000, 14_000, 1), (22_000, 30_000, 0), (30_000, 35_000, 1)], at=now)
        db.execute("UPDATE recording SET session_id = NULL")
    whole, cuts = planned(context)
    for cut in cuts:
        cutting.make(context, whole, cut)
    assert run_stage(context, Transcribe(FakeTranscriber()), InProcess(), Watch()).counts == {"done": 2}
    first, second = (row[0] for row in db.execute("SELECT id FROM recording WHERE id > 1 ORDER BY id").fetchall())
    names = "SELECT label, slug FROM speaker_tag JOIN person ON person.id = person_id WHERE recording_id = ?"

    def named() -> list[dict[str, str]]:
        return [dict(db.execute(names, [recording]).fetchall()) for recording in (1, first, second)]

    with transaction(db):
        assign(db, 1, plenary)
        there = db.execute("SELECT session_id FROM recording WHERE id = ?", [second]).fetchone()[0]
        name_voice(db, find_voice(db, there, "Voice 2"), "ken", by="editor", at=now)
        name_voice(db, find_voice(db, plenary, "Voice 1"), "noor", by="editor", at=now)
        name_voice(db, find_voice(db, plenary, "Voice 2"), "noor", by="editor", at=now)
    both = {"Voice 1": "noor", "Voice 2": "noor"}
    assert named() == [both, both, {"Voice 1": "noor", "Voice 2": "ken"}], "what was said of a part stays"
    with transaction(db):
        undo(db, plenary, by="editor", at=now)
        undo(db, plenary, by="editor", at=now)
    assert named() == [{}, {}, {"Voice 2": "ken"}]
    with transaction(db):
        attribute(db, 1, (10_000, 24_000), "Voice 1", by="editor", at="2022-07-02T00:00:00Z")
        attribute(db, 1, (30_000, 31_000), "new", by="editor", at="2022-07-03T00:00:00Z")
    begin, middle = cuts[0].start_ms, cuts[1].start_ms
    end = begin + db.execute("SELECT duration_ms FROM recording WHERE id = ?", [first]).fetchone()[0]
    assert read_said(db, first) == [Turn(10_000 - begin, end - begin, "Voice 1")]
    assert read_said(db, second) == [
        Turn(0, 24_000 - middle, "Voice 1"), Turn(30_000 - middle, 31_000 - middle, "Voice 3"),
    ]  # fmt: skip
    with transaction(db):
        take_back(db, 1, by="editor", at=now)
        take_back(db, 1, by="editor", at=now)
    assert [read_said(db, recording) for recording in (1, first, second)] == [[], [], []]


def test_cut_from_the_command_line_says_first_and_cuts_once(tmp_path: Path) -> None:
    root, folder = tmp_path / "talks", tmp_path / "Main hall"
    folder.mkdir()
    write_video(folder / "2022-06-18 10-00-00.mp4", seconds=40)
    (folder / "2022-06-18 10-00-00.srt").write_text("1\n00:00:02,000 --> 00:00:14,000\nHello.\n")
    timetable = tmp_path / "event.yaml"
    timetable.write_text(
        "title: E\nslug: e\nsessions:\n  - {title: One, room: Main hall, start: 2022-06-18T10:00, planned: 15s}\n"
    )
    for arguments in (["init", root], ["import", timetable, "--archive", root], ["pull", folder, "--archive", root]):
        assert rostra(*arguments).returncode == 0
    with open_archive(root) as context:
        sha, session = context.db.execute("SELECT sha256, session_id FROM recording").fetchone()
    assert session is None
    said = rostra("cut", sha[:10], "--archive", root)
    line = "0:01–0:15  e/one  begins after a pause of 2 s, ends before a pause of 26 s\n"
    assert (said.returncode, said.stdout) == (0, f"• {line}")
    done = [rostra("cut", sha[:10], "--apply", "--archive", root).stdout for _ in range(2)]
    assert done == [f"✓ {line}"] * 2
    with open_archive(root) as context:
        assert context.db.execute("SELECT count(*), sum(session_id IS NOT NULL) FROM recording").fetchone() == (2, 1)


def test_recording_of_an_unknown_room_is_asked_about(context: Context) -> None:
    with transaction(context.db):
        context.db.execute("UPDATE recording SET original_name = '2022-06-18 10-00-00.mp4'")
        context.db.execute("UPDATE recording_source SET folder = ''")
    with pytest.raises(ConfigError, match="say with --room where it was made: Main hall, Room 2"):
        cutting.day(context, 1)
    assert [talk.label for talk in cutting.day(context, 1, room="Room 2").talks] == ["e/other"]
    with transaction(context.db):
        context.db.execute("UPDATE recording SET original_name = 'day.mp4'")
    with pytest.raises(ConfigError, match="is its start known"):
        cutting.day(context, 1)


SAID = {
    "radio": ("jfk.flac", "1089-134686-0000.flac"),
    "printing": ("LJ001-0001.flac", "LJ001-0003.flac"),
    "weather": ("acoustic_corpus.flac",),
}
"""What is said in each session, of the English recordings."""
LATE = {"radio": 9, "printing": 14, "weather": 18}
"""How many seconds after its time each session begins."""


def write_room(path: Path, speech: Path) -> dict[str, tuple[int, int]]:
    """Write five minutes of a room, a key frame each 5 s; return from when to when each session lasts, in milliseconds.

    Between the sessions a room is quiet, applause dies down, and music plays.
    """
    rate, noise = media.SAMPLE_RATE, np.random.default_rng(7)
    music = next(iter(media.stream_audio(speech / "music_silence_speech.flac")))[: 15 * rate]
    room = noise.normal(0, 0.003, 300 * rate).astype(np.float32)
    spans = {}
    for number, (slug, names) in enumerate(SAID.items()):
        begin = at = (20 + 80 * number + LATE[slug]) * rate
        for name in names:
            for block in media.stream_audio(speech / name):
                room[at : at + len(block)] += block
                at += len(block)
            at += int(0.6 * rate)  # a breath
        at -= int(0.6 * rate)
        spans[slug] = (begin * 1000 // rate, at * 1000 // rate)
        applause = noise.normal(0, 0.05, 6 * rate) * np.linspace(1, 0.1, 6 * rate)
        room[at + 2 * rate : at + 8 * rate] += applause.astype(np.float32)
        room[at + 12 * rate : at + 12 * rate + len(music)] += music / 2
    subprocess.run(
        [
            media.ffmpeg_binary(), "-loglevel", "error", "-f", "lavfi", "-i", "testsrc2=s=160x90:r=4:d=300",
            "-f", "f32le", "-ar", str(rate), "-ac", "1", "-i", "pipe:0", "-c:v", "libx264", "-preset", "ultrafast",
            "-g", "20", "-keyint_min", "20", "-sc_threshold", "0", "-c:a", "aac", "-b:a", "48k", str(path),
        ],
        input=room.tobytes(), check=True,
    )  # fmt: skip
    return spans


def test_day_of_real_speech_is_cut_in_the_pauses_without_loss(tmp_path: Path, data: Path) -> None:
    folder, timetable, root = tmp_path / "in", tmp_path / "event.yaml", tmp_path / "archive"
    folder.mkdir()
    spoken = write_room(folder / "2022-06-18 09-59-40 Main hall.mp4", data / "audio" / "en")
    sessions = "".join(
        f"  - {{title: {slug}, room: Main hall, start: 2022-06-18T10:0{80 * number // 60}:{80 * number % 60:02}Z,"
        " planned: 40s}\n"
        for number, slug in enumerate(SAID)
    )
    timetable.write_text(f"title: E\nslug: e\nsessions:\n{sessions}")
    for arguments in (["init", root], ["import", timetable, "--archive", root], ["pull", folder, "--archive", root]):
        assert rostra(*arguments).returncode == 0
    with open_archive(root) as context:
        [sha] = context.db.execute("SELECT sha256 FROM recording").fetchone()
    for _ in range(2):
        assert rostra("cut", sha[:10], "--apply", "--archive", root).stdout.count("✓") == 3
    with open_archive(root) as context:
        whole, *parts = list(
            context.db.query(
                "SELECT slug, sha256, suffix, duration_ms, cut_start_ms AS start_ms FROM recording"
                " LEFT JOIN session ON session.id = session_id"
                " JOIN recording_source ON recording_id = recording.id ORDER BY cut_start_ms"
            )
        )
    assert [row["slug"] for row in (whole, *parts)] == [None, *SAID]
    for row in parts:
        begin, end = spoken[row["slug"]]
        # A clip may begin with silence, too.
        assert begin - 1_500 <= row["start_ms"] <= begin + 500
        # A clip may end in silence. The first beats of music may be taken for a word, and the pause begins after them.
        assert end - 500 <= row["start_ms"] + row["duration_ms"] <= end + 16_000


def write_two_sessions(path: Path, at: float, *options: str) -> Path:
    """Write a private session, a red picture and a tone, and from a moment on a public one, blue and silent."""
    return ffmpeg(
        "-f", "lavfi", "-i", f"color=red:s=160x90:r=10:d={at}[a];color=blue:s=160x90:r=10:d={40 - at}[b];[a][b]concat",
        "-f", "lavfi", "-i", f"sine=f=1000:d=40,volume=enable='gte(t,{at})':volume=0", *options, path,
    )  # fmt: skip


def reddest(path: Path) -> float:
    import av

    with av.open(str(path)) as container:
        return max(float(frame.to_ndarray(format="rgb24")[..., 0].mean()) for frame in container.decode(video=0))


@pytest.mark.parametrize(("at", "encoded"), [(20.0, False), (19.4, False), (23.4, True), (20.1, True)])
@pytest.mark.parametrize("name", ["day.mp4", "day.mkv", "day.ts"])
def test_part_has_nothing_of_the_session_before_it(tmp_path: Path, name: str, at: float, encoded: bool) -> None:
    change = max(at, 20.0)
    day = write_two_sessions(
        tmp_path / name,
        change,
        "-pix_fmt",
        "yuv420p",
        "-c:v",
        "libx264",
        "-g",
        "100",
        "-sc_threshold",
        "0",
        "-c:a",
        "aac",
    )
    [cut] = cutting.at_key_frames(day, [cutting.Cut(TALKS[0], round(at * 1000), 30_000, ())])
    assert cut.encoded is encoded or name == "day.ts"  # which leads to no key frame in particular
    part = cutting.part_of(day, tmp_path / f"part{day.suffix}", cut)
    assert reddest(part) < 60
    sound = np.concatenate(list(media.stream_audio(part)))
    # The switch itself is a block of samples long, and what a codec makes of it as long again.
    assert float(np.abs(sound[1600:]).max()) < 0.01
    assert abs(media.probe(part).duration_ms - (30_000 - cut.start_ms)) <= 300


@pytest.mark.parametrize("name", ["day.mp3", "day.m4a", "day.flac", "day.wav", "day.ogg"])
def test_part_of_sound_alone_has_nothing_of_the_session_before_it(tmp_path: Path, name: str) -> None:
    day = write_two_sessions(tmp_path / name, 20.0, "-vn")
    [cut] = cutting.at_key_frames(day, [cutting.Cut(TALKS[0], 20_500, 30_000, ())])
    part = cutting.part_of(day, tmp_path / f"part{day.suffix}", cut)
    sound = np.concatenate(list(media.stream_audio(part)))
    assert float(np.abs(sound).max()) < 0.01
    assert abs(len(sound) / media.SAMPLE_RATE - 9.5) <= 0.2
