"""What files of captions are of, by their names: for captions of recordings that are here, and of those that are not.

A file belongs to the recording that its name says, else to the session: by its slug, its title, or its id on another
site, as yt-dlp puts it into names (``Opening [dQw4w9WgXcQ].en.vtt``). A session without a recording gets one that is
*elsewhere* (see `archive.catalogue.recordings`), which plays where the session's links lead.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from slugify import slugify

from archive.catalogue.addresses import event_at
from archive.catalogue.recordings import add_elsewhere, elsewhere_of, move_elsewhere, named_recordings, recordings_of
from archive.catalogue.sessions import find_session, named_sessions, session_links
from archive.connection import transaction
from archive.errors import ArchiveError
from metadata.captions import SUFFIXES, Source
from metadata.captions.names import parse_name
from metadata.errors import MetadataError, UnknownFormatError
from metadata.model import TranscriptKind
from metadata.moments import at_moment, site_name
from metadata.names import name_key
from metadata.timetables.slugs import make_slug
from pipelines.errors import CaptionsError, ConfigError, ItemError, PipelineError
from pipelines.exchange.captions import Added, add_captions, language_in, only_recording
from pipelines.exchange.reading_ahead import reading_ahead
from pipelines.matching.proposals import new_session, talks
from pipelines.media.files import SUFFIXES as MEDIA_SUFFIXES
from pipelines.sources.files import leads_out, shown
from pipelines.storage.archive_folder import Context, timestamp
from pipelines.storage.own import keeper, kept_in

_ID = re.compile(r" ?\[([\w-]{4,64})\]$")
"""An id in the name of a file, as yt-dlp's default template has it."""
_ANY_TEXT = ".txt"
"""How files end that may hold anything; of such, none makes a session."""


@dataclass(frozen=True, slots=True)
class Told:
    """What became of one file: what was added of it, or why nothing was, and whether that is a fault."""

    path: Path
    added: Added | None = None
    reason: str = ""
    fault: bool = False


@dataclass(slots=True)
class Names:
    """What the recordings and the sessions of an archive are called, read once for many files."""

    context: Context
    event: str | None = None
    recordings: defaultdict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    sessions: defaultdict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    ids: defaultdict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    timetable: bool = False

    def __post_init__(self) -> None:
        db = self.context.db
        self.event = event_at(db, self.event) if self.event else None
        here = named_sessions(db, self.event)
        for each in here:
            for name in {each.slug, make_slug(each.title), slugify(each.title)}:
                self.sessions[name].add(each.id)
            for value in each.ids:
                self.ids[value].add(each.id)
        wanted = {each.id for each in here}
        for recording in named_recordings(db):
            if self.event is None or recording.session in wanted:
                self.recordings[name_key(Path(recording.name).stem)].add(recording.id)
        self.timetable = bool(talks(self.context, self.event))

    def recording_in(self, session: str, address: str | None = None) -> int:
        """Return the id of the recording of a session, by its slug or EVENT/SLUG. The caller owns the transaction.

        Raises:
            UnknownSubjectError: there is no such session.
            ConfigError: it has several recordings.
        """
        event, slash, slug = session.rpartition("/")
        found = find_session(self.context.db, event if slash else self.event, slug)
        return recording_for(self.context, found.id, name=session, address=address)

    def recording_of(self, path: Path, *, address: str | None = None) -> int:
        """Return the id of the recording that a file's captions belong to. The caller owns the transaction.

        Args:
            path: the file, by whose name it is found.
            address: that plays the recording, where no file of it is here.

        Raises:
            CaptionsError: it could be several, or none is called so and a timetable says what there is.
        """
        stem = parse_name(path.name, MEDIA_SUFFIXES).stem
        if found := _one(self.recordings.get(name_key(stem), set()), f"recordings are called {stem!r}"):
            return found
        identified = _ID.search(stem)
        title = stem[: identified.start()] if identified else stem
        session = (
            identified and _one(self.ids.get(identified[1], set()), f"sessions have the id {identified[1]!r}")
        ) or (
            _one(
                self.sessions.get(make_slug(title), set()) | self.sessions.get(slugify(title), set()),
                f"sessions are called {title!r}",
            )
        )
        return (
            recording_for(self.context, session, name=stem, address=address)
            if session
            else self._new(path, title, address)
        )

    def _new(self, path: Path, title: str, address: str | None) -> int:
        if self.timetable:
            raise CaptionsError(
                "no session is called so; if it is one of the timetable: rostra caption FILE --session SESSION"
            )
        if path.suffix.lower() == _ANY_TEXT:
            raise CaptionsError("no recording or session is called so, and any text may be in it: name its --session")
        session = new_session(self.context.db, self.event or self.context.config.pull.event, title)
        self.sessions[make_slug(title)].add(session)
        return recording_for(self.context, session, name=title, address=address)


def _one(found: set[int], what: str) -> int | None:
    if len(found) > 1:
        raise CaptionsError(f"{len(found)} {what}: say which with --recording or --session")
    return next(iter(found), None)


def recording_for(context: Context, session: int, *, name: str = "", address: str | None = None) -> int:
    """Return the recording that captions of a session belong to: its own, or one elsewhere where it has none.

    The caller owns the transaction.

    Args:
        context: the archive.
        session: the session's id.
        name: what people call the session, for errors.
        address: where it is played, also in place of what was said before; by default as the session's links say.

    Raises:
        ConfigError: it has several recordings, its recording is here, or the address is none of the web.
    """
    if address is not None and site_name(address) is None:
        raise ConfigError(f"{address!r} is no address of the web: --at takes one that begins with https://")
    if recordings_of(context.db, session):
        recording = only_recording(context.db, session, name)
        if address is not None:
            if elsewhere_of(context.db, session) != recording:
                raise ConfigError(f"the recording of session {name} is here, and plays here: leave --at out")
            move_elsewhere(context.db, recording, address.strip())
        return recording
    if address is None:
        links = session_links(context.db, session)
        address = next((each for each in links if at_moment(each, 0)), "")
    return add_elsewhere(context.db, session, address=address, name=name, pulled_at=timestamp())


def caption_files(paths: Sequence[Path]) -> Iterator[Path]:
    """Yield files of captions: those that are named, and those in folders, in order of name, as `pull` walks them."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        for here in (path, *sorted(each for each in path.rglob("*") if each.is_dir())):
            inside = here.relative_to(path).parts
            if keeper(here) is None and not leads_out(here, path) and not any(part.startswith(".") for part in inside):
                own = kept_in(here)
                found = (each for each in here.iterdir() if each.name not in own and _may_be_captions(each))
                yield from sorted(each for each in found if not leads_out(each, path))


def _may_be_captions(path: Path) -> bool:
    known = path.suffix.lower() in SUFFIXES and not path.name.startswith(".") and path.is_file()
    return known and not path.name.endswith(".info.json")  # what yt-dlp knows of a recording


def add_files(
    context: Context,
    paths: Sequence[Path],
    subject_of: Callable[[Path], int],
    *,
    kind: TranscriptKind,
    language: str | None = None,
) -> Iterator[Told]:
    """Add files of captions, each in a transaction of its own, and yield what became of each.

    Args:
        context: the archive.
        paths: the files.
        subject_of: returns the recording that a file belongs to, inside that transaction.
        kind: ``human`` if people made or checked them, else ``imported``.
        language: BCP-47, where somebody says so.
    """

    def source_of(path: Path) -> Source:
        return Source(name=shown(path.name), language=language or language_in(path.name))

    for path, read in reading_ahead(paths, source_of):
        try:
            data, name = path.read_bytes(), shown(path.name)
            with transaction(context.db):
                added = add_captions(context, data, name, subject_of(path), kind=kind, language=language, read=read)
        except UnknownFormatError as error:
            named = path.suffix.lower() not in {".json", ".html", ".tsv", ".txt"}
            yield Told(path, reason=str(error) if named else "holds no captions, and is passed over", fault=named)
        except OSError as error:
            yield Told(path, reason=f"cannot be read: {error.strerror or error}", fault=True)
        except (ItemError, MetadataError, PipelineError, ArchiveError) as error:
            yield Told(path, reason=str(error).removeprefix(f"{shown(path.name)}: "), fault=True)
        else:
            yield Told(path, added)
