"""Captions: from files that came with recordings to transcripts of kind ``imported``.

A file beside a recording, of the same name in its folder, belongs to it: ``talk.vtt`` or ``talk.de.vtt`` to
``talk.mp4``. So does what a site gave with a recording, and the subtitles in its own file, which `pull` has put into
the store and noted in ``provenance``. The stage runs after `pull`, which brings the recordings.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

import msgspec

from archive.catalogue.provenance import origins_with
from archive.catalogue.recordings import read_recording, recording_id
from metadata.captions import FORMATS, SUFFIXES
from metadata.errors import MetadataError, NotSaidError, UnknownFormatError
from metadata.model import TranscriptKind
from metadata.names import name_key
from pipelines.errors import BrokenMediaError, CaptionsError, FetchError
from pipelines.exchange.captions import add_captions, beside, passed_over
from pipelines.sources.files import expand, shown
from pipelines.stages import Setup
from pipelines.stages.base import Item, Report, fingerprint
from pipelines.stages.companions import Companion
from pipelines.storage.archive_folder import Context
from pipelines.storage.blobs import BlobStore


@dataclass(frozen=True, slots=True)
class Beside:
    """A file of captions, and the recording beside it; ``known`` is False where its name is not understood."""

    captions: Path
    media: Path
    known: bool = True
    kind: TranscriptKind = "imported"

    def read(self) -> tuple[bytes, str]:
        """Return the file's bytes, and the SHA-256 of the recording's."""
        try:
            with self.media.open("rb") as file:
                return self.captions.read_bytes(), hashlib.file_digest(file, "sha256").hexdigest()
        except OSError as error:
            raise BrokenMediaError(f"cannot be read: {error.strerror or error}") from error


@dataclass(frozen=True, slots=True)
class Given:
    """Captions in the store, and the SHA-256 of the recording that they came with.

    ``spoken`` is the recording's language, where its own file says it.
    """

    store: BlobStore
    captions: Companion
    sha256: str
    spoken: str | None = None
    kind: TranscriptKind = "imported"

    def read(self) -> tuple[bytes, str]:
        """Return the captions' bytes, and the recording's SHA-256."""
        try:
            return self.store.path(self.captions.sha256, self.captions.suffix).read_bytes(), self.sha256
        except FileNotFoundError as error:
            raise BrokenMediaError("its file is missing from the store: pull the recording again") from error
        except OSError as error:
            raise FetchError(str(error)) from error


Task: TypeAlias = Beside | Given


class _About(msgspec.Struct, frozen=True):
    """What `pull` notes of where a recording came from, as far as captions go."""

    companions: tuple[Companion, ...] = ()
    spoken: str | None = None
    kind: TranscriptKind = "imported"


@dataclass(frozen=True, slots=True)
class Captions:
    """The stage, over the same sources as `pull`, and over what came with any recording.

    ``kind`` is that of captions which lie beside recordings.
    """

    sources: Sequence[Path]
    kind: TranscriptKind = "imported"
    name: ClassVar[str] = "captions"
    unit: ClassVar[str] = ""

    def items(self, context: Context) -> Iterable[Item]:
        """Return an item for every file of captions; one that has not changed since keeps its fingerprint.

        Of several of one kind the last one stands: what lies beside a recording before what it came with.
        """
        yield from _given(context)
        yield from _lying_beside(self.sources, self.kind)

    def work(self, task: Task, report: Report) -> tuple[bytes, str]:  # noqa: ARG002 one signature for all stages
        """Return the captions' bytes, and the SHA-256 of the recording's."""
        return task.read()

    def commit(self, context: Context, item: Item, result: tuple[bytes, str]) -> str | None:
        """Add the captions to the recording, if it is in the archive."""
        data, sha256 = result
        if isinstance(item.task, Beside) and not item.task.known:
            stem, suffix = shown(item.task.media.stem), item.task.captions.suffix
            return f"is passed over: its name has no language that is known; {stem}.LANGUAGE{suffix} would be taken"
        recording = recording_id(context.db, sha256)
        if recording is None:
            raise CaptionsError(f"the recording beside it, {shown(item.task.media.name)}, is not in the archive")
        if isinstance(item.task, Beside) and (other := _of_another(context, recording, item.task.media)):
            return (
                f"is passed over: {shown(item.task.media.name)} holds the same bytes as {shown(other)}, whose captions"
                f" these may not be; if they are: rostra caption FILE --recording {sha256[:12]}"
            )
        try:
            added = add_captions(context, data, item.label, recording, kind=item.task.kind, **_said(item.task))
        except UnknownFormatError:
            return "holds no captions, and is passed over"
        except NotSaidError as error:
            return f"is passed over: {error.reason}"
        except MetadataError as error:
            raise CaptionsError(str(error).removeprefix(f"{item.label}: ")) from error
        whose = read_recording(context.db, recording).original_name
        named = ", ".join(f"{label} is {name}" for label, name in added.people.items())
        called = f"captions of {whose}{_titled(item.task)}"
        return "; ".join(filter(None, [called, named]))


def _said(task: Task) -> dict[str, Any]:
    """Return what a recording's file says of its own subtitles, as `add_captions` takes it."""
    if not isinstance(task, Given) or task.captions.codec is None:
        return {}
    said = {"embedded": task.captions.codec, "title": task.captions.title, "track": task.captions.track}
    return {"spoken": task.spoken, "parameters": {name: value for name, value in said.items() if value}}


def _titled(task: Task) -> str:
    if not isinstance(task, Given) or task.captions.codec is None:
        return ""
    facts = filter(None, [task.captions.title, task.captions.track])
    return f", from the file itself ({', '.join((task.captions.codec, *facts))})"


def _of_another(context: Context, recording: int, media: Path) -> str | None:
    """Return the name under which a recording came first, where a file of the same bytes has another one."""
    name = read_recording(context.db, recording).original_name
    return None if name_key(Path(name).stem) == name_key(media.stem) else name


_TEXTS = frozenset(form.suffix for form in FORMATS.values())
"""How files end that are no recordings, whatever lies beside them."""


def _lying_beside(sources: Sequence[Path], kind: TranscriptKind) -> Iterator[Item]:
    for media in dict.fromkeys(path for source in sources for path in expand(source)):
        if media.suffix.lower() in _TEXTS:
            continue
        for path, known in (*((path, True) for path in beside(media)), *((path, False) for path in passed_over(media))):
            with suppress(FileNotFoundError):  # one of them went meanwhile
                facts, whose = ((each.stat().st_size, each.stat().st_mtime_ns) for each in (path, media))
                yield Item(
                    subject=shown(path),
                    label=shown(path.name),
                    fingerprint=fingerprint(shown(path), *facts, shown(media), *whose, *_unless_imported(kind)),
                    task=Beside(path, media, known, kind),
                )


def _given(context: Context) -> Iterator[Item]:
    store = context.blobs
    for place, about, sha256 in origins_with(context.db, "companions"):
        known = msgspec.json.decode(about, type=_About)
        for companion in known.companions:
            # What a site knows of a recording is JSON too, and no captions.
            if Path(companion.name).suffix.lower() in SUFFIXES and not companion.name.endswith(".info.json"):
                yield Item(
                    subject=f"{place}#{companion.name}",
                    label=companion.name,
                    fingerprint=fingerprint(companion.sha256, sha256, *_unless_imported(known.kind)),
                    task=Given(store, companion, sha256, known.spoken, known.kind),
                )


def _unless_imported(kind: TranscriptKind) -> tuple[TranscriptKind, ...]:
    return () if kind == "imported" else (kind,)


def make(setup: Setup) -> Captions:
    """Return the stage for a command: beside addresses lies nothing."""
    return Captions([Path(source) for source in setup.sources if "://" not in str(source)], setup.kind)
