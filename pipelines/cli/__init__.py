"""The command line: it gathers what a command needs, has it done, and says how it went.

Exit status: 0 done, 1 some items failed or were refused (they are listed), 2 usage or configuration,
130 interrupted (143 by SIGTERM, 129 by a terminal that went).
"""

from __future__ import annotations

import io
import logging
import os
import signal
import sys
from collections.abc import Callable

import click
import msgspec
from rich.markup import escape

from archive.errors import ArchiveError
from metadata.errors import MetadataError
from pipelines.cli.base import cli
from pipelines.cli.display import Warnings, err
from pipelines.errors import PipelineError
from pipelines.text import visible

__all__ = ["cli", "main", "run"]


class _Ended(KeyboardInterrupt):
    """A signal asked this process to end.

    Attributes:
        number: the signal's.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def _end(number: int, _frame: object) -> None:
    raise _Ended(number)


def _heed_signals() -> None:
    """Have a service manager or a lost terminal end a run as Ctrl-C does; what nohup ignores stays ignored."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _end)


def main(function: Callable[[], object] = lambda: cli(standalone_mode=False)) -> None:
    """Run the command line in a process of its own."""
    _heed_signals()
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
        sys.exit(128 + (ended.number if isinstance(ended, _Ended) else signal.SIGINT))
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
        err.print(f"[red]rostra:[/] {escape(named)}")
        sys.exit(2)
    except msgspec.MsgspecError as error:
        err.print(f"[red]rostra:[/] {escape(str(error))}")
        sys.exit(2)
