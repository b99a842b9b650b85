"""Nothing that a file, a feed or a name says is obeyed by the terminal that shows it."""

from __future__ import annotations

import json
import logging
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.cli.display import Harmless, Warnings
from pipelines.storage.archive_folder import init
from pipelines.text import to_json, visible
from tests.pipelines.sounds import write_wav

HOSTILE = "a\x1b]0;owned\x07b\x1b[2J\x9b31mc\u202egnp\u2066d\u200fe\x7f\x85f"
"""A window's title, a screen that is cleared, colours in one byte, and text that runs the other way."""
OBEYED = frozenset("\x07\x7f\x85\x9b\u202e\u2066\u200f")
NAMED = "\x1b\x9d\u202efirst\x1b[2J"

TURNED = "c\u202egnp\u2066d\u200fe"
"""What may stand in a timetable, which has no control characters."""
EVENT = f"""
title: Days {TURNED}
slug: days
time_zone: UTC
sessions:
  - title: Talk {TURNED}
    slug: first
    room: Room {TURNED}
    abstract: About lamps {TURNED}
    people:
      - name: Ada {TURNED}
        role: speaker
"""


def shown(*arguments: str | Path) -> str:
    """Run the real command with a terminal for both its outputs, and return what the terminal got."""
    main, other = pty.openpty()
    command = [sys.executable, "-m", "pipelines", *map(str, arguments)]
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "100"}
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=other, stderr=other, env=environment) as process:
        os.close(other)
        got = b""
        while True:
            try:
                part = os.read(main, 65_536)
            except OSError:  # what Linux says when nobody writes any more
                break
            if not part:
                break
            got += part
        process.wait()
    os.close(main)
    return got.decode("utf-8", "surrogateescape")


def obeyed(text: str) -> set[str]:
    """Return what of the hostile text a terminal would obey; colours and the like are Rostra's own."""
    found = OBEYED.intersection(text)
    found |= {code for code in ("\x1b]", "\x1b[2J", "\x1b\x9d") if code in text}
    return found


def test_a_terminal_obeys_nothing_of_an_archive(tmp_path: Path) -> None:
    folder, root = tmp_path / "in", tmp_path / "archive"
    folder.mkdir()
    write_wav(folder / f"{NAMED}.wav", 2)
    (folder / f"{NAMED}.srt").write_text(f"1\n00:00:00,500 --> 00:00:01,500\n{HOSTILE} lamps\n", encoding="utf-8")
    (folder / "event.yaml").write_text(EVENT, encoding="utf-8")
    (folder / f"bad{HOSTILE}.yaml").write_text("title: 1\nsessions: 5\n", encoding="utf-8")
    (folder / "noise.vtt").write_text("WEBVTT\n\nno times\x1b[2J\n\n00:0x --> 00:01\nx\n", encoding="utf-8")
    at = ("--archive", root)
    init(root, title=f"Talks {HOSTILE}")
    settings = root / "rostra.toml"
    settings.write_text(settings.read_text().replace('# engine = "faster-whisper"', 'engine = "fake"'))
    ran = [
        shown("import", folder / "event.yaml", *at),
        shown("import", folder / f"bad{HOSTILE}.yaml", *at),
        shown("pull", folder, "--session", "first", *at),
        shown("run", *at),
        shown("status", *at),
        shown("status", "--json", *at),
        shown("search", "lamps", *at),
        shown("search", "lamps", "--json", *at),
        shown("check", *at),
        shown("export", "timetable", "days", *at),
        shown("export", "captions", "first", *at),
        shown("caption", folder / "noise.vtt", "--session", "first", *at),
        shown("correct", "event", "days", f"nothing{HOSTILE}=1", *at),
        shown(f"no-such-{HOSTILE}"),
    ]
    assert [obeyed(text) for text in ran] == [set()] * len(ran)
    told = [any(code in text for code in ("\\x1b", "\\u001b", "\\u202e")) for text in ran]
    assert told.count(True) == 9  # it was there to be shown


@given(st.text())
def test_json_for_a_terminal_says_the_same(text: str) -> None:
    written = to_json({"text": text}, indent=2)
    assert json.loads(written) == {"text": text}
    assert visible(written) == written


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_consoles_show_nothing_that_is_obeyed(text: str) -> None:
    console = Harmless(force_terminal=False, soft_wrap=True, highlight=False)
    with console.capture() as captured:
        console.print(text, markup=False)
    assert visible(captured.get()) == captured.get()


def test_lines_and_tabs_stay() -> None:
    assert visible("a\n\tb\r") == "a\n\tb\\r"


def test_warnings_are_shown_as_lines(capsys: pytest.CaptureFixture[str]) -> None:
    record = logging.LogRecord("metadata", logging.WARNING, "x.py", 1, "%s: [bold]passed over", (HOSTILE,), None)
    Warnings().emit(record)
    printed = capsys.readouterr().err
    assert "[bold]passed over" in printed
    assert obeyed(printed) == set()
