"""How the site is written to files.

What is released is published into a folder of this run's own first, as `pipelines.stages.publish` does it, and the site
over that folder is asked for its pages: what the site would not answer is in no file. Files are made beside the old
ones, and moved to their places when all of them are there; those that have not changed are left alone.

A run may be killed at any moment, and what is in the folder then is a site all the same. Every file is moved whole.
New files, to which nothing leads yet, come first, then those that take the place of others, and last the first page,
from which people begin. What nothing leads to any longer goes when all others are in their places.

In a first site everything is new, and pages may lead to what is not there yet. So where the folder is not there, the
site is made in one beside it, which becomes it when the site is whole. A folder that is there is never exchanged for
another: a server may hold on to it, such as a container's.

The folder is found again by a file of its own, which says whose site it is, how it was made, and which files are
Rostra's; before anything is moved or removed, it names all that may be there until the end. So the next run, of
whatever state of the archive, knows what to take back. Whatever else lies in the folder is left alone.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from archive.catalogue.recordings import StoredFile, published_files
from archive.connection import open_readonly
from archive.errors import ArchiveError
from archive.site import queries
from archive.site.frozen import hosting, search
from archive.site.frozen.places import Places, logo_file
from archive.site.frozen.walk import Walk, address_of
from archive.sqlite import Database, sqlite3
from pipelines.stages.base import Report
from pipelines.stages.publish import NotPublishedError, alone, build, link_media, point_to, remove_other_media
from pipelines.stages.static import Task
from pipelines.storage.archive_folder import timestamp
from pipelines.storage.atomic import remove_scratch, sync_folder, write_atomic
from pipelines.storage.copies import Site, beside, read_site
from pipelines.storage.own import MEDIA, SITE, kept_in
from pipelines.text import counted

PART = ".rostra-part"
"""The folder within the site's, in which files lie until all of them are there."""
HOME = "index.html"
IN_DOUBT = ""
"""Stands for the digest of a file of which nobody knows whether it was moved to its place."""


def write_site(task: Task, report: Report) -> str:
    """Write the site into its folder; return what changed, in words.

    Raises:
        ArchiveError: a page could not be made; the site that was there stands.
        MissingExtraError: what makes the index for search is not installed.
        NotPublishedError: the folder is another's.
    """
    _refuse(task)
    search.find_program()  # which is better missed now than when all pages are made
    if task.target.exists() or os.name == "nt":  # Windows renames no folder in which a file is open, such as the lock
        task.target.mkdir(parents=True, exist_ok=True)
        with alone(task.target):
            return _write(task, report)
    made = beside(task.target)
    made.mkdir(parents=True, exist_ok=True)
    with alone(made):
        if task.target.exists():  # another process has made it meanwhile, and this is still its lock
            return _write(task, report)
        try:
            done = _write(replace(task, target=made), report)
            made.rename(task.target)
        except BaseException:
            shutil.rmtree(made, ignore_errors=True)
            raise
        sync_folder(task.target.parent)
        return done


def _write(task: Task, report: Report) -> str:
    shutil.rmtree(task.target / PART, ignore_errors=True)
    remove_scratch(task.target)
    work = task.publication.target
    work.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=work.parent, prefix=work.name) as own:
        snapshot = Path(own) / "public"
        snapshot.mkdir()
        built = build(task.publication, snapshot)
        point_to(snapshot, built.path.name, task.publication.origin)
        writing = _Writing(task, read_site(task.target) or Site())
        try:
            return writing.write(built.path, Path(own), report)
        finally:
            shutil.rmtree(task.target / PART, ignore_errors=True)
            if (said := read_site(task.target)) and not said.whole and not said.files:
                (task.target / SITE).unlink()  # nothing came of it


def _refuse(task: Task) -> None:
    """Raise NotPublishedError where the folder is not for this site."""
    target, site = task.target, read_site(task.target)
    if site is not None and site.origin != task.publication.origin:
        raise NotPublishedError(f"{target} holds another archive's site: choose another folder, or remove it")
    if site is None and kept_in(target):
        raise NotPublishedError(f"{target} is an archive, or what 'rostra publish --to' wrote: choose another folder")


@dataclass
class _Writing:
    """One writing of a site.

    Attributes:
        task: what is to be written.
        before: what was written before.
        files: the SHA-256 of every file by its name, as they will be.
        changed: the names of those that wait to be moved to their places.
    """

    task: Task
    before: Site
    files: dict[str, str] = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)
    index: str = ""

    def write(self, database: Path, work: Path, report: Report) -> str:
        """Write everything, from a database that is published in a folder of its own."""
        target = self.task.target
        if not self.before.files:  # so that a withdrawal finds what a run that is killed leaves
            self._say(self._site({}))
        db = open_readonly(database, immutable=True)
        db.conn.row_factory = sqlite3.Row
        try:
            media = published_files(db)
            held = _held(db)
            self._take_back(held, media)
            played = queries.played_files(db.conn) if self.task.media else set()
            places = Places(self.task.media, played, logo_file(self.task.names.logo))
            gone = [address_of(*each) for each in queries.tombstones(db.conn)]
            asyncio.run(self._walk(database.parent, places, gone, report))
            self._index(list(search.documents(db.conn, places, self.task.language)), work)
        finally:
            db.close()
        kept = link_media(
            [each for each in media if _name(each) not in played], self.task.publication.blobs, target / MEDIA,
            again=self.task.again,
        )  # fmt: skip
        return self._settle(held, kept)

    async def _walk(self, snapshot: Path, places: Places, gone: list[str], report: Report) -> None:
        walk, done = Walk(snapshot, self.task.names, places, self.task.language), 0
        async for file in walk.files(gone):
            self.keep(file.name, file.data)
            if file.session and "~" not in file.name:
                done += 1
                report(done)
        for name, data in hosting.files(walk.gone, places, urlsplit(self.task.names.url).path.rstrip("/")).items():
            self.keep(name, data)

    def _index(self, documents: list[search.Document], work: Path) -> None:
        """Write the index, unless it would be what is there: Pagefind writes the same in other bytes."""
        self.index = search.digest(documents)
        old = {name: sha256 for name, sha256 in self.before.files.items() if name.startswith(f"{search.FOLDER}/")}
        there = all((self.task.target / name).is_file() for name in old)
        if self.index == self.before.index and there and not self.task.again:
            self.files |= old
            return
        for name, data in search.write_index(documents, work / "index"):
            self.keep(name, data)

    def keep(self, name: str, data: bytes) -> None:
        """Note a file, and lay it by if it is not there as it should be."""
        sha256 = hashlib.sha256(data).hexdigest()
        path = self.task.target / name
        if name in self.files:
            raise ArchiveError(f"two pages would lie in the file {name}")
        self.files[name] = sha256
        known = self.before.files.get(name)
        if path.exists() and known is None and path.read_bytes() != data:
            raise NotPublishedError(f"{path} was not written by Rostra: choose an empty folder, or remove that file")
        if path.is_file() and known in {sha256, IN_DOUBT} and not self._is_damaged(path, known, sha256):
            return
        part = self.task.target / PART / name
        part.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(data)
        self.changed.append(name)

    def _is_damaged(self, path: Path, known: str | None, sha256: str) -> bool:
        doubted = self.task.again or known == IN_DOUBT
        return doubted and hashlib.sha256(path.read_bytes()).hexdigest() != sha256

    def _take_back(self, held: Mapping[str, tuple[list[str], list[str]]], media: Iterable[StoredFile]) -> None:
        """Remove at once what the public may have no longer: all else takes as long as there are pages.

        A session is removed whole where it is gone, where a recording of it is, or where words were taken out of one.
        Its page comes back with the rest, and so does the index, in which words of several sessions lie together.
        """
        lost = {
            session for session, (recordings, redactions) in self.before.sessions.items()
            if session not in held or not set(recordings) <= set(held[session][0])
            or not set(held[session][1]) <= set(redactions)
        }  # fmt: skip
        folders = [f"{each}/" for session in lost for each in (f"events/{session}", f"embed/{session}")]
        if lost:
            folders.append(f"{search.FOLDER}/")
        back = [name for name in self.before.files if name.startswith(tuple(folders))]
        if back:
            self._say(msgspec.structs.replace(self.before, whole=False))
        for name in back:
            (self.task.target / name).unlink(missing_ok=True)
        remove_other_media(self.task.target / MEDIA, {_name(each) for each in media})

    def _settle(self, held: Mapping[str, tuple[list[str], list[str]]], media: set[str]) -> str:
        """Move what has changed to its place, remove what is no longer a part of the site, and say what was done."""
        target = self.task.target
        site = msgspec.structs.replace(self._site(held), played=sorted(media), whole=True)
        stale = [name for name in self.before.files if name not in self.files]
        if hasattr(os, "sync"):
            os.sync()  # what is moved is whole, whatever happens to the machine
        self._say(_either(self.before, site, self.changed))
        for name in sorted(self.changed, key=self._turn):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / PART / name).replace(target / name)
        for name in sorted(stale, key=lambda name: not name.endswith(".html")):
            (target / name).unlink(missing_ok=True)
        remove_other_media(target / MEDIA, media)
        _remove_empty(target, stale)
        self._say(site)
        parts = (counted(len(self.files), "file"), f"{len(self.changed)} new or changed", f"{len(stale)} removed")
        return ", ".join(parts)

    def _turn(self, name: str) -> tuple[object, ...]:
        """Return when a file is moved, so that nothing leads to what is not there yet."""
        return (
            name == HOME,
            (self.task.target / name).exists(),
            name.endswith(".html"),
            name.endswith((search.LANGUAGES, search.ENTRY)),
            name,
        )

    def _site(self, held: Mapping[str, tuple[list[str], list[str]]]) -> Site:
        task = self.task
        return Site(
            origin=task.publication.origin, written_at=timestamp(), language=task.language, media=task.media,
            files=self.files, sessions=dict(held), index=self.index, whole=False,
        )  # fmt: skip

    def _say(self, site: Site) -> None:
        write_atomic(self.task.target / SITE, msgspec.json.encode(site))


def _either(before: Site, after: Site, changed: Iterable[str]) -> Site:
    """Return what is told of a folder while its files are moved: whatever may be there is named and can be taken back.

    Of a session, that is every recording that is in either site, and only what was taken out of both.
    """
    sessions = {
        name: (
            sorted({*before.sessions.get(name, new)[0], *new[0]}),
            sorted({*before.sessions.get(name, new)[1]} & {*new[1]}),
        )
        for name, new in after.sessions.items()
    }
    files = before.files | dict.fromkeys(changed, IN_DOUBT)
    return msgspec.structs.replace(after, files=files, sessions=before.sessions | sessions, index="", whole=False)


def _held(db: Database) -> dict[str, tuple[list[str], list[str]]]:
    return {f"{event}/{session}": each for (event, session), each in queries.holdings(db.conn).items()}


def _name(file: StoredFile) -> str:
    return f"{file.sha256}{file.suffix}"


def _remove_empty(target: Path, names: Iterable[str]) -> None:
    """Remove the folders that files were removed from, where nothing is left in them."""
    for folder in sorted(
        {parent for name in names for parent in Path(name).parents}, key=lambda each: -len(each.parts)
    ):
        if folder != Path() and (target / folder).is_dir() and not any((target / folder).iterdir()):
            (target / folder).rmdir()
