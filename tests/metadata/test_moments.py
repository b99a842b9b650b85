from __future__ import annotations

from datetime import UTC, datetime

import pytest

from metadata.moments import at_moment, site_name

BEGAN = datetime(2022, 2, 19, 18, 3, 12, tzinfo=UTC)
PEERTUBE = "https://tube.example.org/w/kkGMgK9ZtnKfYAgnEtQxbv"
UUID = "9c9de5e8-0a1e-484a-b099-e80766180a6d"


@pytest.mark.parametrize(
    ("address", "site", "moment"),
    [
        ("https://www.youtube.com/watch?v=abc", "YouTube", "https://www.youtube.com/watch?v=abc&t=83s"),
        ("https://m.youtube.com/watch?v=abc&t=5", "YouTube", "https://m.youtube.com/watch?v=abc&t=83s"),
        ("https://youtu.be/a-c_1?t=9", "YouTube", "https://youtu.be/a-c_1?t=83s"),
        ("https://www.youtube.com/live/abc?si=x", "YouTube", "https://www.youtube.com/live/abc?si=x&t=83s"),
        (
            "https://www.youtube-nocookie.com/embed/abc",
            "YouTube",
            "https://www.youtube-nocookie.com/embed/abc?start=83",
        ),
        ("https://vimeo.com/76979871", "Vimeo", "https://vimeo.com/76979871#t=83s"),
        ("https://vimeo.com/channels/staff/76979871#t=1s", "Vimeo", "https://vimeo.com/channels/staff/76979871#t=83s"),
        ("https://vimeo.com/76979871/8a1b2c3d4e", "Vimeo", "https://vimeo.com/76979871/8a1b2c3d4e#t=83s"),
        ("https://player.vimeo.com/video/769?h=a", "Vimeo", "https://player.vimeo.com/video/769?h=a#t=83s"),
        ("https://media.ccc.de/v/37c3-1-opening", "media.ccc.de", "https://media.ccc.de/v/37c3-1-opening#t=83"),
        (PEERTUBE, "tube.example.org", f"{PEERTUBE}?start=83s"),
        (
            f"https://a.example/videos/watch/{UUID}?start=1s",
            "a.example",
            f"https://a.example/videos/watch/{UUID}?start=83s",
        ),
        (f"https://a.example/w/{UUID}", "a.example", f"https://a.example/w/{UUID}?start=83s"),
        ("https://www.dailymotion.com/video/x8", "Dailymotion", "https://www.dailymotion.com/video/x8?start=83"),
        ("https://www.twitch.tv/videos/123", "Twitch", "https://www.twitch.tv/videos/123?t=83s"),
        ("https://archive.org/details/talk", "Internet Archive", "https://archive.org/details/talk?start=83"),
        (
            "https://cdn.example.org/a/Talk.MP4?x=1#t=3",
            "cdn.example.org",
            "https://cdn.example.org/a/Talk.MP4?x=1#t=83.2",
        ),
        (
            "https://us02web.zoom.us/rec/share/abc.def?startTime=1645293792000",
            "Zoom",
            "https://us02web.zoom.us/rec/share/abc.def?startTime=1645293875200",
        ),
        ("https://zoom.us/rec/play/abc", "Zoom", None),
        ("https://www.youtube.com/@channel", "www.youtube.com", None),
        ("https://vimeo.com/about", "vimeo.com", None),
        ("https://example.org/talk", "example.org", None),
    ],
)
def test_sites_have_addresses_of_moments(address: str, site: str, moment: str | None) -> None:
    assert at_moment(address, 83_200) == moment
    assert site_name(address) == site.removeprefix("www.")


def test_zoom_is_told_the_hour_of_a_moment() -> None:
    found = at_moment("https://zoom.us/rec/share/abc?pwd=x", 83_200, began=BEGAN)
    assert found == f"https://zoom.us/rec/share/abc?pwd=x&startTime={round(BEGAN.timestamp() * 1000) + 83_200}"


@pytest.mark.parametrize(
    "address", ["", "javascript:alert(1)", "ftp://a/b.mp4", "https://[bad", "/talk.mp4", "https://"]
)
def test_what_is_no_address_of_the_web_has_none(address: str) -> None:
    assert (at_moment(address, 1), site_name(address)) == (None, None)
