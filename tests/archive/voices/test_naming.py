from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from archive.catalogue.importing import apply_event
from archive.catalogue.recordings import NewRecording, add_recording
from archive.catalogue.speakers import set_turns, voices_of
from archive.catalogue.transcripts import add_transcript
from archive.connection import transaction
from archive.errors import UnknownSubjectError
from archive.sqlite import Database
from archive.voices.decisions import find_voice, forget_person, name_voice
from archive.voices.naming import proposals
from metadata.model import Event, Person, Role, RoleName, Segment, Session, Transcript

NOW = "2026-01-01T00:00:00Z"
NOOR, KEN, MARIA = Person(name="Noor Okafor"), Person(name="Ken Watanabe"), Person(name="María Núñez")
People = Sequence[tuple[Person, RoleName]]


def session(
    db: Database,
    slug: str,
    people: People,
    turns: Sequence[tuple[int, int, int]],
    said: Sequence[tuple[int, str]] = (),
    vectors: Sequence[np.ndarray] = (),
) -> int:
    """Add a session with a recording that lasts to the last turn, and return its id. Turns are in seconds."""
    roles = tuple(Role(person=person, role=role) for person, role in people)
    with transaction(db):
        apply_event(
            db, Event(slug=slug, title=slug, sessions=(Session(slug=slug, title=slug, people=roles),)), decided_at=NOW
        )
        id_ = int(db.execute("SELECT id FROM session WHERE slug = ?", [slug]).fetchone()[0])
        recording = add_recording(
            db,
            NewRecording(
                sha256=f"{id_:064x}", kind="audio", duration_ms=600_000, bytes=1, media_type="audio/wav", suffix=".wav",
                streams="[]", original_name=f"{slug}.wav",
            ),
            id_,
            pulled_at=NOW,
        )  # fmt: skip
        segments = tuple(Segment(start_ms=at * 1000, end_ms=at * 1000 + 3000, text=text) for at, text in said)
        add_transcript(db, recording, Transcript(language="en", duration_ms=600_000, segments=segments), created_at=NOW)
        prints = [vector.astype("<f4").tobytes() for vector in vectors]
        set_turns(db, recording, [(s * 1000, e * 1000, v) for s, e, v in turns], prints, at=NOW)
    return id_


def proposed(db: Database, id_: int) -> dict[str, tuple[str, str]]:
    labels = {voice.id: voice.label for voice in voices_of(db, id_)}
    return {labels[each.voice]: (each.person, each.reason) for each in proposals(db, id_)}


def name(db: Database, id_: int, label: str, person: str | None) -> None:
    with transaction(db):
        name_voice(db, find_voice(db, id_, label), person, by="editor", at=NOW)


def test_the_only_speaker_is_proposed_for_the_voice_that_speaks_most(catalogue: Database) -> None:
    id_ = session(catalogue, "talk", [(NOOR, "speaker"), (KEN, "chair")], [(0, 20, 0), (20, 500, 1), (500, 520, 0)])
    assert proposed(catalogue, id_) == {
        "Voice 2": ("noor-okafor", "speaks for 92% of the time, and the timetable has one speaker")
    }
    assert [(voice.label, voice.person) for voice in voices_of(catalogue, id_)] == [
        ("Voice 2", None),
        ("Voice 1", None),
    ]


@pytest.mark.parametrize(
    ("people", "turns"),
    [
        ([(NOOR, "speaker"), (KEN, "speaker")], [(0, 500, 0), (500, 520, 1)]),
        ([(NOOR, "speaker")], [(0, 300, 0), (300, 520, 1)]),
        ([(NOOR, "speaker")], [(0, 300, 0), (300, 420, 1), (420, 500, 2)]),
        ([(KEN, "chair")], [(0, 500, 0)]),
        ([], [(0, 500, 0)]),
        ([(NOOR, "speaker")], []),
    ],
    ids=["two speakers", "two voices", "not three times as long", "no speaker", "nobody", "silence"],
)
def test_nobody_is_proposed_where_it_is_not_plain(
    catalogue: Database, people: People, turns: Sequence[tuple[int, int, int]]
) -> None:
    assert proposed(catalogue, session(catalogue, "talk", people, turns)) == {}


PANEL: People = [(NOOR, "speaker"), (KEN, "speaker"), (MARIA, "chair")]
TURNS = [(0, 60, 0), (60, 200, 1), (200, 230, 0), (230, 400, 2)]


def test_who_is_introduced_is_proposed_for_the_next_voice(catalogue: Database) -> None:
    said = [
        (5, "Good morning, my name is María Núñez."),
        (50, "And our next speaker is, from Lagos, Noor Okafor."),
        (225, "Thank you. Over to Ken Watanabe."),
    ]
    assert proposed(catalogue, session(catalogue, "panel", PANEL, TURNS, said)) == {
        "Voice 1": ("maria-nunez", "says “my name is María Núñez” at 0:05"),
        "Voice 2": ("noor-okafor", "begins after “next speaker is, from Lagos, Noor Okafor” at 0:50"),
        "Voice 3": ("ken-watanabe", "begins after “Over to Ken Watanabe” at 3:45"),
    }


@pytest.mark.parametrize(
    "text",
    [
        "I agree with Noor Okafor.",
        "I am not Noor Okafor.",
        "Our next speaker is ill.",
        "Please welcome Grace Hopper.",
        "Moreover to Noor Okafor it matters.",
        "Noor Okafor, please welcome the audience.",
    ],
)
def test_a_name_alone_introduces_nobody(catalogue: Database, text: str) -> None:
    assert proposed(catalogue, session(catalogue, "panel", PANEL, TURNS, [(50, text)])) == {}


ANA, JUAN, OTHER = (Person(name=name) for name in ("Ana Ortega", "Juan Carlos Ortega", "Ana Lindqvist"))
PEOPLE: People = [(NOOR, "speaker"), (KEN, "speaker"), (ANA, "speaker"), (JUAN, "speaker"), (OTHER, "speaker"),
                  (MARIA, "chair")]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "person"),
    [
        ("Nuestro siguiente ponente, Juan Carlos Ortega.", "juan-carlos-ortega"),
        ("Le doy la palabra a la doctora Núñez.", "maria-nunez"),
        ("Y ahora tiene la palabra Ana Ortega.", "ana-ortega"),
        ("Ich begrüße sehr herzlich Frau Professor Okafor aus Lagos.", "noor-okafor"),
        ("Ich begrüsse die Leiterin des Instituts für Physik, Noor Okafor.", "noor-okafor"),
        ("Es ist mir eine Freude, Ihnen Ken Watanabe vorstellen zu dürfen.", "ken-watanabe"),
        ("Je passe la parole à Maria Nunez.", "maria-nunez"),
        ("Accueillons maintenant Noor Okafor !", "noor-okafor"),
        ("Passo a palavra a Ana Lindqvist.", "ana-lindqvist"),
        ("La parola a Noor Okafor, prego.", "noor-okafor"),
        ("Please welcome Dr. Watanabe.", "ken-watanabe"),
        ("I hand over to Noor.", "noor-okafor"),
        ("Please welcome the author of Dark Matter, Noor Okafor.", "noor-okafor"),
        ("please welcome noor okafor", "noor-okafor"),
        ("Unfortunately Noor Okafor is ill today, so please welcome Ken Watanabe.", "ken-watanabe"),
        ("Please welcome Noor Okafor and Grace Hopper.", None),
        ("Please welcome Noor Okafor, Grace Hopper and Ken Watanabe.", None),
        ("Please welcome Grace Hopper, who stands in for Noor Okafor.", None),
        ("Please welcome Noor Okafor's student, Grace Hopper.", None),
        ("Ken Watanabe spricht anstelle von Noor Okafor.", None),
        ("Le doy la palabra a Ortega.", None),
        ("Over to Ana.", None),
        ("Over to Ken Smith.", None),
        ("Later we hear from Noor Okafor.", None),
        ("We hear from Noor Okafor first, and then over to Ken Watanabe.", None),
        ("Please welcome Ana Ortega Martínez.", None),
    ],
)
def test_introductions_are_understood_in_several_languages_and_only_where_they_are_plain(
    catalogue: Database, text: str, person: str | None
) -> None:
    found = proposed(catalogue, session(catalogue, "panel", PEOPLE, TURNS, [(50, text)]))
    assert {label: who for label, (who, _) in found.items()} == ({"Voice 2": person} if person else {})


@pytest.mark.parametrize(
    ("text", "person"),
    [
        ("Ich heiße Noor Okafor.", "noor-okafor"),
        ("Bonjour, je m'appelle Ana Lindqvist.", "ana-lindqvist"),
        ("Soy Juan Carlos Ortega, de Sevilla.", "juan-carlos-ortega"),
        ("Ich bin Noor Okafor, guten Tag.", "noor-okafor"),
        ("Good morning, I am Noor Okafor from Lagos.", "noor-okafor"),
        ("Ich bin Noor Okafor sehr dankbar.", None),
        ("I'm Noor Okafor's student.", None),
        ("Hi, I'm Ana.", None),
        ("This is Noor Okafor.", None),
        ("My name is Grace Hopper.", None),
    ],
)
def test_who_tells_their_own_name_is_proposed(catalogue: Database, text: str, person: str | None) -> None:
    found = proposed(catalogue, session(catalogue, "panel", PEOPLE, TURNS, [(70, text)]))
    assert {label: who for label, (who, _) in found.items()} == ({"Voice 2": person} if person else {})


ALONE = [(0, 20, 0), (20, 500, 1)]
THEN = [*ALONE, (500, 510, 0)]


@pytest.mark.parametrize(
    ("said", "weak"),
    [
        ([], True),
        ([(5, "Good morning, everybody.")], True),
        ([(5, "Please welcome Noor Okafor.")], False),
        ([(30, "I'm Noor Okafor.")], False),
        ([(501, "Thank you very much, Noor.")], False),
        ([(501, "Vielen Dank, Frau Okafor!")], False),
        ([(450, "Thank you, Noor Okafor.")], True),
        ([(501, "Thank you for the report on Noor Okafor.")], True),
        ([(501, "Thanks, Noor Okafor and Grace Hopper.")], True),
        ([(501, "Thank you, Grace Hopper.")], None),
        ([(501, "Thank you, Ken Watanabe.")], None),
    ],
)
def test_what_the_timetable_alone_speaks_for_is_weak_and_what_is_said_speaks_for_or_against_it(
    catalogue: Database, said: Sequence[tuple[int, str]], weak: bool | None
) -> None:
    people: People = [(NOOR, "speaker"), (KEN, "chair")]
    found = proposals(catalogue, session(catalogue, "talk", people, THEN, said))
    assert [(each.person, each.weak) for each in found] == ([] if weak is None else [("noor-okafor", weak)])


@pytest.mark.parametrize(
    "said",
    [
        [(5, "Noor Okafor ist leider krank.")],
        [(5, "Please welcome Grace Hopper.")],
        [(25, "My name is Grace Hopper.")],
        [(25, "Hablo en lugar de Noor Okafor.")],
        [(5, "Please welcome"), (8, "Grace Hopper instead of Noor Okafor.")],
    ],
)
def test_the_only_speaker_is_not_proposed_where_the_words_say_somebody_else_speaks(
    catalogue: Database, said: Sequence[tuple[int, str]]
) -> None:
    assert proposed(catalogue, session(catalogue, "talk", [(NOOR, "speaker")], ALONE, said)) == {}


def test_the_voice_of_an_interpretation_is_the_interpreters(catalogue: Database) -> None:
    people: People = [(NOOR, "speaker"), (KEN, "interpreter")]
    id_ = session(catalogue, "talk", people, ALONE, [(25, "I am Noor Okafor, and I thank you.")])
    assert {who for who, _ in proposed(catalogue, id_).values()} == {"noor-okafor"}
    catalogue.execute("UPDATE recording SET role = 'interpretation'")
    assert proposed(catalogue, id_) == {
        "Voice 2": ("ken-watanabe", "speaks for 96% of the time, and the timetable has one interpreter")
    }


def test_consecutive_interpretation_leaves_open_who_was_introduced(catalogue: Database) -> None:
    turns = [(0, 60, 0), (60, 80, 1), (80, 110, 2), (110, 130, 1), (130, 160, 2)]
    said = [(50, "Please welcome Noor Okafor."), (62, "Ich begrüße Noor Okafor.")]
    assert proposed(catalogue, session(catalogue, "panel", PANEL, turns, said)) == {}


def test_disagreement_proposes_nobody(catalogue: Database) -> None:
    said = [(50, "Please welcome Noor Okafor."), (70, "I'm Ken Watanabe."), (225, "Over to Ken Watanabe.")]
    assert proposed(catalogue, session(catalogue, "panel", PANEL, TURNS, said)) == {}


def test_a_named_voice_is_left_alone_and_its_person_is_proposed_for_no_other(catalogue: Database) -> None:
    id_ = session(catalogue, "panel", PANEL, TURNS, [(50, "Please welcome Noor Okafor.")])
    name(catalogue, id_, "Voice 3", "noor-okafor")
    assert proposed(catalogue, id_) == {}
    name(catalogue, id_, "Voice 3", None)
    assert set(proposed(catalogue, id_)) == {"Voice 2"}


def near(vector: np.ndarray, cosine: float) -> np.ndarray:
    other = np.zeros(192)
    other[191] = 1
    return cosine * vector + (1 - cosine**2) ** 0.5 * other


ONE, TWO = np.eye(192)[0], np.eye(192)[1]
LONG = [(0, 300, 0), (300, 600, 1)]


def test_a_voice_that_was_named_elsewhere_is_proposed_where_voiceprints_are_kept(catalogue: Database) -> None:
    first = session(catalogue, "first", [(NOOR, "speaker"), (KEN, "speaker")], LONG, vectors=[ONE, TWO])
    name(catalogue, first, "Voice 1", "noor-okafor")
    both: People = [(NOOR, "speaker"), (KEN, "speaker")]
    later = session(catalogue, "later", both, LONG, vectors=[TWO, near(ONE, 0.7)])
    assert proposed(catalogue, later) == {"Voice 2": ("noor-okafor", "is like their voice in another session (70%)")}
    far = session(catalogue, "far", both, LONG, vectors=[TWO, near(ONE, 0.5)])
    assert proposed(catalogue, far) == {}, "nobody is named by nearness alone"
    absent = session(catalogue, "absent", [(KEN, "speaker"), (MARIA, "speaker")], LONG, vectors=[TWO, ONE])
    assert proposed(catalogue, absent) == {}, "only people in the timetable"


def test_a_voice_that_is_not_in_the_programme_is_nobodys(catalogue: Database) -> None:
    for slug, person, vector in (("one", NOOR, ONE), ("two", KEN, TWO)):
        name(catalogue, session(catalogue, slug, [(person, "speaker")], [(0, 300, 0)], vectors=[vector]), "Voice 1",
             {"one": "noor-okafor", "two": "ken-watanabe"}[slug])  # fmt: skip
    swapped = session(catalogue, "swapped", [(NOOR, "speaker")], [(0, 300, 0)], vectors=[TWO])
    assert proposed(catalogue, swapped) == {}, "it is another's voice"
    stranger = session(catalogue, "stranger", [(NOOR, "speaker")], [(0, 300, 0)], vectors=[np.eye(192)[5]])
    assert proposed(catalogue, stranger) == {}, "it is not like the speaker's"
    own = session(catalogue, "own", [(NOOR, "speaker")], [(0, 300, 0)], vectors=[near(ONE, 0.5)])
    assert set(proposed(catalogue, own)) == {"Voice 1"}


def test_forgetting_somebody_unnames_their_voices_and_deletes_their_voiceprints(catalogue: Database) -> None:
    id_ = session(catalogue, "first", [(NOOR, "speaker"), (KEN, "speaker")], LONG, vectors=[ONE, TWO])
    name(catalogue, id_, "Voice 1", "noor-okafor")
    with transaction(catalogue):
        assert forget_person(catalogue, "noor-okafor", by="editor", at=NOW) == 1
        with pytest.raises(UnknownSubjectError):
            forget_person(catalogue, "nobody", by="editor", at=NOW)
    assert [voice.person for voice in voices_of(catalogue, id_)] == [None, None]
    kept = catalogue.execute("SELECT label FROM voiceprint JOIN speaker_tag ON speaker_tag.id = speaker_tag_id")
    assert kept.fetchall() == [("Voice 2",)]
