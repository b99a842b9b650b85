from __future__ import annotations

from dataclasses import replace

import pytest

from archive.catalogue.importing import apply_event
from archive.catalogue.recordings import NewRecording, add_recording
from archive.catalogue.transcripts import add_transcript, name_speakers, read_transcript, transcript_version
from archive.connection import transaction
from archive.errors import UnknownSubjectError
from archive.sqlite import Database
from metadata.model import EXAMPLE_EVENT, EXAMPLE_SESSION, EXAMPLE_TRANSCRIPT, Flag, Transcript

WHEN = "2022-07-01T00:00:00Z"
RECORDING = NewRecording(
    sha256="ab" * 32,
    kind="audio",
    duration_ms=4000,
    bytes=10,
    media_type="audio/wav",
    suffix=".wav",
    streams="[]",
    original_name="talk.wav",
)


def recorded(db: Database) -> int:
    with transaction(db):
        return add_recording(db, RECORDING, None, pulled_at=WHEN)


def test_transcript_reads_back_as_it_was_written(catalogue: Database) -> None:
    flagged = replace(EXAMPLE_TRANSCRIPT.segments[0], flags=(Flag.REPETITIVE, Flag.NO_SPEECH), language="de")
    named = replace(EXAMPLE_TRANSCRIPT.segments[0], speaker="Noor")
    transcript = replace(EXAMPLE_TRANSCRIPT, segments=(EXAMPLE_TRANSCRIPT.segments[0], flagged, named))
    recording = recorded(catalogue)
    with transaction(catalogue):
        transcript_id = add_transcript(catalogue, recording, transcript, created_at=WHEN)
    assert read_transcript(catalogue, transcript_id) == transcript


def test_same_bytes_are_one_recording(catalogue: Database) -> None:
    first = recorded(catalogue)
    with transaction(catalogue):
        again = add_recording(catalogue, replace(RECORDING, original_name="copy.wav"), None, pulled_at=WHEN)
    assert again == first
    assert catalogue.execute("SELECT original_name FROM recording").fetchall() == [("talk.wav",)]


def test_new_transcript_is_current_and_the_old_one_stays(catalogue: Database) -> None:
    recording = recorded(catalogue)
    other = replace(EXAMPLE_TRANSCRIPT, generator_version="2")
    with transaction(catalogue):
        old = add_transcript(catalogue, recording, EXAMPLE_TRANSCRIPT, created_at=WHEN)
        new = add_transcript(catalogue, recording, other, created_at=WHEN)
    current = catalogue.execute("SELECT id, is_current FROM transcript ORDER BY id").fetchall()
    assert [tuple(row) for row in current] == [(old, 0), (new, 1)]
    assert read_transcript(catalogue, old) == EXAMPLE_TRANSCRIPT


def test_same_transcript_again_is_the_same_version(catalogue: Database) -> None:
    recording = recorded(catalogue)
    other = replace(EXAMPLE_TRANSCRIPT, generator_version="2")
    with transaction(catalogue):
        first = add_transcript(catalogue, recording, EXAMPLE_TRANSCRIPT, created_at=WHEN)
        add_transcript(catalogue, recording, other, created_at=WHEN)
        again = add_transcript(catalogue, recording, EXAMPLE_TRANSCRIPT, created_at=WHEN)
    assert again == first
    rows = catalogue.execute("SELECT version, is_current FROM transcript ORDER BY id").fetchall()
    assert [tuple(row) for row in rows] == [
        (transcript_version(RECORDING.sha256, EXAMPLE_TRANSCRIPT), 1),
        (transcript_version(RECORDING.sha256, other), 0),
    ]


def test_transcript_of_no_recording_is_refused(catalogue: Database) -> None:
    with pytest.raises(UnknownSubjectError, match="no recording '7'"), transaction(catalogue):
        add_transcript(catalogue, 7, EXAMPLE_TRANSCRIPT, created_at=WHEN)


def current_kind(db: Database) -> str:
    return str(db.execute("SELECT kind FROM transcript WHERE is_current").fetchone()[0])


def test_peoples_transcript_is_not_replaced_by_a_machines(catalogue: Database) -> None:
    recording = recorded(catalogue)
    kinds = []
    for kind in ("imported", "asr", "imported", "human", "asr", "imported"):
        version = replace(EXAMPLE_TRANSCRIPT, kind=kind, generator_version=str(len(kinds)))
        with transaction(catalogue):
            add_transcript(catalogue, recording, version, created_at=WHEN)
        kinds.append(current_kind(catalogue))
    assert kinds == ["imported", "asr", "asr", "human", "human", "human"]


EMPTY = replace(EXAMPLE_TRANSCRIPT, segments=())
INVENTED = replace(EXAMPLE_TRANSCRIPT, segments=(replace(EXAMPLE_TRANSCRIPT.segments[0], flags=(Flag.STOCK_PHRASE,)),))
IMPORTED = replace(EXAMPLE_TRANSCRIPT, kind="imported", generator="WebVTT")


@pytest.mark.parametrize(
    ("first", "second", "stands"),
    [
        (IMPORTED, EMPTY, 0),
        (IMPORTED, INVENTED, 0),
        (EMPTY, IMPORTED, 1),
        (INVENTED, IMPORTED, 1),
        (IMPORTED, EXAMPLE_TRANSCRIPT, 1),
        (EMPTY, INVENTED, 1),
        (replace(IMPORTED, segments=()), EMPTY, 1),
    ],
)
def test_transcript_without_anything_to_search_never_replaces_one_that_has(
    catalogue: Database, first: Transcript, second: Transcript, stands: int
) -> None:
    recording = recorded(catalogue)
    with transaction(catalogue):
        added = [add_transcript(catalogue, recording, each, created_at=WHEN) for each in (first, second)]
    current = catalogue.execute("SELECT id FROM transcript WHERE is_current").fetchall()
    assert [row[0] for row in current] == [added[stands]]


def test_same_transcript_again_is_no_change(catalogue: Database) -> None:
    recording = recorded(catalogue)
    with transaction(catalogue):
        add_transcript(catalogue, recording, EXAMPLE_TRANSCRIPT, created_at=WHEN)
    before = catalogue.execute("SELECT content_revision FROM catalogue").fetchone()[0]
    with transaction(catalogue):
        add_transcript(catalogue, recording, EXAMPLE_TRANSCRIPT, created_at=WHEN)
    assert catalogue.execute("SELECT content_revision FROM catalogue").fetchone()[0] == before


def test_chapters_are_kept_and_never_current(catalogue: Database) -> None:
    recording = recorded(catalogue)
    with transaction(catalogue):
        add_transcript(
            catalogue, recording, replace(EXAMPLE_TRANSCRIPT, parameters={"track": "chapters"}), created_at=WHEN
        )
    assert catalogue.execute("SELECT is_current FROM transcript").fetchall() == [(0,)]


def test_speaker_is_a_person_only_under_the_timetables_name(catalogue: Database) -> None:
    event = replace(EXAMPLE_EVENT, sessions=(EXAMPLE_SESSION,))
    said = EXAMPLE_TRANSCRIPT.segments[0]
    voices = tuple(replace(said, speaker=label) for label in ("noor okafor", "Noor", "SPEAKER_00"))
    with transaction(catalogue):
        apply_event(catalogue, event, decided_at=WHEN)
        session = catalogue.execute("SELECT id FROM session").fetchone()[0]
        recording = add_recording(catalogue, RECORDING, session, pulled_at=WHEN)
        add_transcript(catalogue, recording, replace(EXAMPLE_TRANSCRIPT, segments=voices), created_at=WHEN)
        assert name_speakers(catalogue, recording) == {"noor okafor": "Noor Okafor"}
        assert name_speakers(catalogue, recording) == {}
    rows = catalogue.execute("SELECT label, person_id IS NOT NULL FROM speaker_tag ORDER BY id").fetchall()
    assert [tuple(row) for row in rows] == [("noor okafor", 1), ("Noor", 0), ("SPEAKER_00", 0)]
