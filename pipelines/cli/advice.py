"""What people can do about what went wrong, by the code that the catalogue keeps of it."""

from __future__ import annotations

from archive.catalogue.runs import Trouble
from pipelines.stages import STAGES

ADVICE = {
    "address": "check the address; to ask private ones or other schemes, see [pull] in rostra.toml",
    "artefact": "it is done again by itself; if it stays, check the disk and the file system",
    "broken-media": "bring a whole copy and pull it; if this is the best there is, convert it with ffmpeg first",
    "captions": "mend the file, or export it again as WebVTT, and pull again",
    "enclosure": "nothing to do, unless it should be a recording: then pull its own address",
    "engine": "listen to it; if it sounds as it should, try another model or engine",
    "gone": "nothing to do: what was made of it was thrown away",
    "language": "correct the language in the timetable or in rostra.toml",
    "leads-out": "nothing to do; to take the recording in, pull the folder that the link leads to",
    "limit": "raise the limit in [pull] of rostra.toml, then rostra pull",
    "meaning": "see what the reason says; words are found as before, and rostra retry --stage embed tries again",
    "no-audio": "nothing to do, unless sound is missing: then bring another copy",
    "not-fetched": "see what its place answered, then pull it again: what came so far is kept",
    "not-kept": "read the reason, mend it, then rostra retry",
    "not-media": "nothing to do, unless it should be a recording: then bring another copy",
    "not-published": "read the reason, mend it, then rostra run",
    "out-of-memory": "run with fewer workers, a smaller model or a higher run.memory, then rostra retry",
    "own-files": "nothing to do; to take recordings over from another archive, pull the files that it was made from",
    "purged": "nothing to do: it was deleted for good with rostra release --withdraw --purge",
    "seam": "rostra retry hears it again; if it stays, convert the recording, whose times may jump, and pull that",
    "speakers": "see what the reason says; the transcript is there, and rostra retry --stage diarize tries again",
    "timeout": "check that it plays to its end; on a slow machine raise run.patience, then rostra retry",
    "unexpected": "this is a defect of Rostra: report it with the reason above",
    "worker-died": "run with fewer workers or a smaller model, then rostra retry; if it stays, convert the recording",
}
"""One line a code; a test demands one for every code that there is."""


def advice(trouble: Trouble, attempts: int) -> str | None:
    """Return the next step, given how often things are tried by themselves."""
    if trouble.retried:
        pulled = trouble.stage in [stage.name for stage in STAGES if stage.command == "pull"]
        return "due again: pull it" if pulled else "due again: rostra run"
    if trouble.status == "failed" and trouble.attempt < attempts:
        return f"tried {trouble.attempt} of {attempts} times: rostra run tries it again"
    return ADVICE.get(trouble.code)
