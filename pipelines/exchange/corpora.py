"""Corpora out of an archive: of what is published, unless somebody asks for all of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from archive.connection import open_readonly, reading
from archive.errors import ArchiveError, UnpublishedError
from archive.publication.folder import CORPORA, corpus_file, read_names
from archive.research.corpus import DESCRIPTOR, About, Chosen, Document, choose, to_zip, write_corpus
from archive.research.corpus.reading import Selection
from archive.research.subcorpus import Subcorpus
from archive.sqlite import Database
from archive.urls import absolute
from pipelines.config import Config
from pipelines.errors import PipelineError
from pipelines.storage.archive_folder import Layout, open_archive_readonly
from pipelines.storage.atomic import sync_folder
from pipelines.storage.own import CURRENT

LOCAL_URL = "http://127.0.0.1:8001"
"""Where a site is that has no address of its own."""
PACKED = "packed.zip"
"""What a corpus is packed into beside its files, none of which is called so, before it gets its name."""


class CorpusError(PipelineError):
    """A corpus cannot be written there, or there is nothing to write."""


@dataclass(frozen=True, slots=True)
class Source:
    """A database to read from, and what is said of it: its title, its site's address, and when it was published."""

    path: Path
    db: Database
    title: str
    home: str
    built_at: str


@contextmanager
def source(root: Path, *, private: bool = False) -> Iterator[Source]:
    """Open what an archive has published, a published folder, or the catalogue of an archive with all it holds.

    Args:
        root: the archive, or a folder that ``rostra publish --to`` made.
        private: whether to read the catalogue, with what nobody but the organisers may see.

    Raises:
        UnpublishedError: nothing is published there.
    """
    if private:
        with open_archive_readonly(root) as context, reading(context.db.conn):
            names = context.config.site.names()
            now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            yield Source(context.layout.catalogue, context.db, names.title or "Rostra", names.url or LOCAL_URL, now)
        return
    folder = root if (root / CURRENT).is_file() else Layout(root).public
    try:
        current = json.loads((folder / CURRENT).read_bytes())
        path, built_at = folder / str(current["database"]), str(current["built_at"])
    except (OSError, ValueError, KeyError, TypeError):
        raise UnpublishedError(folder) from None
    db = open_readonly(path, immutable=True)
    try:
        names = read_names(folder)
        yield Source(path, db, names.title or "Rostra", names.url or LOCAL_URL, built_at)
    finally:
        db.close()


@dataclass(frozen=True, slots=True)
class Written:
    """A corpus that was written: where, its files, and how many transcripts and segments are in it."""

    target: Path
    files: Sequence[str]
    documents: int
    segments: int


def export_corpus(
    of: Source,
    part: Subcorpus,
    forms: Sequence[str],
    target: Path,
    *,
    seen: Callable[[Document], None] = lambda _document: None,
    began: Callable[[Chosen], None] = lambda _chosen: None,
) -> Written:
    """Write a corpus into a new folder, or a ``.zip``, which is there when it is whole and not before.

    A corpus that was written there before is replaced; anything else is left alone.

    Raises:
        CorpusError: something else is there, or nothing was chosen.
        MissingExtraError: a form needs an extra that is not installed.
    """
    _may_write(target)
    chosen = choose(of.db.conn, part.selection)
    if not chosen.transcripts:
        raise CorpusError(
            "no transcript is in what was chosen, so nothing is exported ('rostra status --all' lists all)"
        )
    began(chosen)
    about = About(
        title=part.name or of.title,
        home=of.home,
        built_at=of.built_at,
        selection=f"Of {of.title}: {told}." if (told := in_words(part)) else "",
        permanent=absolute(of.home, part.url) if any(part.named().values()) else "",
    )
    target = target.resolve()
    target.parent.mkdir(parents=True, exist_ok=True)
    draft, old = (target.with_name(f".{target.name}.{kind}") for kind in ("part", "old"))
    _remove(draft)  # of one that was killed
    if old.exists() and not target.exists():
        old.rename(target)
    draft.mkdir()
    try:
        files = write_corpus(of.db.conn, chosen, forms, draft, about, lambda _form, document: seen(document))
        _put(draft, files, target, old)
    finally:
        _remove(draft)
    return Written(target, files, len(chosen.transcripts), chosen.segments)


def in_words(part: Subcorpus) -> str:
    """Return what a part of an archive is, in words: ``event winter-school-12, "tide"``."""
    chosen = [f"{name} {value}" for name, value in part.selection.filters.chosen().items()]
    return ", ".join([*chosen, *([f"“{part.selection.query}”"] if part.selection.query else [])])


def write_corpora(public: Path, config: Config) -> None:
    """Pack all that is published in the forms that the archive's settings name; take others away, and older ones.

    This comes after the publication, so that a withdrawal waits for none of it; the site offers no corpus of another
    publication. What was packed for this one stays as it is.

    Raises:
        MissingExtraError: a form needs an extra that is not installed.
    """
    folder = public / CORPORA
    with source(public) as of:
        names = {corpus_file(of.path.name, form): form for form in config.publish.corpora}
        for path in folder.glob("*"):
            if path.name not in names:
                _remove(path)
        for name, form in names.items():
            if not (folder / name).exists() and choose(of.db.conn, Selection()).transcripts:
                export_corpus(of, Subcorpus(Selection()), [form], folder / name)
    if folder.is_dir() and not names:
        folder.rmdir()


def is_as_told(public: Path, config: Config) -> bool:
    """Return whether a publication has the corpora and the names that an archive's settings say now.

    It has not after one that was killed before it was done, and after settings that were changed and changed back.
    """
    try:
        with source(public) as of:
            speaks = bool(choose(of.db.conn, Selection()).transcripts) if config.publish.corpora else False
            wanted = {corpus_file(of.path.name, form) for form in config.publish.corpora if speaks}
    except ArchiveError:
        return False
    found = {path.name for path in (public / CORPORA).glob("*")}
    return found == wanted and read_names(public) == config.site.names()


def _may_write(target: Path) -> None:
    if target.is_dir() and any(target.iterdir()) and not (target / DESCRIPTOR).is_file():
        raise CorpusError(f"{target} holds other files: name a folder that is not there yet, or a .zip")
    if target.is_file() and target.suffix != ".zip":
        raise CorpusError(f"{target} is a file: name a folder, or a .zip")


def _put(draft: Path, files: Sequence[str], target: Path, old: Path) -> None:
    """Put what was written where it is wanted, in one step, and take away what was there."""
    if target.suffix == ".zip":
        to_zip(draft, files, draft / PACKED)
        (draft / PACKED).replace(target)
    else:
        _remove(old)
        if target.exists():
            target.rename(old)
        draft.rename(target)
        _remove(old)
    sync_folder(target.parent)


def _remove(path: Path) -> None:
    """Remove a file, or a folder with all that it holds, if it is there."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
