from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import av
import imageio_ffmpeg
import numpy as np
import pytest

from metadata.times import format_timestamp
from pipelines.errors import BrokenMediaError, DiskFullError
from pipelines.media.files import StreamInfo, convert, is_interlaced, loudness, probe, stream_audio
from pipelines.media.renditions import LOUDNESS, POINTS, PREVIEWS, is_played, render
from pipelines.media.sandbox import limited
from tests.pipelines.media.test_files import tone, write_video, write_wav


def recorded(path: Path, *options: str) -> Path:
    """Have ffmpeg record two seconds of a test picture and a tone."""
    return ffmpeg(
        "-f", "lavfi", "-i", "testsrc=size=320x180:rate=10", *TONE, "-t", "2", "-pix_fmt", "yuv420p", *options, path
    )


def ffmpeg(*arguments: str | Path) -> Path:
    """Have the bundled ffmpeg make a file, whose path comes last: others may lack an encoder or an option."""
    command = [imageio_ffmpeg.get_ffmpeg_exe(), "-v", "error", *map(str, arguments)]
    subprocess.run(command, check=True, capture_output=True)
    return Path(arguments[-1])


TONE = ("-f", "lavfi", "-i", "sine")
BANDS = (
    "-f",
    "lavfi",
    "-i",
    "color=red:size=320x180:rate=10:duration=5[a];color=blue:size=320x180:rate=10:duration=5[b];[a][b]concat",
)
"""Five seconds of red and five of blue."""


def made(path: Path, folder: Path) -> dict[str, Path]:
    folder.mkdir()
    return {each.kind: each.path for each in render(path, probe(path), folder).files}


def codecs(path: Path) -> list[str]:
    return [stream.codec for stream in probe(path).streams]


def sounds(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        return [bytes(packet) for packet in container.demux(audio=0) if packet.size]


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [
        ("a.avi", ["-c:v", "mpeg4", "-c:a", "mp3"], "video/mp4"),
        ("a.mkv", ["-c:v", "libx264", "-c:a", "aac"], "video/mp4"),
        ("a.mov", ["-c:v", "libx264", "-c:a", "pcm_s16le"], "video/mp4"),
        ("a.wmv", ["-c:v", "wmv2", "-c:a", "wmav2"], "video/mp4"),
        ("a.wma", ["-vn", "-c:a", "wmav2"], "audio/webm"),
        ("a.ogg", ["-vn", "-c:a", "libopus"], "audio/webm"),
        ("a.m4a", ["-vn", "-c:a", "alac"], "audio/webm"),
    ],
)
def test_what_browsers_do_not_play_is_put_into_a_form_that_they_do(
    tmp_path: Path, name: str, options: list[str], expected: str
) -> None:
    path = recorded(tmp_path / name, *options)
    assert not is_played(probe(path))
    info = probe(made(path, tmp_path / "made")["web"])
    assert is_played(info)
    assert info.media_type == expected
    assert info.duration_ms == pytest.approx(2000, abs=150)


@pytest.mark.parametrize("name", ["a.mp4", "a.webm", "a.m4a", "a.mp3", "a.wav", "a.flac"])
def test_what_browsers_play_is_copied_as_it_is(tmp_path: Path, name: str) -> None:
    path = recorded(tmp_path / name, *([] if name in {"a.mp4", "a.webm"} else ["-vn"]))
    assert is_played(probe(path))
    pictures = {"poster", "sprite", "previews"} if name in {"a.mp4", "a.webm"} else set()
    files = made(path, tmp_path / "made")
    assert set(files) == {"web", "peaks", *pictures}
    assert sounds(files["web"]) == sounds(path)
    assert probe(files["web"]).media_type == probe(path).media_type


def test_streams_that_are_right_are_copied(tmp_path: Path) -> None:
    path = recorded(tmp_path / "a.mkv", "-c:v", "libx264", "-c:a", "aac")
    web = made(path, tmp_path / "made")["web"]
    packets = []
    for each in (path, web):
        with av.open(str(each)) as container:
            packets.append([packet.size for packet in container.demux(video=0) if packet.size])
    assert packets[0][1:] == packets[1][1:]  # the first also has what the encoder says of itself


def test_index_of_a_web_form_comes_first(tmp_path: Path) -> None:
    data = made(write_video(tmp_path / "a.mkv"), tmp_path / "made")["web"].read_bytes()
    assert 0 < data.index(b"moov") < data.index(b"mdat")


def test_odd_sizes_are_made_even(tmp_path: Path) -> None:
    path = recorded(tmp_path / "a.mkv", "-vf", "crop=319:179", "-c:v", "ffv1", "-an")
    info = probe(made(path, tmp_path / "made")["web"])
    assert info.streams == (StreamInfo(type="video", codec="h264", width=318, height=178, pixels="yuv420p"),)


def test_poster_is_a_picture_of_the_recording(tmp_path: Path) -> None:
    poster = made(recorded(tmp_path / "a.mp4"), tmp_path / "made")["poster"]
    with av.open(str(poster)) as container:
        assert (container.streams.video[0].width, container.streams.video[0].height) == (320, 180)


def test_peaks_are_the_shape_of_the_sound(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", tone(3.05))
    shape = json.loads(made(path, tmp_path / "made")["peaks"].read_bytes())
    assert (shape["length"], shape["samples_per_pixel"], len(shape["data"])) == (31, 1600, 62)
    assert set(shape["data"][0:60:2]) <= {-32, -31}
    assert set(shape["data"][1:60:2]) <= {31, 32}


def test_peaks_of_a_long_recording_are_no_more(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", np.tile(tone(1.0), (250, 1)))
    shape = json.loads(made(path, tmp_path / "made")["peaks"].read_bytes())
    assert shape["length"] <= POINTS
    assert shape["length"] * shape["samples_per_pixel"] >= 250 * 16_000


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="writes to a device that is always full")
def test_conversion_without_room_is_not_the_recordings_fault(tmp_path: Path) -> None:
    path = recorded(tmp_path / "talk.mkv")
    with pytest.raises(DiskFullError, match="no room is left on the disk for what ffmpeg writes"):
        convert(path, Path("/dev/full"), probe(path), "a:0", format="wav")


def test_conversion_beyond_its_time_is_ended(tmp_path: Path) -> None:
    path = recorded(tmp_path / "a.avi", "-c:v", "mpeg4")
    info = replace(probe(path), duration_ms=1)
    slow = {"format": "mp4", "c:v": "libx264", "preset": "placebo"}
    with pytest.raises(BrokenMediaError, match="took more than"):
        convert(path, tmp_path / "out.mp4", info, "V:0", least_seconds=0.0, **slow)


@pytest.mark.parametrize(
    ("program", "memory", "seconds", "code"),
    [
        ("bytearray(1 << 30)", 1 << 29, 60, 1),
        ("while True: pass", 1 << 30, 1, -signal.SIGXCPU),
        ("pass", 1 << 30, 60, 0),
    ],
    ids=["memory", "time", "within"],
)
def test_program_is_held_to_its_limits(program: str, memory: int, seconds: int, code: int) -> None:
    command = limited([sys.executable, "-I", "-S", "-c", program], cpu_seconds=seconds, memory=memory)
    assert subprocess.run(command, capture_output=True, check=False).returncode == code


def from_a_phone_upright(path: Path) -> Path:
    """HEVC in QuickTime, lying, with a note to turn it: as iPhones write what is held upright."""
    lying = recorded(
        path.with_suffix(".lying.mov"),
        "-c:v",
        "libx265",
        "-preset",
        "ultrafast",
        "-tag:v",
        "hvc1",
        "-pix_fmt",
        "yuv420p10le",
        "-c:a",
        "aac",
    )
    return ffmpeg("-display_rotation", "90", "-i", lying, "-c", "copy", path)


def from_a_phone_at_varying_rate(path: Path) -> Path:
    """H.264 whose frames come when they come."""
    return recorded(path, "-vf", "select='not(mod(n,3))+lt(n,5)'", "-fps_mode", "vfr", "-c:v", "libx264", "-c:a", "aac")


def from_an_old_phone(path: Path) -> Path:
    """3GPP with H.263 and AMR."""
    return recorded(path, "-s", "176x144", "-c:v", "h263", "-c:a", "libopencore_amrnb", "-ar", "8000", "-ac", "1")


def from_zoom(path: Path) -> Path:
    """What Zoom writes of a meeting: few pictures a second, AAC of one channel at 32 kHz."""
    return recorded(path, "-r", "5", "-c:v", "libx264", "-g", "250", "-c:a", "aac", "-ar", "32000", "-ac", "1")


def sound_from_zoom(path: Path) -> Path:
    """The sound alone, beside it."""
    return recorded(path, "-vn", "-c:a", "aac", "-ar", "32000", "-ac", "1")


def from_a_browser(path: Path) -> Path:
    """What MediaRecorder writes, piece by piece: WebM without a length and without an index."""
    whole = recorded(path.with_suffix(".whole.webm"), "-c:v", "libvpx", "-c:a", "libopus")
    return ffmpeg("-i", whole, "-c", "copy", "-f", "webm", "-live", "1", path)


def from_a_screen_recorder(path: Path) -> Path:
    """H.264 with every colour of every pixel, which browsers do not decode."""
    return recorded(path, "-c:v", "libx264", "-pix_fmt", "yuv444p", "-c:a", "aac")


@pytest.mark.parametrize(
    ("name", "write", "played", "size"),
    [
        ("IMG_0001.mov", from_a_phone_upright, False, (180, 320)),
        ("VID_0001.mp4", from_a_phone_at_varying_rate, True, (320, 180)),
        ("MOV_0001.3gp", from_an_old_phone, False, (176, 144)),
        ("GMT20220618-100000_Recording.mp4", from_zoom, True, (320, 180)),
        ("GMT20220618-100000_Recording.m4a", sound_from_zoom, True, None),
        ("recording.webm", from_a_browser, False, (320, 180)),
        ("screen.mkv", from_a_screen_recorder, False, (320, 180)),
    ],
)
def test_what_phones_meetings_and_browsers_record_plays_everywhere(
    tmp_path: Path, name: str, write: Callable[[Path], Path], played: bool, size: tuple[int, int] | None
) -> None:
    path = write(tmp_path / name)
    assert is_played(probe(path)) is played
    shown = made(path, tmp_path / "made").get("web", path)
    info = probe(shown)
    assert is_played(info)
    assert info.duration_ms == pytest.approx(2000, abs=250)
    assert next(((each.width, each.height) for each in info.streams if each.type == "video"), None) == size
    if size:
        with av.open(str(shown)) as container:
            assert next(container.decode(video=0)).rotation == 0
    samples = np.concatenate(list(stream_audio(shown)))
    assert len(samples) == pytest.approx(32_000, abs=4_000)
    assert np.abs(samples[8_000:24_000]).max() > 0.05


@pytest.mark.parametrize("name", ["a.mp4", "a.mp3", "a.wav"])
@pytest.mark.parametrize("level", [-12, 14])
def test_sound_that_is_much_too_quiet_or_loud_is_brought_to_the_level_of_speech(
    tmp_path: Path, name: str, level: int
) -> None:
    noise = ("-f", "lavfi", "-i", f"anoisesrc=colour=pink:seed=1:amplitude=0.5,volume={level}dB")
    picture = ("-f", "lavfi", "-i", "testsrc=size=64x48:rate=5") if name == "a.mp4" else ()
    path = ffmpeg(*noise, *picture, "-t", "8", "-pix_fmt", "yuv420p", tmp_path / name)
    (tmp_path / "made").mkdir()
    rendered = render(path, probe(path), tmp_path / "made")
    assert rendered.loudness == loudness(path, probe(path))
    assert rendered.gain == pytest.approx(LOUDNESS - (rendered.loudness or 0))
    web = next(each.path for each in rendered.files if each.kind == "web")
    assert loudness(web, probe(web)) == pytest.approx(LOUDNESS, abs=1)
    assert max(np.abs(block).max() for block in stream_audio(web)) < 1.0


QUIET = ("-f", "lavfi", "-i", "anullsrc=r=44100:cl=mono")
TRACKS = {
    "first": ([TONE, QUIET], 0, 0, "the file has it by default"),
    "by default": ([QUIET, TONE, TONE], 1, 1, "the file has it by default"),
    "first silent": ([QUIET, TONE], 0, 1, "the one that the file has by default is silent"),
    "default silent": ([(*TONE, "-filter:a:0", "volume=-20dB"), QUIET, TONE], 1, 2, None),
    "all silent": ([QUIET, QUIET], 1, 1, "the file has it by default"),
}


@pytest.mark.parametrize("suffix", ["mkv", "mp4", "mov"])
@pytest.mark.parametrize("tracks", TRACKS)
def test_track_that_is_heard_and_shown_is_the_default_one_or_else_the_loudest(
    tmp_path: Path, tracks: str, suffix: str
) -> None:
    sources, default, expected, why = TRACKS[tracks]
    inputs = [argument for source in sources for argument in source[:4]]
    filters = [argument for source in sources for argument in source[4:]]
    numbers = range(len(sources))
    maps = [argument for n in range(len(sources) + 1) for argument in ("-map", str(n))]
    flags = [f for n in numbers for f in (f"-disposition:a:{n}", "default" if n == default else "0")]
    picture = ("-f", "lavfi", "-i", "testsrc=size=64x48:rate=5")
    encoded = ("-c:a", "aac", "-pix_fmt", "yuv420p", "-t", "8")
    path = ffmpeg(*inputs, *picture, *maps, *filters, *flags, *encoded, tmp_path / f"a.{suffix}")
    info = probe(path)
    assert (info.track, info.why) == (expected, why or "the one that the file has by default is silent")
    (tmp_path / "made").mkdir()
    rendered = render(path, info, tmp_path / "made")
    assert (rendered.loudness is None) is (tracks == "all silent")
    web = next((each.path for each in rendered.files if each.kind == "web"), path)
    assert probe(web).track == 0
    assert bool(np.abs(next(iter(stream_audio(web)))).max() > 0.05) is (tracks != "all silent")


def test_track_that_is_heard_is_found_where_nobody_knows_the_length(tmp_path: Path) -> None:
    late = ("-f", "lavfi", "-i", "sine,adelay=3000")
    inputs = [*QUIET, *late, "-map", "0", "-map", "1", "-t", "8"]
    path = ffmpeg(*inputs, "-c:a", "libopus", "-live", "1", tmp_path / "a.webm")
    info = probe(path)
    assert (info.finished, info.track) == (False, 1)


def test_loudness_is_that_of_the_reference_signal(tmp_path: Path) -> None:
    """EBU Tech 3341, minimum requirements, test 1: a sine of 1 kHz at -23 dBFS in both channels is -23 LUFS."""
    stereo = "aevalsrc=exprs='0.0708*sin(2*PI*1000*t)|0.0708*sin(2*PI*1000*t)':sample_rate=48000:duration=20"
    path = ffmpeg("-f", "lavfi", "-i", stereo, tmp_path / "reference.wav")
    assert loudness(path, probe(path)) == pytest.approx(-23.0, abs=0.1)


def test_silence_has_no_loudness_and_is_left_alone(tmp_path: Path) -> None:
    path = write_wav(tmp_path / "a.wav", tone(2.0) * 0)
    (tmp_path / "made").mkdir()
    rendered = render(path, probe(path), tmp_path / "made")
    assert (rendered.loudness, rendered.gain, [each.kind for each in rendered.files]) == (None, 0.0, ["web", "peaks"])


def test_previews_name_the_picture_of_each_moment(tmp_path: Path) -> None:
    path = ffmpeg(*BANDS, "-pix_fmt", "yuv420p", "-c:v", "libx264", "-g", "10", tmp_path / "a.mp4")
    files = made(path, tmp_path / "made")
    head, *cues = files["previews"].read_text().strip().split("\n\n")
    assert head.splitlines()[0] == "WEBVTT"
    spans = [cue.splitlines()[0] for cue in cues]
    assert spans == [f"{format_timestamp(n * 1000)} --> {format_timestamp(n * 1000 + 1000)}" for n in range(10)]
    name = hashlib.sha256(files["sprite"].read_bytes()).hexdigest()
    assert cues[7].splitlines()[1] == f"{name}.jpg#xywh=1120,0,160,90"
    with av.open(str(files["sprite"])) as container:
        sheet = next(container.decode(video=0)).to_ndarray(format="rgb24")
    assert sheet.shape == (90, 1600, 3)
    middles = [sheet[45, 160 * n + 80] for n in range(10)]
    assert ["red" if red > blue else "blue" for red, _, blue in middles] == ["red"] * 5 + ["blue"] * 5


def test_previews_of_a_long_recording_are_no_more_and_upright_pictures_keep_their_shape(tmp_path: Path) -> None:
    path = ffmpeg(
        "-f",
        "lavfi",
        "-i",
        "color=white:size=90x160:rate=1",
        "-t",
        "250",
        "-pix_fmt",
        "yuv420p",
        "-g",
        "5",
        tmp_path / "a.mp4",
    )
    files = made(path, tmp_path / "made")
    assert files["previews"].read_text().count(" --> ") == PREVIEWS
    with av.open(str(files["sprite"])) as container:
        sheet = next(container.decode(video=0)).to_ndarray(format="gray")
    assert sheet.shape == (900, 1600)
    assert [int(sheet[45, x]) > 128 for x in (10, 80, 150)] == [False, True, False]


def test_single_picture_beside_sound_becomes_the_poster(tmp_path: Path) -> None:
    path = tmp_path / "talk.mp4"
    one = ("-f", "lavfi", "-i", "color=red:s=64x48:r=25:d=0.04", "-f", "lavfi", "-i", "sine=d=20")
    ffmpeg(*one, "-c:v", "libx264", "-pix_fmt", "yuv420p", "-c:a", "aac", path)
    assert "poster" in made(path, tmp_path / "made")


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("camera.mpg", ("-c:v", "mpeg2video", "-flags", "+ilme+ildct")),
        ("camera.ts", ("-c:v", "libx264", "-flags", "+ilme+ildct")),
        ("camera.mp4", ("-c:v", "libx264", "-flags", "+ilme+ildct")),
    ],
)
def test_interlaced_pictures_become_whole_ones(tmp_path: Path, name: str, codec: tuple[str, ...]) -> None:
    sound = "aac" if name.endswith("mp4") else "mp2"  # browsers play it as it is, and show its fields
    fields = ("-vf", "interlace,setfield=tff", *codec, "-pix_fmt", "yuv420p", "-c:a", sound)
    path = recorded(tmp_path / name, *fields)
    assert is_interlaced(path)
    assert not is_interlaced(made(path, tmp_path / "made")["web"])


TOLD = {
    "location": "+52.5200+013.4050/", "title": "secret title", "artist": "Noor <noor@example.org>",
    "comment": "/home/noor/secret.mp4", "description": "secret description", "encoder": "secret encoder",
    "copyright": "secret copyright", "album": "secret album",
}  # fmt: skip
"""What a camera or a program writes into a file of itself."""


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv", "a.webm", "a.mov", "a.m4a", "a.mp3", "a.flac", "a.wav"])
def test_what_a_file_says_of_itself_is_in_nothing_that_is_made_of_it(tmp_path: Path, name: str) -> None:
    words = tmp_path / "words.srt"
    words.write_text("1\n00:00:00,000 --> 00:00:01,000\nsecret subtitle\n")
    chapters = tmp_path / "chapters.txt"
    chapters.write_text(";FFMETADATA1\n[CHAPTER]\nTIMEBASE=1/1000\nSTART=0\nEND=1000\ntitle=secret chapter\n")
    said = [part for key, value in TOLD.items() for part in ("-metadata", f"{key}={value}")]
    streams = ["-map", "0", "-map", "1"] if name in {"a.mp4", "a.mkv", "a.webm", "a.mov"} else ["-map", "1"]
    caption = {"a.mp4": "mov_text", "a.mov": "mov_text", "a.mkv": "srt", "a.webm": "webvtt"}.get(name)
    subtitles = ["-map", "2", "-c:s", caption, "-metadata:s:s:0", "title=secret track"] if caption else []
    path = ffmpeg(
        "-f", "lavfi", "-i", "testsrc=size=320x180:rate=10", *TONE, "-i", words, "-i", chapters, *streams, *subtitles,
        "-map_chapters", "3", *said, "-metadata:s:a:0", "title=secret sound", "-pix_fmt", "yuv420p", "-t", "2",
        tmp_path / name,
    )  # fmt: skip
    files = made(path, tmp_path / "made")
    assert "web" in files
    for file in files.values():
        content = file.read_bytes()
        assert [word for word in (b"secret", b"noor", b"52.52", b"GPS") if word in content] == []
    with av.open(str(files["web"])) as container:
        assert [stream.type for stream in container.streams if stream.type not in {"audio", "video"}] == []
        assert container.chapters() == []
