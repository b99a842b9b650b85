"""Spoilt timetables by the thousand: none may end in a traceback, or leave anything in the catalogue.

``python -m tests.bench.mutate [--count 10000] [--only TEXT] [--seed N]``

A file of each format among the cases is spoilt, read, applied in a transaction that is undone, and written in
every format. While this runs, opening sockets and files is forbidden, so that nothing inside a document can
reach out.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from typing import Any

from archive.catalogue.database import create_catalogue
from metadata.timetables import detect_format
from metadata.timetables.base import Source
from tests.archive.catalogue.test_spoilt_timetables import size, take
from tests.metadata.timetables.test_cases import READABLE
from tests.mutations import mutations

FORBIDDEN = ("socket.", "subprocess.", "os.system", "os.exec", "urllib.Request", "ftplib.connect", "ctypes.dlopen")
ALLOWED_FILES = ("zoneinfo", "tzdata", "site-packages", "/lib/python", "/catalogue.db")


class Watch:
    """Counts what reaches out of the process while it is on (PEP 578)."""

    def __init__(self) -> None:
        self.on = False
        self.seen: Counter[str] = Counter()
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.on:
            return
        if event.startswith(FORBIDDEN):
            self.seen[event] += 1
        elif event == "open" and not any(part in str(arguments[0]) for part in ALLOWED_FILES):
            self.seen[f"open {arguments[0]}"] += 1


def main() -> None:
    """Spoil, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=10_000, help="spoilt copies a format")
    parser.add_argument("--only", default="", help="files whose names hold this")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    watch, crashed = Watch(), 0
    with tempfile.TemporaryDirectory() as folder:
        db = create_catalogue(Path(folder) / "catalogue.db")
        for path in (path for path in READABLE if options.only in path.name):
            data = path.read_bytes()
            take(db, data, path.name)  # whatever is loaded once is loaded now
            began, outcomes = time.monotonic(), Counter[str]()
            for number, spoilt in enumerate(mutations(data, options.count, options.seed)):
                watch.on = True
                try:
                    outcomes["read" if take(db, spoilt, path.name) else "refused"] += 1
                except Exception:  # noqa: BLE001 - whatever it is, it is what is looked for
                    outcomes["CRASHED"] += 1
                    watch.on = False
                    crashed += 1
                    if outcomes["CRASHED"] <= 3:
                        print(f"{path.name} #{number}", traceback.format_exc()[-1500:], sep="\n")
            watch.on = False
            left = size(db)
            assert left == (0, 0, 0), left
            form = detect_format(Source(path.name, data))
            print(f"{form:14} {path.name:22} {dict(outcomes)} {time.monotonic() - began:.1f} s", flush=True)
        db.close()
    print(f"reached out: {dict(watch.seen) or 'never'}")
    sys.exit(1 if crashed or watch.seen else 0)


if __name__ == "__main__":
    main()
