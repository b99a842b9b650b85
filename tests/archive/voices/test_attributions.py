from __future__ import annotations

import pytest

from archive.catalogue.recordings import NewRecording, add_recording
from archive.catalogue.sessions import add_session, ensure_event
from archive.catalogue.speakers import set_turns, voices_of, with_names
from archive.catalogue.transcripts import add_transcript, name_speakers, read_transcript
from archive.connection import transaction
from archive.errors import UnknownSubjectError
from archive.sqlite import Database
from archive.voices.attributions import attribute, attributions, take_back
from archive.voices.decisions import find_voice, forget_person, name_voice
from archive.voices.decisions import undo as undo_naming
from archive.voices.naming import proposals
from metadata.model import Segment, Transcript, Word

NOW = "2026-01-01T00:00:00Z"
TURNS = [(0, 4_000, 0), (4_000, 8_000, 1), (8_000, 12_000, 0)]


def heard(*texts: str, speakers: tuple[str | None, ...] = (None,) * 9, kind: str = "asr") -> Transcript:
    """Return a transcript of two seconds a segment and half a second a word."""
    segments = []
    for nth, (text, speaker) in enumerate(zip(texts, speakers, strict=False)):
        words = tuple(
            Word(start_ms=nth * 2000 + 500 * i, end_ms=nth * 2000 + 500 * (i + 1), text=word)
            for i, word in enumerate(text.split())
        )
        segments.append(Segment(start_ms=nth * 2000, end_ms=nth * 2000 + 2000, text=text, words=words, speaker=speaker))
    return Transcript(language="en", duration_ms=12_000, segments=tuple(segments), kind=kind)  # type: ignore[arg-type]


@pytest.fixture
def talk(catalogue: Database) -> int:
    """Return the id of a recording of six segments, in which two voices speak by turns for four seconds."""
    with transaction(catalogue):
        session = add_session(catalogue, ensure_event(catalogue, "meetup", "Meetup"), "talk", "Talk")
        recording = add_recording(
            catalogue,
            NewRecording(
                sha256="ab" * 32, kind="audio", duration_ms=12_000, bytes=1, media_type="audio/wav", suffix=".wav",
                streams="[]", original_name="talk.wav",
            ),
            session,
            pulled_at=NOW,
        )  # fmt: skip
        catalogue.execute("INSERT INTO person(slug, name) VALUES ('noor', 'Noor Okafor'), ('ken', 'Ken Watanabe')")
        add_transcript(catalogue, recording, heard("a b c d", "e f g h", "i j k l", "m n o p"), created_at=NOW)
        set_turns(catalogue, recording, TURNS, at=NOW)
    return recording


def shown(db: Database, recording: int) -> list[tuple[str, str | None]]:
    row = db.execute("SELECT id FROM transcript WHERE recording_id = ? AND is_current", [recording]).fetchone()
    return [(s.text, s.speaker) for s in with_names(db, recording, read_transcript(db, row[0])).segments]


def say(db: Database, recording: int, span: tuple[int, int], who: str) -> None:
    with transaction(db):
        attribute(db, recording, span, who, by="editor", at=NOW)


def undo(db: Database, recording: int) -> bool:
    with transaction(db):
        return take_back(db, recording, by="editor", at=NOW) is not None


BEFORE = [("a b c d", "Voice 1"), ("e f g h", "Voice 1"), ("i j k l", "Voice 2"), ("m n o p", "Voice 2")]


def test_one_segment_and_a_stretch_are_corrected_and_taken_back(catalogue: Database, talk: int) -> None:
    say(catalogue, talk, (2000, 4000), "voice 2")
    assert shown(catalogue, talk) == [BEFORE[0], ("e f g h", "Voice 2"), *BEFORE[2:]]
    say(catalogue, talk, (3000, 5000), "Noor Okafor")
    assert shown(catalogue, talk) == [
        BEFORE[0], ("e f", "Voice 2"), ("g h", "Noor Okafor"), ("i j", "Noor Okafor"), ("k l", "Voice 2"), BEFORE[3],
    ]  # fmt: skip
    say(catalogue, talk, (0, 2000), "")
    assert shown(catalogue, talk)[0] == ("a b c d", None)
    assert [(a.start_ms, a.end_ms, a.before, a.after, a.by, a.undone_at) for a in attributions(catalogue, talk)] == [
        (2000, 4000, "Voice 1", "Voice 2", "editor", None),
        (3000, 5000, "Voice 2", "Noor Okafor", "editor", None),
        (0, 2000, "Voice 1", "", "editor", None),
    ]
    assert [undo(catalogue, talk) for _ in range(4)] == [True, True, True, False]
    assert shown(catalogue, talk) == BEFORE


def test_what_people_said_holds_when_the_recording_is_heard_or_transcribed_again(
    catalogue: Database, talk: int
) -> None:
    say(catalogue, talk, (2000, 4000), "noor")
    with transaction(catalogue):
        set_turns(catalogue, talk, [(0, 6_000, 0), (6_000, 8_000, 1)], at=NOW)
    assert shown(catalogue, talk) == [BEFORE[0], ("e f g h", "Noor Okafor"), ("i j k l", "Voice 1"), BEFORE[3]]
    with transaction(catalogue):
        again = heard("A B C D", "E F G H", "I J K L", "M N O P")
        add_transcript(catalogue, talk, again, created_at=NOW)
        set_turns(catalogue, talk, TURNS, at=NOW)
    assert shown(catalogue, talk) == [
        ("A B C D", "Voice 1"), ("E F G H", "Noor Okafor"), ("I J K L", "Voice 2"), ("M N O P", "Voice 2"),
    ]  # fmt: skip


def test_people_win_over_captions_whose_other_speakers_stay(catalogue: Database, talk: int) -> None:
    said = heard("a b c d", "e f g h", "i j k l", speakers=("Ada", "Ada", "Ben"), kind="human")
    with transaction(catalogue):
        add_transcript(catalogue, talk, said, created_at=NOW)
        set_turns(catalogue, talk, TURNS, at=NOW)
    assert shown(catalogue, talk) == [("a b c d", "Ada"), ("e f g h", "Ada"), ("i j k l", "Ben")]
    say(catalogue, talk, (2000, 4000), "Ben")
    assert shown(catalogue, talk) == [("a b c d", "Ada"), ("e f g h", "Ben"), ("i j k l", "Ben")]
    undo(catalogue, talk)
    assert shown(catalogue, talk) == [("a b c d", "Ada"), ("e f g h", "Ada"), ("i j k l", "Ben")]


def test_captions_that_call_somebody_as_a_voice_is_called_mean_it(catalogue: Database, talk: int) -> None:
    said = heard("a b c d", "e f g h", speakers=("Voice 2", "Voice 1"), kind="human")
    with transaction(catalogue):
        add_transcript(catalogue, talk, said, created_at=NOW)
        set_turns(catalogue, talk, TURNS, at=NOW)
    assert shown(catalogue, talk) == [("a b c d", "Voice 2"), ("e f g h", "Voice 1")]


def test_talking_time_is_that_of_what_people_said(catalogue: Database, talk: int) -> None:
    say(catalogue, talk, (2000, 4000), "Voice 2")
    assert [(v.label, v.talking_ms, v.turns) for v in voices_of(catalogue, 1)] == [
        ("Voice 1", 6_000, 2),
        ("Voice 2", 6_000, 1),
    ]
    say(catalogue, talk, (4000, 8000), "new")
    assert {v.label: v.talking_ms for v in voices_of(catalogue, 1)} == {
        "Voice 1": 6_000, "Voice 2": 2_000, "Voice 3": 4_000,
    }  # fmt: skip


def test_a_turn_lasts_until_another_voice_speaks(catalogue: Database, talk: int) -> None:
    with transaction(catalogue):
        set_turns(catalogue, talk, [(0, 900, 0), (1000, 2900, 0), (2000, 2500, 1), (3000, 8000, 0)], at=NOW)
    assert {(v.talking_ms, v.turns) for v in voices_of(catalogue, 1) if v.turns} == {(7_800, 2), (500, 1)}


def test_a_person_who_has_a_voice_is_that_voice_and_can_be_forgotten(catalogue: Database, talk: int) -> None:
    with transaction(catalogue):
        name_voice(catalogue, find_voice(catalogue, 1, "Voice 2"), "noor", by="editor", at=NOW)
    say(catalogue, talk, (0, 2000), "noor okafor")
    assert {v.label: v.person for v in voices_of(catalogue, 1)} == {"Voice 1": None, "Voice 2": "noor"}
    say(catalogue, talk, (2000, 4000), "Ken Watanabe")
    with transaction(catalogue):
        forget_person(catalogue, "ken", by="editor", at=NOW)
    assert shown(catalogue, talk)[:2] == [("a b c d", "Noor Okafor"), ("e f g h", "Voice 3")]


def test_nobody_of_that_name_changes_nothing(catalogue: Database, talk: int) -> None:
    with pytest.raises(UnknownSubjectError):
        say(catalogue, talk, (0, 2000), "Grace Hopper")
    assert (shown(catalogue, talk), attributions(catalogue, talk)) == (BEFORE, [])


def test_what_captions_call_somebody_names_them_once_and_people_decide_for_good(catalogue: Database, talk: int) -> None:
    with transaction(catalogue):
        catalogue.execute("INSERT INTO session_person(session_id, person_id, role) VALUES (1, 1, 'speaker')")
        captions = heard("a b c d", "e f g h", speakers=("NOOR  OKAFOR", "Noor"), kind="human")
        add_transcript(catalogue, talk, captions, created_at=NOW)
        assert name_speakers(catalogue, talk) == {"NOOR  OKAFOR": "Noor Okafor"}
        assert name_speakers(catalogue, talk) == {}
        name_voice(catalogue, find_voice(catalogue, 1, "Noor Okafor"), None, by="editor", at=NOW)
        assert name_speakers(catalogue, talk) == {}, "somebody said that it is not her"
        undo_naming(catalogue, 1, by="editor", at=NOW)
        forget_person(catalogue, "noor", by="editor", at=NOW)
        assert name_speakers(catalogue, talk) == {}, "who was forgotten is not named again"
    assert {voice.label: voice.person for voice in voices_of(catalogue, 1)}["NOOR  OKAFOR"] is None


def test_captions_that_nearly_name_somebody_are_a_proposal_alone(catalogue: Database, talk: int) -> None:
    labels = ("Prof. Okafor, Noor", "Kenn Watanabe", "<script>", "=1+1", "Noor or Ken")
    with transaction(catalogue):
        for person in (1, 2):
            catalogue.execute("INSERT INTO session_person(session_id, person_id) VALUES (1, ?)", [person])
        captions = heard("a b", "c d", "e f", "g h", "i j", speakers=labels, kind="human")
        add_transcript(catalogue, talk, captions, created_at=NOW)
        assert name_speakers(catalogue, talk) == {}
    found = {voice.id: voice.label for voice in voices_of(catalogue, 1)}
    assert {found[each.voice]: each.person for each in proposals(catalogue, 1)} == {
        "Prof. Okafor, Noor": "noor", "Kenn Watanabe": "ken",
    }  # fmt: skip
