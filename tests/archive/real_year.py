"""The gatherings of a real year, as values: what any catalogue of events must hold without bending."""

from __future__ import annotations

from metadata.model import Attendance, Event, Figure, Person, Place, Role, Session

STRANDS = ("Thought", "Practice", "Arts")

ONLINE_UNIVERSITY = Event(
    slug="online-university-2022",
    title="Online University",
    series="Online University",
    mode="online",
    start_date="2022-07-23",
    end_date="2022-07-26",
    time_zone="Etc/UTC",
    languages=("en",),
    interpreted_into=("ar", "de", "el", "es", "fa", "fr", "hu", "pt"),
    places=(
        Place(name="Online", kind="online"),
        Place(name="Watch party", kind="watch-party", city="Caracas", country="VE"),
        Place(name="Watch party", kind="watch-party", city="Dhaka", country="BD"),
        Place(name="Watch party", kind="watch-party", city="Nairobi", country="KE"),
    ),
    attendance=(
        Attendance(
            measure="registered", people=Figure(count=1000), countries=Figure(count=91), observed_on="2022-06-25"
        ),
        Attendance(
            measure="registered", people=Figure(count=1800), countries=Figure(count=100), observed_on="2022-07-12"
        ),
        Attendance(measure="registered", people=Figure(count=3800), observed_on="2022-07-23"),
    ),
    sessions=tuple(
        Session(
            slug=f"session-{number + 1}",
            title=f"Session {number + 1}",
            kind="plenary" if number == 0 else "panel",
            track=STRANDS[number % 3],
            start=f"2022-07-{23 + number // 4}T{14 + number % 4 * 2}:00:00+00:00",
            planned_ms=90 * 60_000,
            language="en",
            people=(
                Role(person=Person(name=f"Speaker {number + 1}")),
                Role(person=Person(name="The Interpreter"), role="interpreter"),
            ),
        )
        for number in range(14)
    ),
)

WINTER_SCHOOL = Event(
    slug="winter-school-2022",
    title="Winter School",
    series="Winter School",
    edition=12,
    mode="online",
    start_date="2022-02-19",
    end_date="2022-02-21",
    time_zone="Europe/London",
    places=(Place(name="Zoom", kind="online"),),
    languages=("en",),
)

SUMMER_SCHOOL = Event(
    slug="summer-school-2022",
    title="Summer School",
    series="Summer School",
    start_date="2022-07-02",
    end_date="2022-07-03",
    time_zone="America/Edmonton",
    places=(Place(name="Campus", city="Edmonton", country="CA"),),
    attendance=(Attendance(measure="attended", people=Figure(count=100, qualifier="over")),),
)

CONGRESS = Event(
    slug="congress-2022",
    title="Congress",
    mode="hybrid",
    start_date="2022-05-21",
    end_date="2022-05-22",
    time_zone="America/Mexico_City",
    languages=("es",),
    places=(Place(name="Faculty", city="Mexico City", country="MX"), Place(name="Stream", kind="online")),
    attendance=(Attendance(measure="attended", people=Figure(count=85, qualifier="about")),),
)

BOOK_LAUNCH = Event(
    slug="book-launch-2022",
    title="Book launch",
    mode="online",
    start_date="2022-01-15",
    end_date="2022-01-15",
    time_zone="Europe/London",
    languages=("en",),
    sessions=(
        Session(
            slug="launch",
            title="The book",
            kind="launch",
            start="2022-01-15T18:00:00+00:00",
            people=(Role(person=Person(name="The Author"), role="author"),),
            attendance=(
                Attendance(measure="attended", people=Figure(count=300, qualifier="over"), countries=Figure(count=18)),
            ),
        ),
        Session(slug="questions", title="Questions and answers", kind="qa", start="2022-01-15T19:00:00+00:00"),
    ),
)

DAY_OF_EVENTS = Event(
    slug="day-of-events-2022",
    title="A day of events",
    mode="hybrid",
    start_date="2022-10-05",
    end_date="2022-10-05",
    places=tuple(Place(name=f"Place {number}", city=f"City {number}") for number in range(1, 37)),
    sessions=tuple(
        Session(slug=f"place-{number}", title=f"At place {number}", kind="other", place=f"Place {number}")
        for number in range(1, 37)
    ),
)

REAL_YEAR = (ONLINE_UNIVERSITY, WINTER_SCHOOL, SUMMER_SCHOOL, CONGRESS, BOOK_LAUNCH, DAY_OF_EVENTS)
