"""What a recording makes this machine read, as the kernel sees it: itself, and nothing else."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.errors import BrokenMediaError, NotMediaError
from pipelines.media.files import probe
from tests.pipelines.media.test_files import tone, write_video, write_wav

STRACE = shutil.which("strace")
LOOK = """
import sys
from contextlib import suppress
from pathlib import Path
from pipelines.errors import ItemError
from pipelines.media.files import MediaInfo, loudness, probe, stream_audio
from pipelines.media.renditions import render
claimed = MediaInfo(kind="video", media_type="video/mp4", suffix=".mp4", duration_ms=1000, has_audio=True, streams=())
folder = Path(sys.argv[1])
for path in map(Path, sys.argv[2:]):
    info = claimed
    with suppress(ItemError):
        info = probe(path)
    with suppress(ItemError):
        list(stream_audio(path))
    with suppress(ItemError, StopIteration):
        render(path, info, folder)
"""
"""Does with each file all that is ever done with recordings, also where the first look would refuse it."""


def disguised(folder: Path, secret: Path) -> list[Path]:
    """Write what names another file, under names and beginnings of recordings."""
    texts = {
        "hls.mp4": f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nfile://{secret}\n#EXT-X-ENDLIST\n",
        "hls-beside.ts": f"#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n{secret.name}\n#EXT-X-ENDLIST\n",
        "hls-web.m4a": "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n",
        "concat.mp3": f"ffconcat version 1.0\nfile '{secret}'\n",
        "dash.mp4": f"<?xml version='1.0'?><MPD><Period><BaseURL>file://{secret}</BaseURL></Period></MPD>",
        "playlist.wav": f"[playlist]\nFile1={secret}\n",
        "late.ts": "\n" * 300 + f"#EXTM3U\n#EXTINF:5,\n{secret}\n",
        "sdp.mp4": f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=audio 9 RTP/AVP 0\na={secret}\n",
        "script.avi": f'DirectShowSource("{secret}")\n',
    }
    for name, text in texts.items():
        (folder / name).write_text(text)
    elsewhere = bytearray(write_video(folder / "reference.mov").read_bytes())
    at = elsewhere.index(b"dref")  # ISO/IEC 14496-12, 8.7.2: without its flag, an entry is a file elsewhere
    entry = re.search(rb"(url |alis)\x00\x00\x00\x01", bytes(elsewhere[at:]))
    assert entry
    elsewhere[at + entry.end() - 1] = 0
    (folder / "reference.mov").write_bytes(elsewhere)
    appended = write_video(folder / "appended.mp4")
    appended.write_bytes(appended.read_bytes() + f"#EXTM3U\n{secret}\n".encode())
    return sorted(path for path in folder.iterdir() if path != secret)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


def test_playlists_in_disguise_are_told_from_recordings(folder: Path) -> None:
    secret = write_wav(folder / "secret.wav", tone(1))
    for path in disguised(folder, secret):
        if path.name not in {"reference.mov", "appended.mp4"}:
            with pytest.raises((NotMediaError, BrokenMediaError)):
                probe(path)


@pytest.mark.skipif(STRACE is None, reason="no strace: apt-get install strace")
def test_nothing_is_read_but_the_recording(folder: Path, tmp_path: Path) -> None:
    secret, out, log = write_wav(folder / "secret.wav", tone(1)), tmp_path / "out", tmp_path / "log"
    out.mkdir()
    paths = disguised(folder, secret)
    trace = [
        str(STRACE),
        "-f",
        "-qq",
        "-s",
        "500",
        "-e",
        "trace=open,openat,openat2,connect,execve,creat",
        "-o",
        str(log),
    ]
    command = [*trace, sys.executable, "-c", LOOK, str(out), *map(str, paths)]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if "ptrace" in done.stderr.lower():
        pytest.skip("this machine lets nobody be traced")
    assert done.returncode == 0, done.stderr
    seen = log.read_text(errors="replace")
    opened = {Path(name) for name in re.findall(r'open(?:at2?)?\([^"]*"([^"]+)"', seen)}
    assert {path for path in opened if path.is_relative_to(folder) and path != folder} == set(paths)
    assert {path.parent for path in opened if path.is_relative_to(tmp_path)} <= {tmp_path, folder, out}
    assert [line for line in seen.splitlines() if "connect(" in line and "AF_INET" in line] == []
    assert str(secret) not in seen
