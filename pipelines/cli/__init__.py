"""The command line: it gathers what a command needs, has it done, and says how it went.

Exit status: 0 done, 1 some items failed or were refused (they are listed), 2 usage or configuration,
130 interrupted (143 by SIGTERM, 129 by a terminal that went).
"""

from __future__ import annotations

import io
import logging
import os
import sys
from collections.abc import Callable

import click
import msgspec
from rich.markup import escape

from archive.errors import ArchiveError
from metadata.errors import MetadataError
from pipelines.cli.base import cli
from pipelines.cli.display import Warnings, err
from pipelines.ending import exit_status, heed_signals
from pipelines.errors import PipelineError, disk_full
from pipelines.text import visible

__all__ = ["cli", "main", "obey"]


def main(function: Callable[[], object] = lambda: cli(standalone_mode=False)) -> None:
    """Run the command line in a process of its own."""
    heed_signals()
    logging.basicConfig(level=logging.WARNING, handlers=[Warnings()])
    # Of a worker process that is killed, multiprocessing says that it left semaphores; it removes them, too.
    os.environ.setdefault("PYTHONWARNINGS", "ignore:resource_tracker:UserWarning")
    obey(function)


def obey(function: Callable[[], object]) -> None:
    """Run a command, and turn errors that people can mend into one line and an exit status."""
    try:
        function()
    except (click.exceptions.Abort, KeyboardInterrupt) as error:
        ended = error.__context__ if isinstance(error, click.exceptions.Abort) else error
        err.print("\nInterrupted: what was finished is kept; run it again to go on.")
        sys.exit(exit_status(ended))
    except click.ClickException as error:
        text = io.StringIO()
        error.show(text)
        click.echo(visible(text.getvalue()), err=True, nl=False)
        sys.exit(2)
    except (PipelineError, ArchiveError, MetadataError) as error:
        err.print(f"[red]rostra:[/] {escape(str(error))}")
        sys.exit(2)
    except OSError as error:
        named = f"{error.filename}: {error.strerror}" if error.filename and error.strerror else str(error)
        if full := disk_full(error):
            named = f"{error.filename}: {full}" if error.filename else str(full)
        err.print(f"[red]rostra:[/] {escape(named)}")
        sys.exit(2)
    except msgspec.MsgspecError as error:
        err.print(f"[red]rostra:[/] {escape(str(error))}")
        sys.exit(2)
