"""`rostra correct`, from the command line to the catalogue and the next import."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from archive.catalogue.rows import read_event
from metadata.model import EXAMPLE_EVENT, EXAMPLE_SESSION
from pipelines.cli import cli
from pipelines.errors import ConfigError
from pipelines.exchange.corrections import read
from pipelines.storage.archive_folder import init, open_archive
from tests.metadata.timetables.test_cases import CASES


def rostra(*arguments: object) -> Result:
    return CliRunner().invoke(cli, [str(each) for each in arguments])


def test_a_title_an_hour_and_a_name_are_corrected_and_the_timetable_comes_again(tmp_path: Path) -> None:
    init(root := tmp_path / "talks", title="T")
    rostra("import", CASES / "voc.xml", "--archive", root)
    with open_archive(root) as context:
        before = read_event(context.db, "tides24").sessions[0]
    name = before.people[0].person.name
    done = rostra(
        "correct", "session", before.slug, "title=Tides, corrected", "planned=50m", f"people={name}; Bo Ek",
        "--by", "noor", "--json", "--archive", root,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert [(each["field"], each["after"], each["by"]) for each in json.loads(done.stdout)][:2] == [
        ("title", "Tides, corrected", "noor"),
        ("planned_ms", 3_000_000, "noor"),
    ]
    assert rostra("correct", "event", "tides24", "title=Tides of 2024", "--archive", root).exit_code == 0
    assert rostra("correct", "person", "bo-ek", "name=Bo Eek", "biography=Rows.", "--archive", root).exit_code == 0
    again = rostra("import", CASES / "voc.xml", "--archive", root)
    assert "corrected by hand: title, planned_ms, people" in " ".join(again.stderr.split())
    with open_archive(root) as context:
        event = read_event(context.db, "tides24")
    after = event.sessions[0]
    assert (event.title, after.title, after.slug) == ("Tides of 2024", "Tides, corrected", before.slug)
    assert [role.person.name for role in after.people] == [name, "Bo Eek"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title", "'title': expected FIELD=VALUE, where FIELD is one of title, subtitle, people, start"),
        ("colour=x", "'colour=x': expected FIELD=VALUE"),
        (
            "slug=Not One",
            "with single hyphens between; the nearest is 'not-one'",
        ),
        ("slug=", "slug cannot be empty"),
        ("title= ", "title cannot be empty"),
        ("planned=45", "planned: "),
        ("start=2022-07-23", "a date and time such as"),
        ("language=nowhere at all", "language: "),
        ("kind=lunch", "kind: expected one of talk, keynote"),
    ],
)
def test_what_no_session_can_have_is_refused_with_the_reason(text: str, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read("session", EXAMPLE_SESSION, [text])
    assert message in str(caught.value)


def test_values_are_read_as_timetables_have_them() -> None:
    written = ["start=2022-07-23 18:30", "planned=1h30m", "language=German", "abstract=", "people=Bo  Ek; noor okafor"]
    values = read("session", EXAMPLE_SESSION, written, EXAMPLE_EVENT.time_zone)
    people = values.pop("people")
    assert values == {
        "start": "2022-07-23T18:30:00+02:00",
        "planned_ms": 5_400_000,
        "language": "de",
        "abstract": None,
    }
    assert [(role.person.name, role.affiliation) for role in people] == [
        ("Bo Ek", None),
        ("Noor Okafor", "Radio Lighthouse"),
    ]
