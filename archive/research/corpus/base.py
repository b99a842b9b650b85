"""A corpus: what is taken away of an archive, as every form of it is written from.

A corpus is read transcript by transcript, so that an archive of any size needs the memory of its longest transcript.
To add a form, write a module with a class that has the attributes of `Form`, and a line in the registry,
`archive.research.corpus.FORMS`. `Form.write` is given all documents, once, in order.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, ClassVar, Literal, Protocol, TypeAlias

ColumnType: TypeAlias = Literal["string", "integer", "number", "boolean", "date", "list"]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Attributes:
        name: in every form.
        type: of its values; of a ``list``, strings; they have blanks between them where a cell has no lists.
        about: what it means, in a sentence.
        unit: of its values, "" where there is none.
    """

    name: str
    type: ColumnType
    about: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a corpus: its name, what a row is, its columns, and the names of those that tell rows apart."""

    name: str
    about: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class CorpusWord:
    """A word with its times in milliseconds, and how sure the machine was, from 0 to 1; None where nobody said."""

    start_ms: int
    end_ms: int
    text: str
    confidence: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Utterance:
    """A segment of a transcript: who said what, and when.

    Attributes:
        position: in the transcript.
        start_ms, end_ms: milliseconds into the recording.
        speaker: a name, or what the transcript calls the voice; None where nobody said.
        person: the slug of the person who it is, if that is known.
        language: BCP-47.
        text: what was said.
        confidence: from 0 to 1, where the machine said it.
        flags: why it was heard with doubt; none where it was not.
        overlapped: whether others speak at the same time.
        words: with times of their own, where they are known.
    """

    position: int
    start_ms: int
    end_ms: int
    speaker: str | None
    person: str | None
    language: str
    text: str
    confidence: float | None
    flags: tuple[str, ...] = ()
    overlapped: bool = False
    words: tuple[CorpusWord, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A person's part in a session: slug, name, role, and affiliation at the time."""

    person: str
    name: str
    role: str
    affiliation: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A transcript, with what is known of its session.

    Attributes:
        document: the version of the transcript, which names it for good.
        event, session: slugs; ``event_title`` and ``title`` are their titles.
        date: of the session, or else the first day of its event, ISO 8601; ``start_at`` with the hour and offset.
        track, room, session_kind: of the session.
        language: BCP-47.
        recording: its role: floor, interpretation or screen.
        kind: asr, human, imported or translation.
        generator: what made it, with its version.
        duration_ms: of the recording.
        licence, credit: of the recording, as the archive has them.
        url: the address of the session's page.
        people: who took part.
        utterances: what was said, in order.
    """

    document: str
    event: str
    event_title: str
    session: str
    title: str
    date: str | None
    start_at: str | None
    track: str | None
    room: str | None
    session_kind: str
    language: str
    recording: str
    kind: str
    generator: str
    duration_ms: int
    licence: str | None
    credit: str | None
    url: str
    people: tuple[Part, ...]
    utterances: tuple[Utterance, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What is said of a corpus as a whole.

    Attributes:
        title: what it is called.
        home: the address of the archive's site.
        built_at: when what it was taken from was published, ISO 8601 in UTC.
        selection: what of the archive it is, in words; "" for all.
        permanent: the address of the same part of the archive on its site.
    """

    title: str
    home: str
    built_at: str
    selection: str = ""
    permanent: str = ""


@dataclass(slots=True)
class Folder:
    """Where the files of a corpus are written, and what is noted of each."""

    root: Path
    resources: dict[str, dict[str, Any]] = field(default_factory=dict)

    @contextmanager
    def writing(self, path: str, media_type: str, *, sized: bool = True, **about: Any) -> Iterator[IO[bytes]]:
        """Open a file to be written, and note it: its size, its SHA-256, and what else is said of it.

        A table without any byte is noted as a file, since whoever reads tables finds no columns in it.
        """
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("xb") as file:
            yield file
        with target.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        size = target.stat().st_size
        self.resources[path] = {
            "path": path,
            "mediatype": media_type,
            **({"bytes": size} if sized else {}),
            "hash": f"sha256:{digest}",
            **about,
            **({} if size else {"type": "file"}),
        }

    def has(self, path: str) -> bool:
        """Whether a file is there, in any capitals: some disks know no difference."""
        return path.casefold() in {each.casefold() for each in self.resources}


class Form(Protocol):
    """A form of a corpus.

    Attributes:
        name: by which it is asked for.
        title: what it is, for people.
        about: what it is good for, in a sentence.
        extra: the extra of Rostra that it needs, or None.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    about: ClassVar[str]
    extra: ClassVar[str | None]

    def write(self, documents: Iterable[Document], folder: Folder, about: About) -> None:
        """Write all documents into a folder.

        Raises:
            MissingExtraError: it needs an extra that is not installed.
        """


def joined(values: Sequence[str]) -> str:
    """Return a list as one cell."""
    return " ".join(values)
