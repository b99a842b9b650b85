from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from archive.site.app import create_app
from tests.archive.published_folder import publish, tone


@pytest.fixture(scope="module")
def public(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("public")
    publish(folder)
    tone(folder / "media" / f"{'0' * 64}.wav", 1, 220)  # there, but not in the database
    return folder


@pytest.fixture(scope="module")
def recording(public: Path) -> Path:
    return next(path for path in sorted((public / "media").glob("*.wav")) if not path.name.startswith("0" * 64))


def ask(public: Path, path: str, method: str = "GET", **headers: str) -> Any:
    datasette: Any = create_app(public)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return asyncio.run(datasette.client.request(method, path, headers=named))


def test_recording_is_sent_whole(public: Path, recording: Path) -> None:
    response = ask(public, f"/media/{recording.name}")
    assert response.status_code == 200
    assert response.content == recording.read_bytes()
    assert {name: response.headers[name] for name in ("content-type", "accept-ranges", "cache-control", "etag")} == {
        "content-type": "audio/wav",
        "accept-ranges": "bytes",
        "cache-control": "public, no-cache",
        "etag": f'"{recording.stem}"',
    }


@pytest.mark.parametrize(
    ("asked", "start", "stop"),
    [
        ("bytes=0-99", 0, 100),
        ("bytes=100-", 100, None),
        ("bytes=-50", -50, None),
        ("bytes=479000-9999999", 479_000, None),
        (f"bytes=479000-{'9' * 5000}", 479_000, None),
        (f"bytes=-{'9' * 5000}", 0, None),
        ("bytes=-0, 5-5,99999999-", 5, 6),
        ("Bytes=0000-000", 0, 1),
    ],
)
def test_range_is_sent(public: Path, recording: Path, asked: str, start: int, stop: int | None) -> None:
    whole = recording.read_bytes()
    first, last, _ = slice(start, stop).indices(len(whole))
    response = ask(public, f"/media/{recording.name}", range=asked)
    assert response.status_code == 206
    assert response.content == whole[start:stop]
    assert response.headers["content-range"] == f"bytes {first}-{last - 1}/{len(whole)}"
    assert response.headers["content-length"] == str(last - first)


def test_several_ranges_are_sent_in_parts(public: Path, recording: Path) -> None:
    response = ask(public, f"/media/{recording.name}", range="bytes=0-3,8-11")
    assert response.status_code == 206
    assert response.headers["content-type"].startswith("multipart/byteranges; boundary=")
    assert (b"\r\n\r\nRIFF\r\n" in response.content, b"\r\n\r\nWAVE\r\n" in response.content) == (True, True)


@pytest.mark.parametrize("asked", ["bytes=99999999-", "bytes=-0", f"bytes={'9' * 5000}-", "bytes=99999999-,-0"])
def test_range_beyond_the_end_is_refused(public: Path, recording: Path, asked: str) -> None:
    response = ask(public, f"/media/{recording.name}", range=asked)
    assert response.status_code == 416
    assert response.headers["content-range"] == f"bytes */{recording.stat().st_size}"


def test_refusal_of_a_range_can_be_read_by_other_sites(public: Path, recording: Path) -> None:
    refused = ask(public, f"/media/{recording.name}", range="bytes=99999999-")
    assert (refused.headers["access-control-allow-origin"], refused.headers["etag"]) == ("*", f'"{recording.stem}"')


@pytest.mark.parametrize(
    "asked",
    ["items=0-9", "bytes=9-0", "bytes=a-b", "bytes=", "bytes=-", "bytes=0-0,9-0", "bytes=0-1;q=1", "1-2"],
)
def test_range_that_is_not_understood_is_passed_over(public: Path, recording: Path, asked: str) -> None:
    response = ask(public, f"/media/{recording.name}", range=asked)
    assert (response.status_code, response.content) == (200, recording.read_bytes())


def test_head_knows_no_ranges(public: Path, recording: Path) -> None:
    response = ask(public, f"/media/{recording.name}", "HEAD", range="bytes=0-9")
    assert (response.status_code, response.headers["content-length"]) == (200, str(recording.stat().st_size))


def test_who_has_a_recording_by_its_date_or_at_all_is_not_sent_it_again(public: Path, recording: Path) -> None:
    at = ask(public, f"/media/{recording.name}", "HEAD").headers["last-modified"]
    before, unknown = "Sat, 01 Jan 2000 00:00:00 GMT", "yesterday"
    told = [
        ask(public, f"/media/{recording.name}", **asked).status_code
        for asked in (
            {"if_none_match": "*"},
            {"if_modified_since": at},
            {"if_modified_since": before},
            {"if_modified_since": unknown},
            {"if_modified_since": at, "if_none_match": '"other"'},
        )
    ]
    assert told == [304, 304, 200, 200, 200]


def test_range_of_another_version_is_sent_whole(public: Path, recording: Path) -> None:
    same = ask(public, f"/media/{recording.name}", range="bytes=0-9", if_range=f'"{recording.stem}"')
    other = ask(public, f"/media/{recording.name}", range="bytes=0-9", if_range='"something else"')
    assert (same.status_code, other.status_code) == (206, 200)


def test_head_sends_no_body(public: Path, recording: Path) -> None:
    response = ask(public, f"/media/{recording.name}", "HEAD")
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-length"] == str(recording.stat().st_size)


@pytest.mark.parametrize(
    "path",
    [
        f"/media/{'0' * 64}.wav",
        f"/media/{'1' * 64}.wav",
        "/media/../current.json",
        "/media/..%2Fcurrent.json",
        "/media/%2e%2e/current.json",
        "/media/....//current.json",
        "/media/catalogue-00000000000000aa.db",
        "/media//etc/passwd",
        "/media/",
        "/media",
    ],
)
def test_other_files_are_never_sent(public: Path, path: str) -> None:
    response = ask(
        public,
        f"http://localhost{path}",
    )
    assert response.status_code in {301, 404}
    assert b'built_at"' not in response.content


def test_recording_under_another_suffix_is_not_there(public: Path, recording: Path) -> None:
    assert ask(public, f"/media/{recording.stem}.mp4").status_code == 404
    assert ask(public, f"/media/{recording.stem.upper()}.wav").status_code == 404


def test_link_to_a_file_of_this_machine_is_not_followed(tmp_path: Path) -> None:
    publish(tmp_path)
    recording = next(iter(sorted((tmp_path / "media").glob("*.wav"))))
    assert ask(tmp_path, f"/media/{recording.name}").status_code == 200
    recording.unlink()
    recording.symlink_to("/etc/hostname")
    assert ask(tmp_path, f"/media/{recording.name}").status_code == 404
