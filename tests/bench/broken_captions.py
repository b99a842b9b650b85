"""Reads broken caption files by the thousand: ``python -m tests.bench.broken_captions [COUNT]``.

Each format's example is changed in a few places, COUNT times (10,000), and read. What is not read must be refused
by an error of ours, which the run ends at otherwise. While this runs, opening sockets and files is forbidden.
"""

from __future__ import annotations

import logging
import sys
import time

from metadata.captions import READERS
from tests.bench.mutate import Watch
from tests.metadata.test_captions_read import check_mutations


def main() -> None:
    logging.disable(logging.WARNING)
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000
    watch = Watch()
    for name in sorted(READERS):
        check_mutations(name, 10)  # whatever is loaded once is loaded now
        began = time.perf_counter()
        watch.on = True
        read = check_mutations(name, count)
        watch.on = False
        print(
            f"{name:13} {count} broken files: {read} read, {count - read} refused, {time.perf_counter() - began:.1f} s"
        )
    print(f"reached out: {dict(watch.seen) or 'never'}")
    sys.exit(1 if watch.seen else 0)


if __name__ == "__main__":
    main()
