"""Signals that come before a command has begun: while what it needs is imported."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

BEGIN = """
import os, sys

def look(event, arguments):
    if event == "import" and arguments[0] == sys.argv[1]:
        os.kill(os.getpid(), int(sys.argv[2]))

sys.addaudithook(look)
from pipelines.__main__ import main
main()
"""
"""Begins the command, which sends itself a signal when it imports a module."""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda each: each.name)
@pytest.mark.parametrize("module", ["pipelines.cli", "click", "rich.markup"])
def test_command_ends_at_once_and_says_nothing(number: signal.Signals, module: str) -> None:
    done = subprocess.run([sys.executable, "-c", BEGIN, module, str(int(number))], capture_output=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (128 + number, b"", b"")
