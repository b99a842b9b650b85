"""The parts of the READMEs that the code writes. ``python -m tests.readme`` writes them anew."""

from __future__ import annotations

import re
from pathlib import Path

from metadata import captions as caption_formats
from metadata.timetables import FORMATS
from metadata.timetables.csv_sessions import COLUMNS
from metadata.timetables.yaml_event import EXAMPLE_YAML
from metadata.timetables.yaml_fields import SECTIONS, Documented, documented
from pipelines.cli.base import COMMANDS
from pipelines.config import template
from pipelines.stages import STAGES, RunsOn
from tests.bench import diarization_tables, plan, search_tables, tables

README = Path(__file__).resolve().parent.parent / "README.md"
RUNS_ON: dict[RunsOn, str] = {
    "driver": "in the process that has the catalogue",
    "workers": "in worker processes, here or on a cluster",
    "models": "in worker processes that load a model, here or on a cluster",
}
READMES = (README, *(README.parent / folder / "README.md" for folder in ("metadata", "archive", "pipelines", "tests")))


def commands() -> str:
    """Return a table of all commands, as ``rostra --help`` lists them."""
    rows = [f"| `rostra {name}` | {entry.line} |" for name, entry in COMMANDS.items()]
    return "\n".join(["| command | what it does |", "|---|---|", *rows])


def timetables() -> str:
    """Return a table of all timetable formats, and which of them are written too."""
    rows = [
        f"| {each.name} | {each.title}. | {f'`--format {each.written_as}`' if each.written_as else ''} |"
        for each in FORMATS.values()
    ]
    return "\n".join(["| format | what it is | written by `rostra export timetable` |", "|---|---|---|", *rows])


def captions() -> str:
    """Return a table of all formats of captions, with their suffixes, and which are read and written."""
    rows = [
        f"| {each.name} | {each.title} | {', '.join(f'`{suffix}`' for suffix in (each.suffix, *each.other_suffixes))}"
        f" | {'yes' if each.read else ''} | {'yes' if each.write else ''} |"
        for each in caption_formats.FORMATS.values()
    ]
    return "\n".join(["| format | what it is | suffixes | read | written |", "|---|---|---|---|---|", *rows])


def wishes() -> str:
    """Return a table of what files can ask about publication, and what becomes of it."""
    rows = [f"| {each.name} | {each.release_wishes} |" for each in FORMATS.values()]
    return "\n".join(["| format | what makes a session private |", "|---|---|", *rows])


def fields() -> str:
    """Return tables of all fields of a timetable by hand, one for each mapping."""
    return "\n\n".join(_section(section) for section in SECTIONS)


def _section(section: str) -> str:
    about = (SECTIONS[section].__doc__ or "").strip()
    rows = [_field(each) for each in documented() if each.section == section]
    head = ["| field | what may stand there | without it | meaning |", "|---|---|---|---|"]
    return "\n".join([f"#### {section.capitalize()}", "", about, "", *head, *rows])


def _field(field: Documented) -> str:
    absent = "**it is needed**" if field.default is None else f"`{field.default}`" if field.default else ""
    allowed = re.sub(r"\[(\w+)\]", r"[\1](#\1)", field.allowed)
    return f"| `{field.name}` | {allowed} | {absent} | {field.meaning} |"


def columns() -> str:
    """Return a table of the columns of a spreadsheet."""
    rows = [f"| `{name}` | {meaning} |" for name, meaning in COLUMNS.items()]
    return "\n".join(["| column | what it holds |", "|---|---|", *rows])


def example() -> str:
    """Return the example of a timetable by hand."""
    return f"```yaml\n{EXAMPLE_YAML.rstrip()}\n```"


def settings() -> str:
    """Return the settings file of a new archive."""
    return f"```toml\n{template('Winter School').rstrip()}\n```"


def stages() -> str:
    """Return a table of the stages of the pipeline, in order."""
    rows = [
        f"| {each.name} | {each.summary} | `rostra {each.command}{f' --{each.name}' if each.option else ''}` "
        f"| {RUNS_ON[each.runs_on]} |"
        for each in STAGES
    ]
    return "\n".join(["| stage | what it does | run by | where it works |", "|---|---|---|---|", *rows])


def written(text: str) -> str:
    """Return a README with its generated parts as they should be."""
    for name, part in parts().items():
        pattern = rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)"
        text = re.sub(pattern, lambda match, part=part: f"{match[1]}{part}\n{match[2]}", text, flags=re.DOTALL)
    return text


def parts() -> dict[str, str]:
    """Return all generated parts, by the name of their markers."""
    return {
        "timetables": timetables(),
        "captions": captions(),
        "wishes": wishes(),
        "fields": fields(),
        "columns": columns(),
        "example": example(),
        "commands": commands(),
        "transcripts": tables.section(tables.read(), tables.read(tables.WITHOUT_INT8)),
        "speakers": diarization_tables.section(diarization_tables.read()),
        "search": search_tables.section(),
        "plan": plan.table(),
        "settings": settings(),
        "stages": stages(),
    }


if __name__ == "__main__":
    for path in READMES:
        path.write_text(written(path.read_text(encoding="utf-8")), encoding="utf-8")
