"""The parts of README.md that the code writes. ``python -m tests.readme`` writes them anew."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from click import Context

from metadata.timetables import FORMATS, WRITERS
from pipelines.cli import cli
from pipelines.config import template
from tests.bench import plan, search_tables, tables

README = Path(__file__).resolve().parent.parent / "README.md"


def commands() -> str:
    """Return a table of all commands with what their help says first."""
    names = cli.list_commands(Context(cli))
    rows = [f"| `rostra {name}` | {cli.commands[name].get_short_help_str(200)} |" for name in names]
    return "\n".join(["| command | what it does |", "|---|---|", *rows])


def timetables() -> str:
    """Return a table of all timetable formats, and which of them are written too."""
    written = {id(module): name for name, module in WRITERS.items()}
    rows = []
    for identifier, module in FORMATS.items():
        said = (inspect.getdoc(module) or "").partition("\n\n")[0].replace("\n", " ")
        out = f"`--format {written[id(module)]}`" if id(module) in written else ""
        rows.append(f"| {identifier} | {said} | {out} |")
    return "\n".join(["| format | what it is | written by `rostra export timetable` |", "|---|---|---|", *rows])


def settings() -> str:
    """Return the settings file of a new archive."""
    return f"```toml\n{template('Winter School').rstrip()}\n```"


def written(text: str) -> str:
    """Return a README with its generated parts as they should be."""
    parts = {
        "timetables": timetables(),
        "commands": commands(),
        "transcripts": tables.section(tables.read(), tables.read(tables.WITHOUT_INT8)),
        "search": search_tables.section(),
        "plan": plan.table(),
        "settings": settings(),
    }
    for name, part in parts.items():
        pattern = rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)"
        text = re.sub(pattern, lambda match, part=part: f"{match[1]}{part}\n{match[2]}", text, flags=re.DOTALL)
    return text


if __name__ == "__main__":
    README.write_text(written(README.read_text(encoding="utf-8")), encoding="utf-8")
