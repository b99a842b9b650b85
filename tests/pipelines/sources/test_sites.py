from __future__ import annotations

import pytest

from metadata.model import ExternalId, Link, Person, Role, Session
from pipelines.config import Pull as Settings
from pipelines.errors import LimitError
from pipelines.sources.sites import _not_longer, described, is_known


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://www.youtube.com/watch?v=dQw4w9WgXcQ", True),
        ("https://vimeo.com/76979871", True),
        ("https://media.ccc.de/v/36c3-10652-all_sorted_by_machines_of_loving_grace", True),
        ("https://example.org/talk.mp4", False),
        ("http://127.0.0.1/", False),
    ],
)
def test_site_is_known_by_name_or_left_alone(url: str, expected: bool) -> None:
    assert is_known(url) is expected


def test_what_a_site_says_describes_the_session() -> None:
    info = {
        "id": "abc",
        "extractor_key": "Youtube",
        "title": "On tides\x07",
        "description": "About the sea.",
        "timestamp": 1658592000,
        "language": "eng",
        "creators": ["Noor Okafor", "Noor Okafor"],
        "uploader": "A channel",
        "webpage_url": "https://www.youtube.com/watch?v=abc",
    }
    assert described(info) == Session(
        slug="on-tides",
        title="On tides",
        start="2022-07-23T16:00:00+00:00",
        language="en",
        abstract="About the sea.",
        people=(Role(person=Person(name="Noor Okafor")),),
        links=(Link(rel="website", url="https://www.youtube.com/watch?v=abc"),),
        external_ids=(ExternalId(scheme="youtube", value="abc"),),
    )


@pytest.mark.parametrize(
    "info", [{}, {"title": None, "timestamp": 1e300, "language": "??", "webpage_url": "javascript:x", "creators": None}]
)
def test_what_is_missing_or_wrong_is_left_out(info: dict[str, object]) -> None:
    assert described(info) == Session(slug="recording", title="Recording")


def test_recording_that_is_too_long_is_refused_before_it_is_downloaded() -> None:
    judge = _not_longer(Settings(max_hours=1))
    judge({"duration": 3599}, incomplete=False)
    with pytest.raises(LimitError, match="longer than 1 h"):
        judge({"duration": 3601}, incomplete=False)
