"""What Rostra runs sends nothing to anybody."""

from __future__ import annotations

import subprocess
import sys

import pytest


def test_onnxruntime_is_kept_from_telling_of_models() -> None:
    """Where the device's id for telemetry cannot be kept, it would say so."""
    pytest.importorskip("onnxruntime")
    program = "import pipelines, onnxruntime; from faster_whisper.vad import get_vad_model; get_vad_model()"
    done = subprocess.run(
        [sys.executable, "-c", program], env={"HOME": "/proc"}, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
