"""Dates of feeds: forms that real programs write. Forms that could mean several things are refused."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, timedelta, timezone
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.errors import InvalidTimeError
from metadata.feed_dates import FeedDate, Published, parse_feed_date, published
from metadata.times import NO_ZONE


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Mon, 3 Feb 2020 16:00:00 +0100", "2020-02-03T16:00:00+01:00"),
        ("Mon, 3 Feb 2020 16:00:00 CET", "2020-02-03T16:00:00+01:00"),
        ("Wed, 3 Jun 2020 15:20:44 PST", "2020-06-03T15:20:44-08:00"),
        ("Thu, 28 Sept 2017 10:00:00 +0000", "2017-09-28T10:00:00+00:00"),
        ("Sun 01 Mar 2015 01:00:00 GMT-0400 (EDT)", "2015-03-01T01:00:00-04:00"),
        ("Mon, 3 Feb 2020 16:00:00 GMT+0530 (India Standard Time)", "2020-02-03T16:00:00+05:30"),
        ("Mon, May 25 2020 04:45:26 +0000", "2020-05-25T04:45:26+00:00"),
        ("Tue, 02 Jan 2024 24:00:00 GMT", "2024-01-03T00:00:00+00:00"),
        ("Sat, 31 Dec 2016 23:59:60 GMT", "2016-12-31T23:59:59+00:00"),
        ("Fri, 2 May 2014 10:10 GMT", "2014-05-02T10:10:00+00:00"),
        ("Fri, 2 May 2014 10:10:00GMT", "2014-05-02T10:10:00+00:00"),
        ("Mon, 3 Feb 2020 16:00:00 Z", "2020-02-03T16:00:00+00:00"),
        ("Mon, 3 Feb 2020 16:00:00 -0000", "2020-02-03T16:00:00+00:00"),
        ("Mon, 3 Feb 2020 16:00:00 UTC+1", "2020-02-03T16:00:00+01:00"),
        ("Mon, 3 Feb 2020 16:00:00 GMT-05:30", "2020-02-03T16:00:00-05:30"),
        ("Mon, 3 Feb 2020 16:00:00 EST-0500", "2020-02-03T16:00:00-05:00"),
        ("Tue, 3 Feb 20 16:00:00 EST", "2020-02-03T16:00:00-05:00"),
        ("Tue, 3 Feb 70 16:00:00 GMT", "1970-02-03T16:00:00+00:00"),
        ("Mon, 3 Feb 2020 16:00:00 AEST", "2020-02-03T16:00:00+10:00"),
        ("Mon, 3 Feb 2020 16:00:00 (CET) +0100", "2020-02-03T16:00:00+01:00"),
        ("Monday, 3 February 2020 16:00:00 GMT", "2020-02-03T16:00:00+00:00"),
        ("Monday, 03-Feb-20 16:00:00 GMT", "2020-02-03T16:00:00+00:00"),
        ("Mon Feb  3 16:00:00 UTC 2020", "2020-02-03T16:00:00+00:00"),
        ("Mon, 3 Feb 2020 4:00 PM EST", "2020-02-03T16:00:00-05:00"),
        ("Mon, 3 Feb 2020 12:30 a.m. GMT", "2020-02-03T00:30:00+00:00"),
        ("2020-02-03T16:00:00.123Z", "2020-02-03T16:00:00+00:00"),
        ("2020-02-03T16:00:00+0100", "2020-02-03T16:00:00+01:00"),
        ("2020-02-03 16:00:00 +0100", "2020-02-03T16:00:00+01:00"),
        ("2020-02-03T24:00:00Z", "2020-02-04T00:00:00+00:00"),
        ("1580745600", "2020-02-03T16:00:00+00:00"),
        ("1580745600000", "2020-02-03T16:00:00+00:00"),
        ("  Mon,\n 3 Feb 2020\t16:00:00 GMT ", "2020-02-03T16:00:00+00:00"),
    ],
)
def test_feed_date_with_a_zone(text: str, moment: str) -> None:
    found = parse_feed_date(text).moment
    assert found is not None
    assert found.isoformat() == moment
    assert published(text) == Published(start=moment)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("Sun, 19 Dec 2021", "2021-12-19"),
        ("2021-12-19", "2021-12-19"),
        ("May 5, 2020", "2020-05-05"),
        ("5 May 20", "2020-05-05"),
        ("2020 May 5", "2020-05-05"),
    ],
)
def test_feed_date_without_an_hour(text: str, day: str) -> None:
    assert published(text) == Published(day=day, doubt=f"{text} has no hour: only the day is kept")


@pytest.mark.parametrize("zone", ["A", "IST", "BST", "XYZ", "at"])
def test_feed_date_in_a_zone_that_nobody_knows(zone: str) -> None:
    doubt = f"the time zone {zone.upper()!r} is unknown or means several: only the day 2020-02-03 is kept"
    assert published(f"Mon, 3 Feb 2020 16:00:00 {zone}") == Published(day="2020-02-03", doubt=doubt)


def test_feed_date_without_a_zone() -> None:
    text = "Mon, 3 Feb 2020 16:00:00"
    assert published(text) == Published(start="2020-02-03T16:00:00+00:00", doubt=NO_ZONE)
    assert published(text, "Asia/Tokyo") == Published(start="2020-02-03T16:00:00+09:00")


@pytest.mark.parametrize(
    "text",
    [
        "someday", "03/02/2020", "3.2.2020", "3 février 2020", "Mon, 30 Feb 2020 16:00:00 GMT", "Feb 2020", "2020",
        "Mon, 3 Feb 2020 25:00:00 GMT", "Mon, 3 Feb 2020 24:01:00 GMT", "Mon, 3 Feb 2020 16:60:00 GMT",
        "Mon, 3 Feb 2020 13:00 PM GMT", "Mon, 3 Feb 2020 16:00:00 +1500", "Mon, 3 Feb 2020 16:00:00 +0160",
        "3 Feb 2020 16:00 17:00", "2020-02-03+01:00", "20200203", "0", "12", "158074560000000", "3 4 Feb 2020",
        "3 Feb Mar 2020", "0000-00-00 00:00:00", "Mon, 3 Feb 2020 16:00:00 GMT <b>", "x" * 5000, "3 Feb 99999",
    ],
)  # fmt: skip
def test_feed_date_refused_and_said(text: str) -> None:
    with pytest.raises(InvalidTimeError):
        parse_feed_date(text)
    found = published(text)
    assert (found.start, found.day) == (None, None)
    assert found.doubt is not None
    assert found.doubt.endswith(": left out")


@pytest.mark.parametrize("text", [None, "", " \n"])
def test_feed_date_absent(text: str | None) -> None:
    assert published(text) == Published()


@given(st.text("MonFebruary 0123456789:-+(),TZGMPC/.\u0663é", max_size=40))
def test_feed_date_any_text(text: str) -> None:
    with suppress(InvalidTimeError):
        assert isinstance(parse_feed_date(text), FeedDate)
    assert isinstance(published(text), Published)


@given(st.datetimes().filter(lambda local: 1950 < local.year < 2049), st.integers(-12 * 60, 14 * 60))
def test_feed_date_as_mail_writes_it(local: datetime, minutes: int) -> None:
    moment = local.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=minutes)))
    assert parse_feed_date(format_datetime(moment)).moment == moment
