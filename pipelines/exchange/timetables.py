"""Timetables in and out: from files, folders and addresses into the catalogue, and back into files.

A command reads and applies everything that it names in one transaction. A mistake in any of it leaves the catalogue as
it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import msgspec

from archive.catalogue.importing import Applied, apply_people, apply_reading, read_event
from archive.connection import transaction
from archive.publication.deciding import undecided_public
from metadata.errors import FormatError
from metadata.model import Session
from metadata.timetables import (
    FORMATS,
    SUFFIX_OF_MEDIA_TYPE,
    WRITERS,
    detect_format,
    pyvideo_json,
    read_timetables,
)
from metadata.timetables.base import MAX_BYTES, Notice, Reading, Source, Written
from pipelines.config import PullSettings
from pipelines.errors import SourceError
from pipelines.exchange.places import read_address
from pipelines.sources.base import file_name
from pipelines.storage.archive_folder import Context, now, timestamp
from pipelines.storage.atomic import write_atomic


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of one file or folder.

    Attributes:
        source: its name or address.
        format: the format's identifier.
        applied: what was done, by event.
        notices: what was left out or is doubtful.
        described: people whose description changed.
        unknown: people whom the file describes, and who are in no session here.
        still_public: sessions that the file has no longer, and that nobody has decided to hide or to keep.
    """

    source: str
    format: str
    applied: tuple[Applied, ...]
    notices: tuple[Notice, ...]
    described: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    still_public: tuple[str, ...] = ()


class _RehearsalError(Exception):
    """Ends a transaction that was only to show what it would do."""


def import_timetables(
    context: Context,
    places: Sequence[str],
    *,
    event: str | None = None,
    time_zone: str | None = None,
    dry_run: bool = False,
) -> list[Imported]:
    """Merge files, folders and addresses into the catalogue, all in one transaction.

    Args:
        context: the archive.
        places: files, folders that hold pyvideo's categories, and addresses.
        event: the slug of the event that they describe, where they do not say.
        time_zone: of times for which they name none (IANA).
        dry_run: whether to do everything and keep nothing.

    Raises:
        SourceError: a file, folder or address cannot be had, or ``event`` is given for several events.
        MetadataError: a file is of no known format, or breaks its format's rules.
        ArchiveError: the catalogue refuses it.
    """
    fetched = {place: _fetch(place, context.config.pull) for place in places if "://" in place}
    done: list[Imported] = []
    # Whatever takes long comes first: others wait for their turn while the catalogue is written.
    readings = list(_readings(places, fetched, time_zone))
    try:
        with transaction(context.db):
            for name, format_name, reading in readings:
                done.append(_apply(context, name, format_name, _named(reading, event, name)))
            if dry_run:
                raise _RehearsalError  # noqa: TRY301 the transaction's own way to roll back
    except _RehearsalError:
        pass
    return done


def _apply(context: Context, name: str, format_name: str, reading: Reading) -> Imported:
    applied = apply_reading(context.db, reading, format_name=format_name, decided_at=timestamp())
    described, unknown = apply_people(context.db, reading.people)
    gone = [f"{event.slug}/{each.slug}" for event in applied for each in event.gone]
    still = undecided_public(context.db, gone, default=context.config.publish.default_release, now=now())
    return Imported(name, format_name, applied, reading.notices, described, unknown, still)


def _named(reading: Reading, event: str | None, name: str) -> Reading:
    if event is None or not reading.events:
        return reading
    if len(reading.events) > 1:
        raise SourceError(f"{name} holds {len(reading.events)} events: --event is for one")
    # Ids of the event would lead elsewhere; what the user says goes.
    return replace(reading, events=(replace(reading.events[0], slug=event, external_ids=()),))


def _readings(
    places: Iterable[str], fetched: dict[str, Source], zone: str | None
) -> Iterator[tuple[str, str, Reading]]:
    for place in places:
        if place not in fetched and Path(place).is_dir():
            yield from _read_folder(Path(place))
        else:
            source = fetched[place] if place in fetched else _source(Path(place), Path(place).name)
            source.time_zone = zone
            yield place, *_read(source)


def _fetch(url: str, settings: PullSettings) -> Source:
    """Return the file at an address, named by the last step of where it was found.

    Raises:
        SourceError: it cannot be had, or the settings do not let it be asked for.
    """
    response, data = read_address(url, settings, limit=MAX_BYTES)
    name = file_name(unquote(response.url.path).rstrip("/"), fallback="timetable")
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    return Source(name if "." in name else name + SUFFIX_OF_MEDIA_TYPE.get(kind, ""), data)


def _read(source: Source) -> tuple[str, Reading]:
    if len(source.data) > MAX_BYTES:
        raise FormatError(source.name, "", f"larger than {MAX_BYTES // 2**20} MiB")
    format_name = detect_format(source)
    return format_name, FORMATS[format_name].read(source)


def _read_folder(folder: Path) -> Iterator[tuple[str, str, Reading]]:
    """Yield the categories of pyvideo's that a folder is or holds, one after the other: a repository is large."""
    inside = [folder] if _is_category(folder) else sorted(x for x in folder.iterdir() if _is_category(x))
    if not inside:
        raise SourceError(f"{folder}: neither it nor a folder in it has videos/, as pyvideo's have: name files instead")
    for each in inside:
        name = each.resolve().name
        category = each / pyvideo_json.CATEGORY
        described = _source(category, f"{name}/{category.name}") if category.exists() else None
        videos = [_source(x, f"{name}/videos/{x.name}") for x in sorted((each / "videos").glob("*.json"))]
        yield str(each), "pyvideo-json", pyvideo_json.read_folder(name, described, videos)


def _is_category(folder: Path) -> bool:
    return (folder / pyvideo_json.CATEGORY).is_file() or (folder / "videos").is_dir()


def _source(path: Path, name: str) -> Source:
    try:
        if path.is_symlink() and not path.exists():
            raise SourceError(f"{path}: a link to nothing")
        if not path.is_file():
            raise SourceError(f"{path}: no such file or folder")
        if path.stat().st_size > MAX_BYTES:
            raise FormatError(name, "", f"larger than {MAX_BYTES // 2**20} MiB")
        return Source(name, path.read_bytes())
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}") from error


def as_json(done: Sequence[Imported], *, dry_run: bool) -> dict[str, Any]:
    """Return a report for scripts."""
    rows: dict[str, Any] = {"dry_run": dry_run, "imported": msgspec.to_builtins(list(done))}
    return rows


def export_timetable(context: Context, event: str, form: str) -> Written:
    """Return an event of the catalogue as files of a format, by the name that `WRITERS` has for it.

    Raises:
        UnknownSubjectError: there is no such event.
    """
    known = read_event(context.db, event)
    written = WRITERS[form](known)
    if form == "pyvideo":
        carried = pyvideo_json.SESSION_FIELDS
    else:
        [(name, data)] = written.files.items()
        carried = read_timetables(data, name).session_fields  # what reading its own file can say
    lost = [
        field.name
        for field in fields(Session)
        if field.name not in carried | {"slug"}
        and any(getattr(each, field.name) != field.default for each in known.sessions)
    ]
    unsaid = (f"this format has no place for sessions' {', '.join(lost)}",) if lost else ()
    return replace(written, unsaid=(*written.unsaid, *unsaid))


def save(written: Written, target: Path) -> list[Path]:
    """Write files: one as ``target`` or into the folder that it is, several into it as a folder.

    Raises:
        SourceError: several files, and ``target`` is a file.
    """
    if len(written.files) == 1 and not target.is_dir():
        [data] = written.files.values()
        target.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(target, data)
        return [target]
    if target.exists() and not target.is_dir():
        raise SourceError(f"{target} is a file, and this format is several: name a folder")
    paths = []
    for name, data in written.files.items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, data)
        paths.append(path)
    return paths
