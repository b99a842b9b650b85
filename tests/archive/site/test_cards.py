"""A quote as a picture: published words of a moment, and none where they cannot be drawn."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from PIL import Image, ImageDraw

from archive.site.pictures import fonts
from archive.site.pictures.cards import LETTERS, SIZE, Quote, draw, said, wrap
from archive.site.published import current
from archive.site.session_page.page import TimeSpan
from archive.site.session_page.recordings import TrackTranscript
from tests.archive.published_folder import SENTENCES, SPANISH_SENTENCES
from tests.archive.site.test_pages import TALK, Reader, Site, serve_example

URL = "http://127.0.0.1:8001"
T = TypeVar("T")
ENGLISH = TrackTranscript(id=1, version="v1", kind="asr", language="en", generator="")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with serve_example(tmp_path_factory.mktemp("public"), title="Radio Lighthouse") as made:
        yield made


def quoted(site: Site, span: TimeSpan, version: TrackTranscript = ENGLISH) -> tuple[str, str, int]:
    return ask(site, lambda conn: said(conn, version, span))


def ask(site: Site, read: Callable[[Any], T]) -> T:
    answer: T = asyncio.run(current(site.datasette).execute_fn(read))
    return answer


@pytest.mark.parametrize(
    ("start", "end", "words", "told"),
    [
        (0, None, SENTENCES[0][2], 0),
        (4_100, None, SENTENCES[0][2], 4_000),
        (27_600, None, SENTENCES[5][2], 27_600),
        (99_999_000, None, SENTENCES[9][2], 58_900),
        (4_000, 15_000, f"{SENTENCES[1][2]} {SENTENCES[2][2]}", 4_000),
        (27_500, 47_000, f"{SENTENCES[5][2]} … {SENTENCES[7][2]}", 27_500),
        (34_000, None, "", 0),
        (33_200, 38_000, "", 0),
        (500_000, 600_000, "", 0),
    ],
)
def test_card_has_the_words_of_its_moment_and_no_doubtful_ones(
    site: Site, start: int, end: int | None, words: str, told: int
) -> None:
    assert quoted(site, TimeSpan(start, end)) == (words, "", told)


def test_card_says_where_words_were_taken_out(tmp_path: Path) -> None:
    changes = (
        "DELETE FROM segment WHERE transcript_id = 1 AND position = 1",
        "INSERT INTO redaction (id, recording_id, start_ms, end_ms, reason) VALUES (900, 1, 4200, 9000, '')",
    )
    with serve_example(tmp_path, *changes) as made:
        assert quoted(made, TimeSpan(0, 14_500))[0] == f"{SENTENCES[0][2]} … {SENTENCES[2][2]}"


def test_card_of_two_voices_names_both(tmp_path: Path) -> None:
    changes = (
        "INSERT INTO speaker_tag (id, recording_id, label) VALUES (901, 1, 'Noor'), (902, 1, 'Jonas')",
        "UPDATE segment SET speaker_tag_id = 901 + position WHERE transcript_id = 1 AND position < 2",
    )
    with serve_example(tmp_path, *changes) as made:
        assert quoted(made, TimeSpan(0, 9_000))[1] == "Noor, Jonas"
        assert quoted(made, TimeSpan(4_300, 9_000))[1] == "Jonas"


def test_card_is_a_picture_that_networks_show_whole(site: Site) -> None:
    answer = site.get(f"{TALK}/card.png?t=27.5,33")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    assert Image.open(io.BytesIO(answer.content)).size == SIZE == (1200, 630)
    assert answer.headers["cross-origin-resource-policy"] == "cross-origin"
    assert site.get(f"{TALK}/card.png?t=27.5,33").content == answer.content
    other = site.get(f"{TALK}/card.png?t=1&recording={spanish(site)}")
    assert (other.status_code, SPANISH_SENTENCES[0][0]) == (200, 0)
    assert other.content != answer.content


def spanish(site: Site) -> str:
    return str(ask(site, lambda conn: conn.execute("SELECT sha256 FROM recording WHERE id = 2").fetchone()[0]))[:12]


def test_shared_moment_is_posted_with_its_card_and_a_page_as_such_with_that_of_its_event(site: Site) -> None:
    def pictures(path: str) -> list[str]:
        tags = Reader(site.get(path).text).elements
        return [str(each["content"]) for name, each in tags if name == "meta" and each.get("property") == "og:image"]

    assert pictures(f"{TALK}?t=27.5,33&q=ships") == [f"{URL}{TALK}/card.png?t=27.5,33"]
    assert pictures(TALK) == [f"{URL}/events/summer-university-2022/cover.png"]


def test_text_is_drawn_in_the_scripts_of_this_machine_and_never_as_boxes() -> None:
    texts = {"en": "A lamp.", "ar": "الصوت الذي لا يمكن البحث عنه", "zh": "没有人能搜索的录音", "he": "שלום"}
    for tag, text in texts.items():
        drawn = draw(Quote(text, tag, "Noor", "Here", "Radio"))
        assert (drawn is not None) == (fonts.font_file(frozenset(f"“{text}”")) is not None), tag
    assert draw(Quote("A lamp.", "en", "Noor", "Here", "Radio")) is not None
    assert draw(Quote(f"nobody writes {chr(0x10FFFD)}\U0001f9ff\U00014400", "en", "Noor", "Here", "Radio")) is None


@pytest.mark.parametrize("text", ["word " * 500, "w" * 5_000, "录" * 5_000, "\u0301" * 900 + "a", " "])
def test_any_length_is_drawn_and_cut(text: str) -> None:
    drawn = draw(Quote(text, "en", text[:300], text[:300], "Radio"))
    assert drawn is None or len(drawn) < 400_000
    assert LETTERS < 5_000


def test_lines_are_within_their_width_and_lose_no_letter() -> None:
    pen = ImageDraw.Draw(Image.new("RGB", SIZE))
    file = fonts.font_file(frozenset("abc"))
    assert file is not None
    font = fonts.load(file, 40)
    for text in ("one two three " * 20, "e" * 300, "a " * 90):
        lines = wrap(pen, text.strip(), font, 400)
        assert max(pen.textlength(line, font=font) for line in lines) <= 400
        assert "".join("".join(lines).split()) == "".join(text.split())
