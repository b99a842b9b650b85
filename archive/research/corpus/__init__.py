"""Corpora: what was said, as files for other tools, in forms that stand in one registry.

The bytes of a corpus are the same each time that it is written from the same publication.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from archive.research.corpus.base import About, Document, Folder, Form
from archive.research.corpus.package import DESCRIPTOR, write_descriptor
from archive.research.corpus.reading import Chosen, Selection, choose, documents
from archive.research.corpus.tables import Csv, JsonLines, Parquet
from archive.research.corpus.tei import Tei
from archive.research.corpus.text import PlainText
from archive.research.corpus.vertical import Vertical
from archive.sqlite import sqlite3

__all__ = ["DESCRIPTOR", "FORMS", "About", "Chosen", "Document", "Selection", "choose", "to_zip", "write_corpus"]

FORMS: dict[str, Form] = {form.name: form for form in (Csv(), JsonLines(), Parquet(), PlainText(), Tei(), Vertical())}
"""All forms by name. CSV comes first: others leave to it what it writes as well."""


def write_corpus(
    conn: sqlite3.Connection,
    chosen: Chosen,
    forms: Iterable[str],
    folder: Path,
    about: About,
    seen: Callable[[str, Document], None] = lambda _form, _document: None,
) -> Sequence[str]:
    """Write a corpus into an empty folder; return the paths of its files, the descriptor's last.

    Args:
        conn: the database that it is read from.
        chosen: what of it (`choose`).
        forms: names of `FORMS`.
        folder: where to.
        about: what is said of the whole.
        seen: is told of each transcript when it was written in a form.

    Raises:
        MissingExtraError: a form needs an extra that is not installed.
        ArchiveError: the database is damaged or cannot be read.
    """
    wanted = set(forms)
    target = Folder(folder)
    licences: set[str] = set()

    def note(name: str, document: Document) -> None:
        licences.update(filter(None, [document.licence]))
        seen(name, document)

    for name, form in FORMS.items():
        if name in wanted:
            read = documents(conn, chosen, about.home, partial(note, name))
            form.write(read, target, about)
    write_descriptor(target, about, licences)
    return (*sorted(target.resources), DESCRIPTOR)


FIRST_DAY = (1980, 1, 1, 0, 0, 0)
"""The date of files in an archive, which can say none before it: it would be another one each time."""


def to_zip(folder: Path, paths: Iterable[str], target: Path) -> None:
    """Pack files of a folder into an archive whose bytes depend on nothing else."""
    with ZipFile(target, "w") as packed:
        for path in paths:
            about = ZipInfo(path, FIRST_DAY)
            about.compress_type = ZIP_DEFLATED
            about.external_attr = 0o644 << 16
            with (folder / path).open("rb") as source, packed.open(about, "w", force_zip64=True) as into:
                while data := source.read(1 << 20):
                    into.write(data)
