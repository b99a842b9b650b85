"""What researchers take away: ``rostra export corpus``."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import click
from rich.markup import escape
from rich.progress import Progress

from archive.research.corpus import FORMS, Chosen
from archive.research.corpus.reading import Selection
from archive.research.subcorpus import FILTERS, Subcorpus, from_address
from archive.search.filters import Filters
from archive.urls import CORPUS
from pipelines.cli.base import Examples, archive_option, emit, export, json_option, session_name
from pipelines.cli.display import err
from pipelines.exchange.corpora import export_corpus, source
from pipelines.storage.own import refuse_kept
from pipelines.text import counted, one_line

FORMS_TOLD = "\n".join(f"  {form.name:<9} {form.title}: {form.about}" for form in FORMS.values())


@export.command(
    "corpus",
    cls=Examples,
    examples=(
        "rostra export corpus corpus/",
        "rostra export corpus tides.zip --form tei --query tide --since 2021-01-01",
        "rostra export corpus noor/ --form parquet --form text --speaker noor-okafor",
        "rostra export corpus part/ --part 'https://talks.example.org/corpus?event=winter-school-12'",
    ),
    help=f"""Write what was said into DEST, a folder or a .zip, for tools of corpus linguistics and statistics.

It holds what is published, with the times and confidence of words; what was heard with doubt is marked. A descriptor
(datapackage.json) says what each file and column is. The same publication gives the same bytes.

\b
Forms:
{FORMS_TOLD}
""",
)
@click.argument("dest", type=click.Path(path_type=Path))
@click.option(
    "--form", "forms", multiple=True, type=click.Choice(list(FORMS)), help="May be given again.  [default: csv]"
)
@click.option("--event", help="Only this event (its slug).")
@click.option("--session", help="Only this session (its slug, or EVENT/SESSION).")
@click.option("--series", help="Only this series (its slug).")
@click.option("--speaker", help="Only what this person said (a slug).")
@click.option("--person", help="Only sessions in which this person took part (a slug).")
@click.option("--language", help="Only transcripts in this language.")
@click.option("--track", help="Only this track.")
@click.option("--kind", help="Only this kind of session.")
@click.option("--year", help="Only this year.")
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="Only from this day on.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="Only up to this day.")
@click.option("--query", default="", help="Only sessions in which this was said.")
@click.option("--part", "address", help="The address of a part of the archive on its site, instead of all these.")
@click.option("--name", default="", help="What the corpus is called.  [default: as the site]")
@click.option("--translations", is_flag=True, help="Translations, too.")
@click.option("--private", is_flag=True, help="All that the archive holds, not only what is published.")
@json_option
@archive_option
def corpus(
    root: Path,
    dest: Path,
    forms: tuple[str, ...],
    query: str,
    address: str | None,
    name: str,
    translations: bool,
    private: bool,
    as_json: bool,
    **chosen: object,
) -> None:
    """Write what was said for other tools."""
    part = _part(chosen, query, address, name, translations=translations)
    refuse_kept(dest)
    with source(root, private=private) as of, Progress(console=err, transient=True) as progress:
        task = progress.add_task("corpus", total=None)
        wanted = forms or ("csv",)

        def began(found: Chosen) -> None:
            progress.update(task, total=len(found.transcripts) * len(set(wanted)))

        written = export_corpus(of, part, wanted, dest, began=began, seen=lambda _document: progress.advance(task))
    if as_json:
        told = {"to": str(dest), "files": list(written.files), "part": part.url}
        emit(told | {"transcripts": written.documents, "segments": written.segments})
        return
    amount = f"{counted(written.documents, 'transcript')}, {counted(written.segments, 'segment')}"
    err.print(f"[green]✓[/] {escape(one_line(str(dest)))}: {amount} in {counted(len(written.files), 'file')}")


def _part(chosen: dict[str, object], query: str, address: str | None, name: str, *, translations: bool) -> Subcorpus:
    """Return the part of the archive that options name."""
    values = {key: _value(value) for key, value in chosen.items() if value is not None}
    if address is not None:
        if values or query:
            raise click.UsageError("--part says what is chosen: leave out the other options that choose")
        _refuse_other(address)
        named = from_address(address)
        return Subcorpus(named.selection, name or named.name)
    if "session" in values:
        event, values["session"] = session_name(values["session"])
        values |= {"event": event} if event else {}
    return Subcorpus(Selection(filters=Filters(**values), query=query, translations=translations), name)


def _refuse_other(address: str) -> None:
    """Raise BadParameter for an address that is of no part, which would choose all of the archive."""
    said = parse_qs(urlsplit(address).query, keep_blank_values=True)
    unknown = sorted(said.keys() - {"q", "name", "translations", *FILTERS})
    if unknown or not (said or urlsplit(address).path.rstrip("/").endswith(CORPUS)):
        reason = f"{unknown[0]!r} in it chooses nothing" if unknown else "it chooses nothing"
        raise click.BadParameter(f"{reason}: copy the address of a corpus from the site", param_hint="--part")


def _value(value: object) -> str:
    return str(value)[:10] if hasattr(value, "isoformat") else str(value)
