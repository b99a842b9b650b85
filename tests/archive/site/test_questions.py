from __future__ import annotations

from pathlib import Path

from archive.site.session_page.chapters import Chapter
from archive.site.session_page.questions import TITLE, propose_questions
from archive.site.session_page.transcript import Line, paragraphs
from archive.sqlite import Database
from tests.archive.published_folder import publish
from tests.archive.site.test_pages import TALK, Site, read, squeezed

STAGE = ("Noor Okafor", "noor")
ANSWER = "Let me say something that goes on for quite a while about that."


def proposed(*said: tuple[tuple[str, str | None], str], people: tuple[str, ...] = ("noor",), over: int = -1) -> object:
    """Return the chapters of lines of ten seconds each; in the one of a number, others speak, too."""
    lines = [
        Line(
            position=nth, start_ms=nth * 10_000, end_ms=nth * 10_000 + 9_500, text=text, language=None, flags=(),
            speaker=who, person=person, overlapped=nth == over,
        )
        for nth, ((who, person), text) in enumerate(said)
    ]  # fmt: skip
    return propose_questions(paragraphs(lines, {}), people)


ASKED = (
    (STAGE, "Who has a question?"),
    (("Voice 2", None), "Thank you for this."),
    (("Voice 2", None), "Who keeps the tapes?"),
    (("Voice 2", None), "I have long wondered."),
    (STAGE, ANSWER),
    (("Voice 3", None), "No no no, that is wrong"),
    (STAGE, ANSWER),
    (("Voice 2", None), "Thanks a lot."),
    (STAGE, "You are welcome."),
    (STAGE, ANSWER),
)


def test_questions_from_the_audience_are_chapters_and_a_thank_you_is_none() -> None:
    assert proposed(*ASKED) == (
        Chapter(10_000, "Who keeps the tapes?", "question"),
        Chapter(50_000, "No no no, that is wrong", "question"),
    )


def test_who_speaks_while_another_does_and_lets_them_go_on_interrupts() -> None:
    assert proposed(*ASKED, over=5) == (
        Chapter(10_000, "Who keeps the tapes?", "question"),
        Chapter(50_000, "No no no, that is wrong", "interruption"),
    )


def test_where_no_voice_has_a_name_who_speaks_longest_is_on_the_stage() -> None:
    nameless = [(("Voice 1", None) if who == STAGE else who, text) for who, text in ASKED]
    assert proposed(*nameless) == proposed(*ASKED)


def test_somebody_named_who_is_not_in_the_timetable_is_of_the_audience() -> None:
    ken = [(("Ken", "ken") if who[0] == "Voice 3" else who, text) for who, text in ASKED]
    assert proposed(*ken) == proposed(*ASKED)
    assert proposed(*ken, people=("noor", "ken")) == (Chapter(10_000, "Who keeps the tapes?", "question"),)


def test_a_long_question_is_cut_at_a_word() -> None:
    [chapter] = proposed((STAGE, ANSWER), (("Voice 2", None), "Is it so that " + "whatever " * 20 + "is said?"))  # type: ignore[misc]
    assert chapter.title == "Is it so that whatever whatever whatever whatever whatever whatever…"  # type: ignore[has-type]
    assert len(chapter.title) <= TITLE  # type: ignore[has-type]


def test_without_voices_there_is_nothing_to_propose() -> None:
    assert proposed() == ()
    assert propose_questions(paragraphs([], {}), ()) == ()


def add_speakers(db: Database, _media: Path) -> None:
    """Make the example's first session one of questions, with two voices, of which one interrupts the other."""
    for statement in (
        "UPDATE session SET kind = 'qa' WHERE slug = 'what-an-archive-owes'",
        "INSERT INTO speaker_tag(id, recording_id, label, person_id, turns) VALUES (1, 1, 'Noor', 1, 3)",
        "INSERT INTO speaker_tag(id, recording_id, label) VALUES (2, 1, 'Voice 2')",
        "UPDATE segment SET speaker_tag_id = iif(position IN (3, 5), 2, 1) WHERE transcript_id = 1",
        "UPDATE segment SET overlapped = 1 WHERE transcript_id = 1 AND position = 5",
    ):
        db.execute(statement)


def test_pages_say_who_asks_who_speaks_and_what_is_said_over_each_other(tmp_path: Path) -> None:
    publish(tmp_path, more=add_speakers)
    site = Site(tmp_path)
    pages = (TALK, "/people/noor-okafor", "/events/summer-university-2022", "/search?q=debt")
    talk, person, event, found = (squeezed(read(site, page).text) for page in pages)
    segments = site.get("/api/1/transcripts/0000000100000001").json()["segments"]
    site.datasette.executor.shutdown()
    assert (
        "Chapters proposed by who speaks"
        " 0:17 Question So the first debt is a table of contents, down to the second."
        " 0:27 Interruption A lighthouse does not tell ships where to go, it tells them where…" in talk
    )
    assert "Who speaks, and for how long Noor Okafor 37 secs · 3 turns Voice 2 10 secs · 2 turns" in talk
    assert "it tells them where they are. Others speak, too" in talk
    assert talk.count("Others speak, too") == 1
    assert [each["position"] for each in segments if each["overlapped"]] == [5]
    assert "speaks for 37 secs in these recordings 3 turns" in person
    assert "Who spoke longest Noor Okafor 37 secs · 3 turns" in event
    assert "Said by Noor Okafor 1" in found
    assert "0:17 Voice 2 A recording that nobody can search" in found


def test_a_page_links_captions_without_speakers_where_there_are_any(tmp_path: Path) -> None:
    """Also where the names are hostile: they stand in text, and nothing of them is markup or a cell's formula."""

    def rename(db: Database, media: Path) -> None:
        add_speakers(db, media)
        db.execute("UPDATE speaker_tag SET label = ? WHERE id = 2", ["<script>alert(1)</script>"])

    publish(tmp_path, more=rename)
    site = Site(tmp_path)
    page = read(site, TALK)
    links = [str(href) for href in page.attributes("a", "href") if "captions." in str(href)]
    without = [href for href in links if href.endswith("speakers=no")]
    named = [href for href in links if href not in without]
    assert without == [f"{href}?speakers=no" for href in named] != []
    for plain, bare in ((site.get(href).text, site.get(f"{href}?speakers=no").text) for href in named):
        assert "Noor" in plain
        assert "Noor" not in bare
        assert "alert(1)" not in bare
        assert "first debt" in bare
    assert "<script>alert" not in site.get(TALK).text
    assert "<script>alert" not in site.get(f"{TALK}/captions.vtt").text
    site.datasette.executor.shutdown()
