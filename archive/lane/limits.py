"""What one statement of a stranger may take."""

HEAP_BYTES = 128 << 20
"""Of SQLite in one process: sorting, strings and pages."""
PROCESS_BYTES = 768 << 20
"""Of the address space of one process: its programs and libraries, too."""
MAX_ANSWER_BYTES = 16 << 20
"""Of all values of an answer."""
PROCESSES = 2
"""Statements that run at once."""
MAX_WAITING = 64
"""Statements that wait; whoever comes then is asked to come again."""
GRACE_SECONDS = 1.0
"""After its time a process is ended: some of SQLite's functions do not look at the clock."""
