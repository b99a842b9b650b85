from __future__ import annotations

import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from archive.connection import open_readonly
from archive.publication.build import build
from archive.search.sqlite_search import SqliteSearch
from archive.site.session_page.recordings import made_chapters
from metadata.captions import Source, read_captions
from pipelines.media.files import probe
from pipelines.media.subtitles import Extracted, extract
from pipelines.run.executors import InProcess
from pipelines.run.runner import run_stage
from pipelines.stages.captions import Captions
from pipelines.stages.index import Index
from pipelines.stages.pull import Pull
from pipelines.stages.transcribe import Transcribe
from pipelines.storage.archive_folder import Context, init, open_archive
from pipelines.transcribers import FakeTranscriber
from tests.archive.build import PATIENT_MS
from tests.pipelines.media.test_renditions import ffmpeg
from tests.pipelines.trials import Watch

ASS = r"""[Script Info]
ScriptType: v4.00+

[V4+ Styles]
Format: Name, Fontname, Fontsize
Style: Default,Arial,20

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Comment: 0,0:00:00.00,0:00:01.00,Default,,0,0,0,,nobody sees this
Dialogue: 0,0:00:00.50,0:00:01.00,Default,,0,0,0,,{\pos(10,10)\b1}Bonjour{\b0}\Nle monde
Dialogue: 0,0:00:01.00,0:00:01.50,Default,,0,0,0,,{\p1}m 0 0 l 100 0 100 100{\p0}
Dialogue: 0,0:00:01.50,0:00:01.90,Default,,0,0,0,,{\k50}Ça {\k50}va ?
"""
PICTURE = ("-f", "lavfi", "-i", "testsrc=size=64x64:rate=10", "-f", "lavfi", "-i", "sine")


def srt(path: Path, *lines: str) -> Path:
    """Write captions of half a second each."""
    cues = (
        f"{number}\n00:00:0{number // 2},{number % 2}00 --> 00:00:0{number // 2},{number % 2}50\n{line}\n"
        for number, line in enumerate(lines, 1)
    )
    path.write_text("\n".join(cues))
    return path


def recorded(path: Path, *subtitles: tuple[Path, str, str], codec: str = "copy", sound: str = "eng") -> Path:
    """Record two seconds with tracks of subtitles: files, and what is said of each (language, title, disposition)."""
    inputs, facts = [], []
    for number, (file, language, rest) in enumerate(subtitles):
        title, _, disposition = rest.partition("/")
        inputs += ["-i", str(file)]
        facts += ["-map", str(number + 2), f"-metadata:s:s:{number}", f"language={language}"]
        facts += [f"-metadata:s:s:{number}", f"title={title}"] if title else []
        facts += [f"-disposition:s:{number}", disposition or "0"]
    fixed = ("-t", "2", "-c:v", "mpeg4", "-c:a", "aac", "-c:s", codec, "-metadata:s:a:0", f"language={sound}")
    return ffmpeg(*PICTURE, *inputs, "-map", "0", "-map", "1", *facts, *fixed, path)


def pictures(path: Path) -> Path:
    """Write subtitles as a Blu-ray has them (PGS): one picture of eight by two dots, from 0.5 s to 1 s."""

    def segment(at: int, kind: int, body: bytes) -> bytes:
        return b"PG" + struct.pack(">IIBH", at, 0, kind, len(body)) + body

    def screen(number: int, shown: bool) -> bytes:
        objects = struct.pack(">HBBHH", 0, 0, 0, 0, 0) if shown else b""
        return struct.pack(">HHBHBBBB", 64, 64, 16, number, 0x80 * shown, 0, 0, shown) + objects

    lines = (bytes([1] * 8) + b"\0\0") * 2
    picture = struct.pack(">HH", 8, 2) + lines
    data = b""
    for number, at in enumerate((45_000, 90_000)):
        data += segment(at, 0x16, screen(number, number == 0)) + segment(
            at, 0x17, struct.pack(">BBHHHH", 1, 0, 0, 0, 8, 2)
        )
        if number == 0:
            data += segment(at, 0x14, bytes([0, 0, 1, 235, 128, 128, 255]))
            data += segment(at, 0x15, struct.pack(">HBB", 0, 0, 0xC0) + len(picture).to_bytes(3, "big") + picture)
        data += segment(at, 0x80, b"")
    path.write_bytes(data)
    return path


def extracted(path: Path, folder: Path) -> Extracted:
    folder.mkdir()
    return extract(path, probe(path), folder)


def told(found: Extracted) -> list[tuple[str, str, str | None, str | None, str | None]]:
    return [(each.path.name, each.codec, each.language, each.title, each.part) for each in found.files]


def cues(path: Path) -> list[tuple[int, int, str]]:
    transcript = read_captions(path.read_bytes(), Source(name=path.name))
    return [(each.start_ms, each.end_ms, each.text) for each in transcript.segments]


@pytest.mark.parametrize(("suffix", "codec", "name"), [("mkv", "copy", "subrip"), ("mp4", "mov_text", "mov_text")])
def test_subtitles_are_read_with_language_and_title_and_the_one_that_fits_best_is_last(
    tmp_path: Path, suffix: str, codec: str, name: str
) -> None:
    file = srt(tmp_path / "a.srt", "Hello <i>there</i>.", "How are you?")
    path = recorded(
        tmp_path / f"talk.{suffix}",
        (file, "eng", "English (SDH)/hearing_impaired"),
        (file, "eng", "English"),
        (file, "eng", "Foreign parts/forced"),
        (file, "ger", "Deutsch"),
        (file, "eng", "Commentary"),
        (file, "zho", ""),
        codec=codec,
    )
    found = extracted(path, tmp_path / "out")
    assert told(found) == [
        ("subtitles-5.en.vtt", name, "en", "Commentary", "comment"),
        ("subtitles-3.en.vtt", name, "en", "Foreign parts", "forced"),
        ("subtitles-6.zh.vtt", name, "zh", None, None),
        ("subtitles-4.de.vtt", name, "de", "Deutsch", None),
        ("subtitles-1.en.vtt", name, "en", "English (SDH)", None),
        ("subtitles-2.en.vtt", name, "en", "English", None),
    ]
    assert (found.spoken, found.unread) == ("en", ())
    assert cues(found.files[-1].path) == [(100, 150, "Hello there."), (1000, 1050, "How are you?")]


def test_language_of_the_sound_counts_only_where_there_are_subtitles_in_it(tmp_path: Path) -> None:
    file = srt(tmp_path / "a.srt", "Guten Tag.")
    path = recorded(tmp_path / "talk.mkv", (file, "ger", ""), (file, "fre", ""), sound="eng")
    found = extracted(path, tmp_path / "out")
    assert (found.spoken, [each.language for each in found.files]) == (None, ["fr", "de"])


@pytest.mark.parametrize("suffix", ["ass", "ssa", "vtt"])
def test_other_kinds_of_text_are_read_without_their_effects(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"a.{suffix}"
    file.write_text(ASS if suffix != "vtt" else "WEBVTT\n\n00:00.500 --> 00:01.000\n<v Ana>Bonjour\nle monde\n")
    found = extracted(recorded(tmp_path / "talk.mkv", (file, "fre", "")), tmp_path / "out")
    said = [(500, 1000, "Bonjour le monde"), (1500, 1900, "Ça va ?")]
    assert cues(found.files[0].path) == said[: 1 if suffix == "vtt" else 2]


@pytest.mark.parametrize(
    ("suffix", "codec", "name"),
    [("mkv", "copy", "hdmv_pgs_subtitle"), ("ts", "dvbsub", "dvb_subtitle"), ("mkv", "dvdsub", "dvd_subtitle")],
)
def test_pictures_of_text_are_said_not_to_be_read(tmp_path: Path, suffix: str, codec: str, name: str) -> None:
    file = pictures(tmp_path / "a.sup")
    found = extracted(recorded(tmp_path / f"talk.{suffix}", (file, "ger", ""), codec=codec), tmp_path / "out")
    why = f"its German subtitles ({name}) are pictures of text: captions in a file beside it would be taken"
    assert found == Extracted(unread=(why,))


def test_track_that_breaks_off_costs_no_other(tmp_path: Path) -> None:
    first, second = srt(tmp_path / "a.srt", "One."), srt(tmp_path / "b.srt", "Two.")
    path = recorded(tmp_path / "talk.mkv", (first, "eng", ""), (second, "eng", ""))
    data = path.read_bytes()
    path.write_bytes(data.replace(b"One.", b"\xff\xfe\xfd."))
    found = extracted(path, tmp_path / "out")
    assert [cues(each.path) for each in found.files if each.path.name == "subtitles-2.en.vtt"] == [[(100, 150, "Two.")]]


def test_clock_of_a_recording_that_begins_later_is_that_of_its_player(tmp_path: Path) -> None:
    path = recorded(tmp_path / "talk.mkv", (srt(tmp_path / "a.srt", "Hello."), "eng", ""))
    late = ffmpeg("-itsoffset", "7", "-i", path, "-map", "0", "-c", "copy", tmp_path / "late.mkv")
    assert probe(late).starts_ms == 7000
    assert cues(extracted(late, tmp_path / "out").files[0].path) == [(100, 150, "Hello.")]


def test_recording_without_subtitles_has_none(tmp_path: Path) -> None:
    assert extracted(recorded(tmp_path / "talk.mkv"), tmp_path / "out") == Extracted()


def chaptered(path: Path, *titles: str) -> Path:
    """Record two seconds in chapters of half a second each."""
    parts = "".join(
        f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={500 * number}\nEND={500 * (number + 1)}\ntitle={title}\n"
        for number, title in enumerate(titles)
    )
    file = path.with_suffix(".txt")
    file.write_text(f";FFMETADATA1\n{parts}")
    fixed = ("-map_metadata", "2", "-t", "2", "-c:v", "mpeg4", "-c:a", "aac")
    return ffmpeg(*PICTURE, "-f", "ffmetadata", "-i", file, "-map", "0", "-map", "1", *fixed, path)


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "mka"])
def test_chapters_of_a_recordings_file_are_read_as_such(tmp_path: Path, suffix: str) -> None:
    path = chaptered(tmp_path / f"talk.{suffix}", "Opening", "Q&A <live>", "")
    found = extracted(path, tmp_path / "out")
    assert told(found) == [("chapters.vtt", "chapters", None, None, "chapters")]
    wanted = [(0, 500, "Opening"), (500, 1000, "Q&A <live>"), (1000, 1500, "3")]
    assert cues(found.files[0].path) == wanted
    assert extracted(chaptered(tmp_path / f"whole.{suffix}", "All of it"), tmp_path / "none").files == ()


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    init(tmp_path / "archive", title="Test")
    with open_archive(tmp_path / "archive") as context:
        yield context


def transcripts(context: Context) -> list[tuple[str, str, str, int]]:
    rows = context.db.execute(
        "SELECT kind, language, json_extract(parameters, '$.title'), is_current FROM transcript ORDER BY id"
    )
    return [tuple(row) for row in rows.fetchall()]


def test_subtitles_are_captions_of_their_recording_until_it_has_better_ones(context: Context, tmp_path: Path) -> None:
    tracks = (
        (srt(tmp_path / "a.srt", "The lighthouse keeper."), "eng", "English"),
        (srt(tmp_path / "b.srt", "Der Leuchtturm."), "ger", "Deutsch"),
        (srt(tmp_path / "c.srt", "Ahoy!"), "eng", "Signs/forced"),
        (pictures(tmp_path / "d.sup"), "spa", ""),
    )
    path = recorded(tmp_path / "talk.mkv", *tracks)
    watch = Watch()
    run_stage(context, Pull([path]), InProcess(), watch)
    spanish = (
        "its Spanish subtitles (hdmv_pgs_subtitle) are pictures of text: captions in a file beside it would be taken"
    )
    assert watch.remarks == {str(path): spanish}
    watch = Watch()
    assert dict(run_stage(context, Captions([]), InProcess(), watch).counts) == {"done": 3}
    assert watch.remarks == {
        f"{path}#subtitles-3.en.vtt": "captions of talk.mkv, from the file itself (subrip, Signs, forced)",
        f"{path}#subtitles-2.de.vtt": "captions of talk.mkv, from the file itself (subrip, Deutsch)",
        f"{path}#subtitles-1.en.vtt": "captions of talk.mkv, from the file itself (subrip, English)",
    }
    assert transcripts(context) == [
        ("imported", "en", "Signs", 0),
        ("translation", "de", "Deutsch", 1),
        ("imported", "en", "English", 1),
    ]
    run_stage(context, Index(), InProcess(), Watch())
    assert SqliteSearch(context.db.conn, PATIENT_MS).search("lighthouse keeper").sessions == 1
    assert not run_stage(context, Captions([]), InProcess(), Watch()).counts
    assert not list(context.layout.sources.glob("*.subtitles"))
    (tmp_path / "talk.vtt").write_text("WEBVTT\n\n00:00.500 --> 00:01.000\nFrom a file beside it.\n")
    run_stage(context, Captions([path]), InProcess(), Watch())
    assert transcripts(context)[-2:] == [("imported", "en", "English", 0), ("imported", "und", None, 1)]
    run_stage(context, Transcribe(FakeTranscriber()), InProcess(), Watch())
    assert context.db.execute("SELECT kind FROM transcript WHERE is_current ORDER BY id").fetchall() == [
        ("translation",),
        ("asr",),
    ]


def test_who_says_a_line_of_ass_is_kept(tmp_path: Path) -> None:
    lines = (
        (r"0:00:00.20,0:00:00.60", "Ada <A>", "One,"),
        (r"0:00:00.20,0:00:00.60", "Ben", r"both at once\Nin two lines"),
        (r"0:00:00.80,0:00:01.00", "Cleo", r"{\p1}m 0 0 l 100 0 100 100{\p0}"),
        (r"0:00:01.20,0:00:01.40", "", "nobody, says: this"),
        (r"0:00:01.50,0:00:01.90", "Ben", "Two"),
    )
    head = ASS.partition("Comment:")[0]
    file = tmp_path / "named.ass"
    file.write_text(head + "".join(f"Dialogue: 0,{times},Default,{who},0,0,0,,{text}\n" for times, who, text in lines))
    [found] = extracted(recorded(tmp_path / "talk.mkv", (file, "eng", "")), tmp_path / "out").files
    transcript = read_captions(found.path.read_bytes(), Source(name=found.path.name))
    assert [(each.start_ms, each.speaker, each.text) for each in transcript.segments] == [
        (200, "Ada <A>", "One,"),
        (200, "Ben", "both at once in two lines"),
        (1200, None, "nobody, says: this"),
        (1500, "Ben", "Two"),
    ]


def test_chapters_stand_with_their_recording_and_take_the_place_of_nothing(context: Context, tmp_path: Path) -> None:
    path = chaptered(tmp_path / "talk.mkv", "Opening", "Questions")
    watch = Watch()
    run_stage(context, Pull([path]), InProcess(), watch)
    run_stage(context, Captions([path]), InProcess(), watch)
    rows = context.db.execute("SELECT parameters ->> 'track', is_current FROM transcript").fetchall()
    assert [tuple(row) for row in rows] == [("chapters", 0)]
    built = build(context.layout.catalogue, tmp_path / "public.db", default="public", now=datetime.now(UTC))
    db = open_readonly(built.path, immutable=True)
    (recording,) = db.execute("SELECT id FROM recording").fetchone()
    assert [tuple(each) for each in made_chapters(db.conn, recording)] == [(0, "Opening"), (500, "Questions")]
    assert list(SqliteSearch(db.conn, PATIENT_MS).search("questions").hits) == []
    db.close()
