"""How a process is told to end: a service manager and a terminal that goes are heeded as Ctrl-C is.

It imports next to nothing, so that a command can heed them before all else, which takes up to a second to import.
"""

from __future__ import annotations

import signal


class Ended(KeyboardInterrupt):
    """A signal asked this process to end.

    Attributes:
        number: the signal's.
    """

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number


def heed_signals() -> None:
    """Have a service manager or a lost terminal end a run as Ctrl-C does; what nohup ignores stays ignored."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _end)


def exit_status(ended: BaseException | None) -> int:
    """Return the exit status of a process that was interrupted, as shells count it."""
    return 128 + (ended.number if isinstance(ended, Ended) else signal.SIGINT)


def _end(number: int, _frame: object) -> None:
    raise Ended(number)
