"""Voices and the people they are: ``rostra speakers``."""

from __future__ import annotations

import wave
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
import numpy as np
from rich.markup import escape
from rich.table import Table

from archive.catalogue import runs
from archive.catalogue.naming import Proposal, proposals
from archive.catalogue.recordings import read_recording, recordings_of
from archive.catalogue.sessions import SessionAddress, find_session
from archive.catalogue.speakers import Voice, find_voice, forget_person, name_voice, people_named, voices_of
from archive.connection import transaction
from metadata.times import format_clock
from pipelines.cli.advice import advice
from pipelines.cli.base import archive_option, command, emit, json_option, session_name, user_name
from pipelines.cli.display import err, out
from pipelines.errors import ConfigError
from pipelines.media.files import stream_audio
from pipelines.media.samples import SAMPLE_RATE
from pipelines.storage.archive_folder import Context, open_archive, timestamp

HEARD_MS = 6_000
"""What is heard of a voice."""


@command(
    "rostra speakers winter-school-12/opening",
    "rostra speakers opening --hear voices",
    'rostra speakers opening --confirm "Voice 1"',
    'rostra speakers opening --name "Voice 2=Noor Okafor" --name "Voice 3="',
    "rostra speakers --forget noor-okafor",
)
@click.argument("session", required=False)
@click.option("--confirm", multiple=True, metavar="VOICE", help="Name a voice as it is proposed.")
@click.option("--name", "names", multiple=True, metavar="VOICE=PERSON", help="Name a voice; no PERSON unnames it.")
@click.option("--hear", type=click.Path(path_type=Path, file_okay=False), help="Write some seconds of each into DIR.")
@click.option("--forget", metavar="PERSON", help="Unname all voices of somebody, and delete their voiceprints.")
@click.option("--by", help="Who says so.  [default: the user's name on this machine]")
@json_option
@archive_option
def speakers(
    root: Path,
    session: str | None,
    confirm: tuple[str, ...],
    names: tuple[str, ...],
    hear: Path | None,
    forget: str | None,
    by: str | None,
    as_json: bool,
) -> None:
    """List the voices of SESSION (its slug, or EVENT/SESSION), and say who they are.

    A machine tells voices apart, and proposes people of the timetable with its reasons. Only you name one. PERSON is
    somebody of the catalogue, by the end of their page's address or by their name. Where the machine is wrong for a
    moment, 'rostra correct speaker' says who speaks.
    """
    if (session is None) is (forget is None):
        raise ConfigError("name a session, or --forget somebody: rostra speakers --help")
    with open_archive(root) as context:
        if forget is not None:
            with transaction(context.db):
                count = forget_person(context.db, forget)
            err.print(f"Unnamed {count} voice(s) and deleted their voiceprints. Next: [bold]rostra run[/]")
            return
        address = find_session(context.db, *session_name(session or ""))
        _decide(context, address, confirm, names, by or user_name())
        voices, proposed = voices_of(context.db, address.id), proposals(context.db, address.id)
        clips = _write_clips(context, voices, hear) if hear else {}
        missing = _missing(context, address)
    if as_json:
        emit(_as_json(voices, proposed, clips))
    else:
        _show(address, voices, proposed, clips)
    for each in missing:
        err.print(f"[yellow]![/] {escape(each)}")


def _decide(
    context: Context, address: SessionAddress, confirm: tuple[str, ...], names: tuple[str, ...], by: str
) -> None:
    """Name voices, all of them or none."""
    with transaction(context.db):
        proposed = {each.voice: each for each in proposals(context.db, address.id)} if confirm else {}
        for label in confirm:
            voice = find_voice(context.db, address.id, label)
            if voice.id not in proposed:
                raise ConfigError(f"nobody is proposed for {label}: name it with --name '{label}=PERSON'")
            name_voice(context.db, voice, proposed[voice.id].person, by=by, at=timestamp())
        for each in names:
            label, equals, person = each.partition("=")
            if not equals:
                raise ConfigError(f"--name {each!r}: write VOICE=PERSON")
            voice = find_voice(context.db, address.id, label.strip())
            name_voice(context.db, voice, _slug(context, person.strip()), by=by, at=timestamp())


def _missing(context: Context, address: SessionAddress) -> list[str]:
    """Return why nobody knows who speaks in some of a session's recordings, and what brings it."""
    here = {each.sha256 for each in recordings_of(context.db, address.id)}
    return [
        f"{trouble.text} ({advice(trouble, context.config.run.attempts)})"
        for trouble in runs.troubles(context.db)
        if trouble.stage == "diarize" and trouble.subject in here
    ]


def _slug(context: Context, person: str) -> str | None:
    """Return the slug of somebody who goes by a slug or a name, or None for nobody."""
    if not person:
        return None
    found = people_named(context.db, person)
    if len(found) > 1:
        raise ConfigError(f"several people are called {person}: name one by their address: {', '.join(found)}")
    return found[0] if found else person


def _write_clips(context: Context, voices: list[Voice], folder: Path) -> dict[int, Path]:
    """Write some seconds of each voice's longest turn as WAV, and return the files by voice."""
    folder.mkdir(parents=True, exist_ok=True)
    clips = {}
    for voice in voices:
        if voice.longest is None:
            continue
        recording = read_recording(context.db, voice.recording)
        start, end = voice.longest
        end = min(end, start + HEARD_MS)
        blocks = list(stream_audio(context.blobs.path(recording.sha256, recording.suffix), start_ms=start, end_ms=end))
        clips[voice.id] = folder / f"{voice.recording} {voice.label}.wav".replace("/", "-")
        with wave.open(str(clips[voice.id]), "wb") as file:
            file.setparams((1, 2, SAMPLE_RATE, 0, "NONE", ""))
            sound = np.concatenate(blocks) if blocks else np.zeros(0, dtype=np.float32)
            file.writeframes((np.clip(sound, -1, 1) * 32767).astype("<i2").tobytes())
    return clips


def _as_json(voices: list[Voice], proposed: list[Proposal], clips: dict[int, Path]) -> list[dict[str, Any]]:
    by_voice = {each.voice: {k: v for k, v in asdict(each).items() if k != "voice"} for each in proposed}
    return [
        {
            **asdict(voice),
            "proposal": by_voice.get(voice.id),
            "clip": str(clips[voice.id]) if voice.id in clips else None,
        }
        for voice in voices
    ]


def _show(address: SessionAddress, voices: list[Voice], proposed: list[Proposal], clips: dict[int, Path]) -> None:
    if not voices:
        err.print(
            "No voices are known here. Switch them on in rostra.toml ([bold]\\[speakers] enabled = true[/]), then"
            " [bold]rostra run[/]; [bold]rostra status[/] says what went wrong."
        )
        return
    by_voice = {each.voice: each for each in proposed}
    table = Table("voice", "is", "talks for", "turns", "hear it at", box=None, pad_edge=False)
    for voice in voices:
        proposal = by_voice.get(voice.id)
        who = escape(voice.name) if voice.name else f"{escape(proposal.name)}?" if proposal else "—"
        talks = format_clock(voice.talking_ms) if voice.talking_ms is not None else "—"
        heard = format_clock(voice.longest[0]) if voice.longest else "—"
        table.add_row(escape(voice.label), who, talks, str(voice.turns or "—"), str(clips.get(voice.id, heard)))
    out.print(table)
    for voice in voices:
        if proposal := by_voice.get(voice.id):
            err.print(f"{escape(voice.label)} may be {escape(proposal.name)}: it {escape(proposal.reason)}.")
    if proposed:
        label = next(voice.label for voice in voices if voice.id in by_voice)
        err.print(f'If it is: [bold]rostra speakers {address.label} --confirm "{escape(label)}"[/]')
