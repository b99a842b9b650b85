from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.errors import InvalidTimeError
from metadata.times import (
    format_clock,
    format_seconds,
    format_timestamp,
    has_offset,
    parse_date,
    parse_moment,
    parse_offset,
    parse_zone,
)

MILLISECONDS = st.integers(min_value=0, max_value=1000 * 3600 * 1000)


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("0", 0),
        ("83.2", 83_200),
        ("83.2s", 83_200),
        ("1:23.2", 83_200),
        ("1:23,2", 83_200),
        ("01:01:23", 3_683_000),
        ("100:00:00", 360_000_000),
        ("99:00", 5_940_000),
        ("120:00.5", 7_200_500),
        ("1m23s", 83_000),
        ("1h", 3_600_000),
        ("2h3m4.5s", 7_384_500),
        (" 7 ", 7_000),
        ("0.0005", 0),
        ("0.0015", 2),
        ("1000:00:00", 3_600_000_000),
    ],
)
def test_offset_readable(text: str, ms: int) -> None:
    assert parse_offset(text) == ms


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "s",
        "abc",
        "-1",
        "+1",
        "1:60",
        "1:2:3:4",
        "1e3",
        "٣",
        "1s1m",
        "nan",
        "1:23.",
        "1000:00:01",
        "60001:00",
        "1:99:00",
    ],
)
def test_offset_refused(text: str) -> None:
    with pytest.raises(InvalidTimeError) as caught:
        parse_offset(text)
    assert caught.value.value == text


def test_offset_refused_long() -> None:
    with pytest.raises(InvalidTimeError) as caught:
        parse_offset("9" * 5000)
    assert caught.value.value == "9" * 32 + "…"


@given(MILLISECONDS)
def test_offset_reads_what_is_written(ms: int) -> None:
    assert parse_offset(format_seconds(ms)) == ms
    assert parse_offset(format_timestamp(ms)) == ms
    assert parse_offset(format_timestamp(ms, separator=",")) == ms
    assert parse_offset(format_clock(ms)) == ms - ms % 1000


@pytest.mark.parametrize(
    ("ms", "clock", "timestamp", "seconds"),
    [
        (0, "0:00", "00:00:00.000", "0"),
        (-5, "0:00", "00:00:00.000", "-0.005"),
        (83_999, "1:23", "00:01:23.999", "83.999"),
        (100_000, "1:40", "00:01:40.000", "100"),
        (3_683_000, "1:01:23", "01:01:23.000", "3683"),
        (360_000_500, "100:00:00", "100:00:00.500", "360000.5"),
    ],
)
def test_times_written(ms: int, clock: str, timestamp: str, seconds: str) -> None:
    assert (format_clock(ms), format_timestamp(ms), format_seconds(ms)) == (clock, timestamp, seconds)


def test_zone_readable() -> None:
    assert parse_zone("Europe/Berlin").key == "Europe/Berlin"


@pytest.mark.parametrize("name", ["", "Berlin", "../etc/passwd", "/etc/passwd", "Europe/", "Europe", "\0", "GMT+25"])
def test_zone_refused(name: str) -> None:
    with pytest.raises(InvalidTimeError):
        parse_zone(name)


def test_date_readable() -> None:
    assert parse_date(" 2022-07-23 ") == date(2022, 7, 23)


@pytest.mark.parametrize("text", ["", "2022", "23.7.2022", "2022-02-30", "2022-07-23T18:00"])
def test_date_refused(text: str) -> None:
    with pytest.raises(InvalidTimeError):
        parse_date(text)


@pytest.mark.parametrize(
    ("text", "zone", "moment"),
    [
        ("2022-07-23T18:00:00+02:00", None, datetime(2022, 7, 23, 16, tzinfo=UTC)),
        ("2022-07-23T18:00+02:00", "Asia/Tokyo", datetime(2022, 7, 23, 16, tzinfo=UTC)),
        ("2022-07-23T18:00", "Europe/Berlin", datetime(2022, 7, 23, 16, tzinfo=UTC)),
        ("2022-01-15 18:00", "Europe/London", datetime(2022, 1, 15, 18, tzinfo=UTC)),
        ("2022-01-15T18:00Z", None, datetime(2022, 1, 15, 18, tzinfo=UTC)),
    ],
)
def test_moment_readable(text: str, zone: str | None, moment: datetime) -> None:
    assert parse_moment(text, zone) == moment


def test_moment_keeps_local_offset() -> None:
    assert parse_moment("2022-07-23T18:00", "Europe/Berlin").isoformat() == "2022-07-23T18:00:00+02:00"


@pytest.mark.parametrize(
    ("text", "zone"),
    [("2022-07-23T18:00", None), ("yesterday", "UTC"), ("2022-07-23T25:00", "UTC"), ("2022-07-23T18:00", "Mars")],
)
def test_moment_refused(text: str, zone: str | None) -> None:
    with pytest.raises(InvalidTimeError):
        parse_moment(text, zone)


@given(
    st.datetimes().filter(lambda local: 2 < local.year < 9998),
    st.integers(min_value=-14 * 60, max_value=14 * 60),
)
def test_moment_reads_what_is_written(local: datetime, minutes: int) -> None:
    moment = local.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert parse_moment(moment.isoformat()) == moment


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00+14:00", "9999-12-31T23:59-12:00", "0001-06-01T00:00", "9999-01-01T00:00"]
)
def test_moment_at_the_edge_of_the_calendar_is_refused(text: str) -> None:
    with pytest.raises(InvalidTimeError, match="between 2 and 9998"):
        parse_moment(text, "UTC")


@pytest.mark.parametrize(
    ("text", "zone", "written"),
    [
        ("2024-07-01T24:00", "Europe/Berlin", "2024-07-02T00:00:00+02:00"),
        ("2024-07-01 24:00:00.000+02:00", None, "2024-07-02T00:00:00+02:00"),
        ("20240701T240000Z", None, "2024-07-02T00:00:00+00:00"),
        ("2024-10-26T24:00", "Europe/Berlin", "2024-10-27T00:00:00+02:00"),
        ("2016-12-31T23:59:60Z", None, "2016-12-31T23:59:59+00:00"),
        ("20161231T235960Z", None, "2016-12-31T23:59:59+00:00"),
    ],
)
def test_moment_at_the_end_of_a_day(text: str, zone: str | None, written: str) -> None:
    assert parse_moment(text, zone).isoformat() == written


@pytest.mark.parametrize("text", ["2024-07-01T24:01", "2024-07-01T24:00:01", "2024-07-01T10:60", "2024-07-01T23:59:61"])
def test_moment_that_no_clock_shows(text: str) -> None:
    with pytest.raises(InvalidTimeError):
        parse_moment(text, "UTC")


@pytest.mark.parametrize(
    ("text", "offset"), [("2024-07-01T10:00", False), ("2024-07-01T10:00Z", True), ("2024-07-01T24:00-05:00", True)]
)
def test_moment_names_its_offset(text: str, offset: bool) -> None:
    assert has_offset(text) is offset
