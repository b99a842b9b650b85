"""The command line in this process, for tests that are not about processes: to begin one takes longer than to obey."""

from __future__ import annotations

import io
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

from pipelines.cli import cli, obey


class Done(NamedTuple):
    """What came of a command, as of a process."""

    returncode: int
    stdout: str
    stderr: str


def rostra(*arguments: str | Path) -> Done:
    """Run a command as ``main`` does, with what it writes kept."""
    written, code = (io.BytesIO(), io.BytesIO()), 0
    out, err = (io.TextIOWrapper(each, encoding="utf-8", write_through=True) for each in written)
    with redirect_stdout(out), redirect_stderr(err):
        try:
            obey(lambda: cli([str(each) for each in arguments], prog_name="rostra", standalone_mode=False))
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return Done(code, *(each.getvalue().decode() for each in written))
