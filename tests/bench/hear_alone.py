"""Diarizes a recording in a process of its own, for `tests.bench.diarization`, and says what that took.

``python -m tests.bench.hear_alone RECORDING [WEIGHTS]``. It imports no more than a worker of ``rostra run`` does.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

from pipelines.speakers.channels import hear
from pipelines.speakers.networks import NetworkDiarizer


def main(recording: str, weights: str = "") -> None:
    """Print the peak of memory in MiB, the processor seconds with those of ffmpeg, and how many voices there are."""
    diarizer = NetworkDiarizer(weights, threads=1)
    diarizer.load()
    began = _processor_seconds()
    found = hear(diarizer, Path(recording), None, lambda _done: None)
    spent = _processor_seconds() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    voices = len({turn.voice for turn in found.turns})
    print(json.dumps({"mebibytes": round(peak), "processor_seconds": round(spent, 1), "voices": voices}))


def _processor_seconds() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


if __name__ == "__main__":
    main(*sys.argv[1:])
