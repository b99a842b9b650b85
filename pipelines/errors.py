"""What can go wrong on the way from a recording to the site.

::

    PipelineError
    ├── ConfigError              rostra.toml, an option or an environment variable is wrong
    ├── LockedError              another run is at work on this archive
    ├── TranscriberError         the engine failed
    │   └── WeightsError         no weights of that name: what there is, and how to get others
    ├── SourceError              a timetable's file, folder or address cannot be had, or is not what was asked for
    ├── ToolError                ffmpeg is missing or failed in itself
    ├── WorkerError              worker processes cannot begin: what they load is too much, or broken
    ├── ClusterError             the scheduler is lost, or no worker can do it
    ├── BackupError              no such snapshot, or it cannot be read
    ├── BagError                 a bag cannot be made, or is none that Rostra takes in
    ├── DiskFullError            no room is left, or it cannot be written
    └── ItemError                one item cannot be done; the run goes on
        ├── NotMediaError        not a recording: refused, and not tried again
        ├── EnclosureError       a feed's file that is no recording by its type and name: skipped
        ├── OwnFilesError        what Rostra itself keeps where recordings were looked for: skipped
        ├── LeadsOutError        a link in a folder that leads out of it: skipped
        ├── NoAudioError         nothing to hear: skipped
        ├── BrokenMediaError     a recording that cannot be read: refused
        ├── CaptionsError        captions that cannot be read, or are another recording's: refused
        ├── LanguageError        a language that the weights do not know: refused
        ├── FetchError           it could not be brought here from where it is
        ├── PurgedError          a recording that was deleted for good: refused
        ├── GoneError            deleted for good while it was worked on: skipped
        ├── AddressError         a scheme or an address that is not asked: refused
        ├── LimitError           larger or longer than rostra.toml allows: refused
        ├── EngineError          the engine or ffmpeg gave up on this recording
        ├── SpeakersError        who speaks in it cannot be told: all else goes on
        ├── MeaningError         what is said in it cannot be found by meaning: all else goes on
        ├── SeamError            two parts of a long recording do not meet
        └── ItemCrashError       the worker died, hung or ran out of memory

An `ItemError` has a ``code`` that `stage_run` keeps and scripts may rely on.
"""

from __future__ import annotations

import errno
import os
from typing import ClassVar, Literal

Verdict = Literal["failed", "refused", "skipped"]


class PipelineError(Exception):
    """Base of every error that this package raises."""


class ConfigError(PipelineError):
    """A setting is wrong: the message names it and says what is accepted."""


class LockedError(PipelineError):
    """Another run holds the archive."""


class BackupError(PipelineError):
    """There is no such snapshot in a backup, or it cannot be read."""


class BagError(PipelineError):
    """A bag cannot be made of what is here, or is not one that can be taken in."""


class TranscriberError(PipelineError):
    """The engine failed in itself, not because of one recording."""


class WeightsError(TranscriberError):
    """No weights of this name can be found or fetched."""


class SourceError(PipelineError):
    """A timetable's file, folder or address cannot be had, or is not what was asked for."""


class ToolError(PipelineError):
    """A program that Rostra calls is missing or does not run."""


class WorkerError(PipelineError):
    """Worker processes come to their end before they have begun an item."""


class ClusterError(PipelineError):
    """The cluster's scheduler is lost, or none of its workers can do what is wanted."""


class DiskFullError(PipelineError):
    """No room is left where a run writes, or nothing can be written there."""


class ItemError(PipelineError):
    """One item cannot be done.

    Attributes:
        code: a short, stable name of the reason.
        verdict: ``failed`` may be tried again; ``refused`` and ``skipped`` stand until the input changes.
    """

    code: ClassVar[str] = "failed"
    verdict: ClassVar[Verdict] = "failed"


class NotMediaError(ItemError):
    """The file is not a recording."""

    code = "not-media"
    verdict = "refused"


class EnclosureError(ItemError):
    """What an episode of a feed carries is no recording, by its media type and its name."""

    code = "enclosure"
    verdict = "skipped"


class OwnFilesError(ItemError):
    """An archive's or a publication's own files lie where recordings were looked for."""

    code = "own-files"
    verdict = "skipped"

    def __init__(self) -> None:
        super().__init__("what Rostra keeps there for itself is no source of recordings, and is passed over")


class LeadsOutError(ItemError):
    """A symbolic link in a folder leads out of it: whoever filled the folder chose it, and not who pulls."""

    code = "leads-out"
    verdict = "skipped"

    def __init__(self) -> None:
        super().__init__("it is a link that leads out of the folder, and is passed over: name the file to take it")


class NoAudioError(ItemError):
    """The recording has no sound, so there is nothing to transcribe."""

    code = "no-audio"
    verdict = "skipped"


class BrokenMediaError(ItemError):
    """The recording is damaged beyond reading."""

    code = "broken-media"
    verdict = "refused"


class CaptionsError(ItemError):
    """A file of captions cannot be read, or does not belong to the recording beside it."""

    code = "captions"
    verdict = "refused"


class LanguageError(ItemError):
    """The recording is declared to be in a language that the engine's weights were not trained on."""

    code = "language"
    verdict = "refused"


class FetchError(ItemError):
    """The file could not be brought here: the message says what its place answered."""

    code = "not-fetched"


class PurgedError(ItemError):
    """A recording of these bytes was deleted for good: it is not taken in again."""

    code = "purged"
    verdict = "refused"


class GoneError(ItemError):
    """What was worked on was deleted for good meanwhile."""

    code = "gone"
    verdict = "skipped"


class AddressError(ItemError):
    """The address has a scheme, or leads to a host, that nothing is asked of unless rostra.toml allows it."""

    code = "address"
    verdict = "refused"


class LimitError(ItemError):
    """The recording is larger or longer than rostra.toml allows."""

    code = "limit"
    verdict = "refused"


RULED = frozenset({AddressError.code, LimitError.code})
"""Codes of what is refused by rules of rostra.toml, and may be done under others."""
TIMEOUT = "timeout"
"""The code of what hung, and was stopped."""


class EngineError(ItemError):
    """The engine or ffmpeg, which were both found in order before, gave up on this recording."""

    code = "engine"


class SpeakersError(ItemError):
    """Who speaks in this recording cannot be told: weights are missing, or what tells voices apart gave up."""

    code = "speakers"


class MeaningError(ItemError):
    """What is said cannot be made into vectors: the extra is not installed, or the encoder gave up."""

    code = "meaning"
    verdict = "refused"


class SeamError(ItemError):
    """Two parts of a long recording, heard by themselves, do not meet."""

    code = "seam"


class ItemCrashError(ItemError):
    """The worker that did this item died, hung or ran out of memory."""

    code = "worker-died"


_NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT})
NO_ROOM_TEXTS = tuple(os.strerror(number) for number in sorted(_NO_ROOM))
"""What other programs say of a disk without room."""


def disk_full(error: BaseException) -> DiskFullError | None:
    """Return the error for a disk that takes nothing where that is what led to another: no item is to blame for it.

    A disk takes nothing where it has no room left, or where it is there for reading alone.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.errno in _NO_ROOM:
            return DiskFullError("no room is left on the disk: make some, and run it again")
        if isinstance(cause, OSError) and cause.errno == errno.EROFS:
            return DiskFullError("the disk is there for reading alone: mount it for writing, and run it again")
        cause = cause.__cause__ or cause.__context__
    return None
