"""Voices and the people they are: ``rostra speakers``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import click
from rich.markup import escape
from rich.table import Table

from archive.catalogue import runs
from archive.catalogue.recordings import read_recording, recordings_of
from archive.catalogue.sessions import SessionAddress, find_session
from archive.catalogue.speakers import Voice, people_named, voices_of
from archive.connection import empty_journal, transaction
from archive.voices import decisions
from archive.voices.decisions import Decision, SessionVoices, find_voice
from archive.voices.naming import Proposal, proposals
from metadata.names import readable_name
from metadata.times import format_clock
from pipelines.cli.advice import advice
from pipelines.cli.base import archive_option, command, emit, json_option, session_name, user_name
from pipelines.cli.display import err, out
from pipelines.errors import ConfigError
from pipelines.exchange.captions import find_recording
from pipelines.speakers.clips import play, write_clip
from pipelines.storage.archive_folder import Context, open_archive_readonly, taking_turns, timestamp


class _Asked(NamedTuple):
    """What somebody says of a session's voices, in the order in which it is done."""

    joined: tuple[str, ...]
    called: tuple[str, ...]
    confirmed: tuple[str, ...]
    rejected: tuple[str, ...]
    named: tuple[str, ...]


@command(
    "rostra speakers                                     # sessions with voices that nobody has named",
    "rostra speakers winter-school-12/opening",
    'rostra speakers opening --play "Voice 1"             # or write files: --hear voices',
    'rostra speakers opening --confirm "Voice 1"',
    'rostra speakers opening --reject "Voice 1"           # it is somebody else',
    'rostra speakers opening --name "Voice 2=Noor Okafor" --name "Voice 3="',
    'rostra speakers opening --join "Voice 4=Voice 1"     # one person, heard as two voices',
    'rostra speakers opening --call "Voice 2=A student"',
    "rostra speakers opening --undo",
    "rostra speakers --forget noor-okafor",
)
@click.argument("session", required=False)
@click.option("--recording", help="Of several recordings, this one: the beginning of its SHA-256.")
@click.option("--play", "played", multiple=True, metavar="VOICE", help="Play some seconds of a voice.")
@click.option("--hear", type=click.Path(path_type=Path, file_okay=False), help="Write some seconds of each into DIR.")
@click.option("--confirm", multiple=True, metavar="VOICE", help="Name a voice as it is proposed.")
@click.option("--reject", multiple=True, metavar="VOICE", help="Say that a voice is not whom it is proposed to be.")
@click.option("--name", "names", multiple=True, metavar="VOICE=PERSON", help="Name a voice; no PERSON unnames it.")
@click.option("--join", "joined", multiple=True, metavar="VOICE=VOICE", help="Say that two voices are one person.")
@click.option("--call", "called", multiple=True, metavar="VOICE=WORDS", help="Call a voice otherwise; names nobody.")
@click.option("--undo", is_flag=True, help="Take back the last thing that somebody said of these voices.")
@click.option("--history", is_flag=True, help="List what was said of these voices: who, when, before and after.")
@click.option("--forget", metavar="PERSON", help="Unname all voices of somebody, and delete their voiceprints.")
@click.option("--by", help="Who says so.  [default: the user's name on this machine]")
@json_option
@archive_option
def speakers(
    root: Path,
    session: str | None,
    recording: str | None,
    played: tuple[str, ...],
    hear: Path | None,
    confirm: tuple[str, ...],
    reject: tuple[str, ...],
    names: tuple[str, ...],
    joined: tuple[str, ...],
    called: tuple[str, ...],
    undo: bool,
    history: bool,
    forget: str | None,
    by: str | None,
    as_json: bool,
) -> None:
    """List the voices of SESSION (its slug, or EVENT/SESSION), and say who they are; without it, the sessions.

    A machine tells voices apart, and proposes people of the timetable with its reasons. Only you name one. PERSON is
    somebody of the catalogue, by the end of their page's address or by their name. Where the machine is wrong for a
    moment, or took two people for one voice, 'rostra correct speaker' says who speaks. 'rostra run' publishes what
    you said.
    """
    asked = _Asked(joined, called, confirm, reject, names)
    if session is None:
        if any([*asked, played, hear, undo, history, recording]):
            raise ConfigError("name a session: rostra speakers EVENT/SESSION …")
        _without_session(root, forget, by or user_name(), as_json=as_json)
        return
    if forget is not None:
        raise ConfigError("name a session, or --forget somebody: rostra speakers --help")
    if undo and any(asked):
        raise ConfigError("--undo stands alone: say the rest afterwards")
    if any(asked) or undo:
        with taking_turns(root) as context:
            address = find_session(context.db, *session_name(session))
            of = find_recording(context.db, recording) if recording else None
            if undo:
                _undo(context, address, by or user_name())
            else:
                _decide(context, address, of, asked, by or user_name())
    with open_archive_readonly(root) as context:
        address = find_session(context.db, *session_name(session))
        of = find_recording(context.db, recording) if recording else None
        if history:
            _tell(decisions.decisions_of(context.db, address.id), as_json=as_json)
            return
        known = [each for each in voices_of(context.db, address.id) if of in {None, each.recording}]
        proposed = [each for each in proposals(context.db, address.id) if each.voice in {one.id for one in known}]
        clips = dict(_write_clips(context, known, hear)) if hear else {}
        for label in played:
            _play(context, find_voice(context.db, address.id, label, of))
        missing = _missing(context, address)
    if as_json:
        emit(_as_json(known, proposed, clips))
    else:
        _show(address, known, proposed, clips)
    for each in missing:
        err.print(f"[yellow]![/] {escape(each)}")
    if (any(asked) or undo) and not as_json:
        err.print("Next: [bold]rostra run[/] publishes it")


def _without_session(root: Path, forget: str | None, by: str, *, as_json: bool) -> None:
    """Forget somebody, or list the sessions in which voices are known."""
    if forget is not None:
        with taking_turns(root) as context:
            person = _slug(context, forget, None)
            with transaction(context.db):
                count = decisions.forget_person(context.db, person or "", by=by, at=timestamp())
            empty_journal(context.db)
        err.print(f"Unnamed {count} voice(s) and deleted their voiceprints. Next: [bold]rostra run[/]")
        return
    with open_archive_readonly(root) as context:
        found = decisions.sessions_with_voices(context.db)
        proposed = {each.id: len(proposals(context.db, each.id)) for each in found if each.unnamed}
    if as_json:
        emit([{**each._asdict(), "proposed": proposed.get(each.id, 0)} for each in found])
        return
    _list_sessions(found, proposed)


def _list_sessions(found: list[SessionVoices], proposed: dict[int, int]) -> None:
    if not found:
        err.print(NONE)
        return
    table = Table("session", "voices", "unnamed", "proposed", box=None, pad_edge=False)
    for each in found:
        table.add_row(escape(each.label), *(str(n or "—") for n in (each.voices, each.unnamed, proposed.get(each.id))))
    out.print(table)
    first = next((each for each in found if proposed.get(each.id)), next((e for e in found if e.unnamed), None))
    if first:
        err.print(f"Next: [bold]rostra speakers {escape(first.label)}[/]")


def _decide(context: Context, address: SessionAddress, recording: int | None, asked: _Asked, by: str) -> None:
    """Do all that somebody says of voices, or none of it."""
    db, at = context.db, timestamp()

    def find(label: str) -> Voice:
        return find_voice(db, address.id, label.strip(), recording)

    with transaction(db):
        # What is proposed is what the person was shown: before anything else of this changes.
        proposed = {each.voice: each for each in proposals(db, address.id)}
        for label in (*asked.confirmed, *asked.rejected):
            if find(label).id not in proposed:
                raise ConfigError(f"nobody is proposed for {label}: name it with --name '{label}=PERSON'")
        for label in asked.confirmed:
            decisions.name_voice(db, find(label), proposed[find(label).id].person, by=by, at=at)
        for label in asked.rejected:
            decisions.refuse(db, find(label), proposed[find(label).id].person, by=by, at=at)
        for label, person in _pairs(asked.named, "--name", "VOICE=PERSON", find):
            decisions.name_voice(db, find(label), _slug(context, person, address), by=by, at=at)
        for one, other in _pairs(asked.joined, "--join", "VOICE=VOICE", find):
            decisions.join_voices(db, find(one), find(other), by=by, at=at)
        for label, words in _pairs(asked.called, "--call", "VOICE=WORDS", find):
            decisions.call_voice(db, find(label), words, by=by, at=at)


def _pairs(given: Iterable[str], option: str, form: str, find: Any) -> Iterator[tuple[str, str]]:
    """Yield both sides of what was given; a voice's label may have equals signs of its own."""
    for each in given:
        places = [at for at, char in enumerate(each) if char == "="]
        if not places:
            raise ConfigError(f"{option} {each!r}: write {form}")
        for at in reversed(places):
            try:
                find(each[:at])
            except decisions.UnknownVoiceError:
                if at != places[0]:
                    continue
                raise
            yield each[:at], each[at + 1 :].strip()
            break


def _undo(context: Context, address: SessionAddress, by: str) -> None:
    with transaction(context.db):
        done = decisions.undo(context.db, address.id, by=by, at=timestamp())
    if done is None:
        raise ConfigError("nobody has said anything of these voices: nothing is to be taken back")
    err.print(f"Taken back: {_sentence(done)}")


def _sentence(done: Decision) -> str:
    voice, before, after = (escape(each) for each in (done.voice, done.before, done.after))
    said = {
        "named": f"{voice} is {after or 'nobody known'}" + (f" (before: {before})" if before else ""),
        "refused": f"{voice} is not {after}",
        "joined": f"{voice} is the same as {after or 'another voice'}",
        "called": f"{before} is called {voice}",
    }
    return said[done.what]


def _tell(found: list[Decision], *, as_json: bool) -> None:
    if as_json:
        emit([asdict(each) for each in found])
        return
    for each in found:
        undone = "  (taken back)" if each.undone_at else ""
        out.print(f"{each.at}  {escape(each.by)}  {_sentence(each)}{undone}")
    if not found:
        out.print("Nobody has said anything of these voices.")


def _missing(context: Context, address: SessionAddress) -> list[str]:
    """Return why nobody knows who speaks in some of a session's recordings, and what brings it."""
    here = {each.sha256 for each in recordings_of(context.db, address.id)}
    return [
        f"{trouble.text} ({advice(trouble, context.config.run.attempts)})"
        for trouble in runs.troubles(context.db)
        if trouble.stage == "diarize" and trouble.subject in here
    ]


def _slug(context: Context, person: str, address: SessionAddress | None) -> str | None:
    """Return the slug of somebody who goes by a slug or a name, or None for nobody.

    Raises:
        ConfigError: there is nobody of that name, or there are several; the message says what to do.
    """
    if not person:
        return None
    found = people_named(context.db, person)
    if len(found) > 1:
        raise ConfigError(f"several people are called {person}: name one by their address: {', '.join(found)}")
    if not found:
        where = address.label if address else "EVENT/SESSION"
        raise ConfigError(
            f"nobody in the catalogue is called {person}: add them to the session first"
            f' (rostra correct session {where} people="…; {person}" with all who are in it), or use --call'
        )
    return found[0]


def _write_clips(context: Context, known: list[Voice], folder: Path) -> Iterator[tuple[int, Path]]:
    """Write some seconds of each voice's longest turn as WAV, and yield the files by voice."""
    folder.mkdir(parents=True, exist_ok=True)
    for voice in known:
        if voice.longest is not None and (source := _source(context, voice)) is not None:
            name = readable_name(None, None, f"{voice.recording} {voice.label}", "wav")
            yield voice.id, write_clip(source, voice.longest, folder / name)


def _play(context: Context, voice: Voice) -> None:
    source = _source(context, voice)
    if voice.longest is None or source is None:
        raise ConfigError(f"{voice.label} cannot be heard here: captions named it, or its recording is elsewhere")
    with TemporaryDirectory() as folder:
        play(write_clip(source, voice.longest, Path(folder) / "voice.wav"))


def _source(context: Context, voice: Voice) -> Path | None:
    recording = read_recording(context.db, voice.recording)
    return context.blobs.path(recording.sha256, recording.suffix) if recording.suffix else None


def _as_json(known: list[Voice], proposed: list[Proposal], clips: dict[int, Path]) -> list[dict[str, Any]]:
    by_voice = {each.voice: {k: v for k, v in asdict(each).items() if k != "voice"} for each in proposed}
    return [
        {
            **asdict(voice),
            "proposal": by_voice.get(voice.id),
            "clip": str(clips[voice.id]) if voice.id in clips else None,
        }
        for voice in known
    ]


NONE = (
    "No voices are known here. Switch them on in rostra.toml ([bold]\\[speakers] enabled = true[/]), then"
    " [bold]rostra run[/]; [bold]rostra status[/] says what went wrong."
)
WEAK = "; nothing that is said tells more, and somebody may have stood in for them: listen first"
SHOWN = 40
"""Characters of a label in the table."""


def _show(address: SessionAddress, known: list[Voice], proposed: list[Proposal], clips: dict[int, Path]) -> None:
    if not known:
        err.print(NONE)
        return
    by_voice = {each.voice: each for each in proposed}
    table = Table("voice", "is", "talks for", "turns", "hear it at", box=None, pad_edge=False)
    for voice in known:
        proposal = by_voice.get(voice.id)
        who = escape(voice.name) if voice.name else f"{escape(proposal.name)}?" if proposal else "—"
        talks = format_clock(voice.talking_ms) if voice.talking_ms is not None else "—"
        heard = format_clock(voice.longest[0]) if voice.longest else "—"
        label = voice.label if len(voice.label) <= SHOWN else f"{voice.label[:SHOWN]}…"
        table.add_row(escape(label), who, talks, str(voice.turns or "—"), str(clips.get(voice.id, heard)))
    out.print(table)
    for voice in known:
        if proposal := by_voice.get(voice.id):
            weak = WEAK if proposal.weak else ""
            reason = f"{escape(proposal.reason)}{weak}"
            err.print(f"{escape(voice.label[:SHOWN])} may be {escape(proposal.name)}: it {reason}.")
    if proposed:
        label = next(voice.label for voice in known if voice.id in by_voice)
        err.print(
            f'If it is: [bold]rostra speakers {address.label} --confirm "{escape(label)}"[/];'
            f' hear it with [bold]--play[/], and if it is not: [bold]--reject "{escape(label)}"[/]'
        )
