"""Plain text, a file a transcript: what AntConc, Voyant and topic models read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import ClassVar

from archive.research.corpus.base import About, Document, Folder
from archive.research.corpus.naming import file_of
from archive.research.corpus.tables import with_index

DOUBTFUL = "[? {} ?]"
"""How a passage that was heard with doubt is written."""


class PlainText:
    """Plain text: a paragraph each time that somebody else speaks."""

    name: ClassVar[str] = "text"
    title: ClassVar[str] = "Plain text"
    about: ClassVar[str] = "A file a transcript, for AntConc, Voyant and readers."
    extra: ClassVar[str | None] = None

    def write(self, documents: Iterable[Document], folder: Folder, about: About) -> None:  # noqa: ARG002 one signature
        """Write the texts, and the tables that say what they are of."""
        for document in with_index(documents, folder):
            path = file_of(document, folder, "text", ".txt")
            with folder.writing(path, "text/plain", format="txt", encoding="utf-8", document=document.document) as file:
                for paragraph in paragraphs(document):
                    file.write(f"{paragraph}\n\n".encode())


def paragraphs(document: Document) -> Iterator[str]:
    """Yield what was said, each time that somebody else speaks, or in one piece where nobody knows who does."""
    for _, turn in groupby(document.utterances, key=lambda said: said.speaker):
        yield "\n".join(DOUBTFUL.format(line) if said.flags else line for said in turn for line in [_line(said.text)])


def _line(text: str) -> str:
    return " ".join(text.split())
