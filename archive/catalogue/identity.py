"""What names a session for good, whatever it is called later: permanent addresses are made of it."""

from __future__ import annotations

import hashlib
from itertools import count

from archive.sqlite import Database, sqlite3

LENGTH = 12
"""Hexadecimal digits."""


def has_identities(conn: sqlite3.Connection) -> bool:
    """Return whether sessions have identities in a publication: in an older Rostra's they have none."""
    return conn.execute("SELECT 1 FROM pragma_table_info('session') WHERE name = 'identity'").fetchone() is not None


def give_identity(db: Database, session: int, event: str, slug: str) -> None:
    """Give a session an identity where it has none: the first address that it had, as a digest.

    So an archive that is made again from the same timetable has the same identities. Where another session has it
    already, which was once at this address, a number is added. The caller owns the transaction.
    """
    if db.execute("SELECT identity FROM session WHERE id = ?", [session]).fetchone()[0] is not None:
        return
    for number in count():
        material = "\0".join([event, slug, *([str(number)] if number else [])])
        identity = hashlib.sha256(material.encode()).hexdigest()[:LENGTH]
        if db.execute("SELECT 1 FROM session WHERE identity = ?", [identity]).fetchone() is None:
            break
    db.execute("UPDATE session SET identity = ? WHERE id = ?", [identity, session])
