"""Names of the files of a corpus that hold one transcript each: such that people know them and no two are alike."""

from __future__ import annotations

from archive.research.corpus.base import Document, Folder
from metadata.names import readable_name


def file_of(document: Document, folder: Folder, base: str, suffix: str) -> str:
    """Return where a document goes: ``text/winter-school-12/2022-07-23 Winter School – Title.en.txt``."""
    role = None if document.recording == "floor" else document.recording
    told = None if document.kind != "translation" else "translation"
    name = readable_name(document.date, document.event_title, document.title, role, told, document.language)
    path = f"{base}/{document.event}/{name}{suffix}"
    return f"{base}/{document.event}/{name}.{document.document}{suffix}" if folder.has(path) else path
