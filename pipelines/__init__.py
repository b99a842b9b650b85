"""From recordings to the published site: stages, engines and the command line.

Its parts are in layers. A part imports only from parts that stand above its own, or earlier in its own line::

    text, errors, config       wording, what can go wrong, ``rostra.toml``
    ending                     signals that end a process
    media, storage             sound and pictures; files by their SHA-256, buckets, the archive's folder
    sources                    where recordings come from
    transcribers               engines, the detection of speech, the judge of what they heard
    speakers                   who speaks when: voices told apart by sound
    matching                   which session a recording is of, and where a day's recording is cut
    exchange                   timetables, captions and corrections, in and out
    stages                     the pipeline: what is due, and what is kept of it
    run                        who works, and who watches: runner, executors, children, clusters
    demo                       the example archive
    cli, __main__              the command line, one module for each group of commands

A test demands that every part stands here, and that imports follow this order.
"""

import os

# From 1.29 on, onnxruntime tells Microsoft of every model that it loads, unless this is set before it is imported
# (https://github.com/microsoft/onnxruntime/blob/main/docs/Privacy.md). Children inherit it.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
