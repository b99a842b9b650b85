"""Limits for one statement of a visitor."""

HEAP_BYTES = 128 << 20
"""SQLite's memory in one process, for sorting, strings and pages."""
PROCESS_BYTES = 768 << 20
"""The address space of one process, programs and libraries included."""
MAX_ANSWER_BYTES = 16 << 20
"""The size of all values of an answer."""
PROCESSES = 2
"""Statements that run at once."""
MAX_WAITING = 64
"""How many statements may wait; any further one is refused with the advice to try again."""
MAX_OF_ONE = 16
"""How many statements of one address may wait or run: some places stay for others."""
GRACE_SECONDS = 1.0
"""How long after the time limit the process is killed: some SQLite functions never check the time."""
IDLE_SECONDS = 30
"""How long a process waits for a statement until it ends. The next statement begins another."""
