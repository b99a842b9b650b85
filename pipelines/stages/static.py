"""Publish as files: the whole site, for hosts that run no program.

`pipelines.stages.static_files` says how they are written.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from archive.catalogue.holdings import holdings
from archive.catalogue.runs import subjects_done
from archive.catalogue.snapshot import origin
from archive.publication.folder import SiteNames
from pipelines.stages.base import Item, Report
from pipelines.stages.publish import Clock, Publication, failing
from pipelines.storage.archive_folder import Context, now
from pipelines.storage.copies import STATIC, Site, read_site, static_state


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be written, and where.

    Attributes:
        publication: what is released, to be published into a folder of this run's own.
        target: the folder of the site.
        names: what the site calls itself.
        language: of its pages.
        media: the address of the folder from which it plays, or "" for its own.
        again: whether files that are there are compared with what they should be.
    """

    publication: Publication
    target: Path
    names: SiteNames
    language: str
    media: str
    again: bool


@dataclass(frozen=True, slots=True)
class Static:
    """The stage. What is None is as it was when the folder was written last."""

    target: Path
    language: str | None = None
    media: str | None = None
    again: bool = False
    clock: Clock = now
    name: ClassVar[str] = STATIC
    unit: ClassVar[str] = ""

    def items(self, context: Context) -> Iterable[Item]:
        """Return one item; its fingerprint changes with the content, with what is released, and with how it is made."""
        site = read_site(self.target)
        before = site or Site()
        language = self.language or before.language
        media = before.media if self.media is None else self.media
        publication = Publication(
            context.layout.catalogue, context.config, context.blobs, context.layout.work / "static",
            context.layout.public, origin=origin(context.db), grace_seconds=0.0, again=self.again,
            clock=self.clock,
        )  # fmt: skip
        subject, fingerprint = str(self.target.resolve()), static_state(context, language, media, self.clock())
        yield Item(
            subject=subject,
            label=self.target.name,
            fingerprint=fingerprint,
            task=Task(publication, self.target, context.config.site.names(), language, media, self.again),
            size=holdings(context.db).sessions,
            # What failed is tried again by the next command: somebody may have made room for it.
            lost=self.again
            or site is None
            or not site.whole
            or subjects_done(context.db, STATIC).get(subject) != fingerprint,
        )

    def work(self, task: Task, report: Report) -> str:
        """Write the site, where the catalogue is."""
        # The site takes most of a second to import, which commands that only name this stage need not wait for.
        from pipelines.stages.static_files import write_site

        with failing():
            return write_site(task, report)

    def commit(self, context: Context, item: Item, result: str) -> str | None:  # noqa: ARG002 one signature
        """Say what was written."""
        return result
