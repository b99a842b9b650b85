"""What searches read of a database once, and keep for as long as it does not change."""

from __future__ import annotations

from archive.index.encoder import Encoder, Vectors, installed_encoder
from archive.search.by_meaning import Meanings
from archive.search.hits import Passage
from archive.search.session_table import Overview, Whole
from archive.search.suggest import Vocabulary
from archive.sqlite import sqlite3


class Kept:
    """What was read of one state of a database; each part is read when it is first needed.

    Args:
        encoder: what makes the vector of a query; without it nothing is found by what it means.

    Attributes:
        vocabulary: its words, as far as they were read.
    """

    def __init__(self, encoder: Encoder | None = None) -> None:
        self.vocabulary = Vocabulary()
        self.encoder = encoder
        self._overview: Overview | None = None
        self._meanings: Meanings | None = None
        self._directions: tuple[Whole, Vectors] | None = None

    def overview(self, conn: sqlite3.Connection) -> Overview:
        """Return all sessions at a glance."""
        if self._overview is None:
            self._overview = Overview.read(conn)
        return self._overview

    def meanings(self, conn: sqlite3.Connection) -> Meanings | None:
        """Return the vectors of what is said, with the encoder ready; None where there are none, or no encoder."""
        if self.encoder is None or self.encoder.name != self._vectors(conn).encoder:
            return None
        self.encoder.load()
        return self._vectors(conn)

    def like(self, conn: sqlite3.Connection, session: int) -> list[Passage]:
        """Return the moments of other sessions that are like one of a session, the best first; no encoder is needed."""
        known = self._vectors(conn)
        if self._directions is None:
            self._directions = known.directions()
        return [known.passage(window) for window in known.like(session, self._directions)]

    def _vectors(self, conn: sqlite3.Connection) -> Meanings:
        if self._meanings is None:
            self._meanings = Meanings.read(conn)
        return self._meanings


class KeptUntilChanged:
    """What was read of a database through a connection, always the same, until somebody writes to it."""

    def __init__(self) -> None:
        self._kept = Kept(installed_encoder())
        self._stamp: tuple[int, int] | None = None

    def of(self, conn: sqlite3.Connection) -> Kept:
        """Return what holds for that which a connection reads now."""
        if conn.in_transaction:
            return Kept(installed_encoder())  # what is not committed may go again without a trace
        # What others have written, and what was written through this connection.
        stamp = (int(conn.execute("PRAGMA data_version").fetchone()[0]), conn.total_changes)
        if stamp != self._stamp:
            self._kept, self._stamp = Kept(installed_encoder()), stamp
        return self._kept
