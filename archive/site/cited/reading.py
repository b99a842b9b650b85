"""A moment with its session and recording, as pages and programs show it."""

from __future__ import annotations

from dataclasses import dataclass

from archive import urls
from archive.site.cited.addresses import Address
from archive.site.cited.resolving import Outcome, look_up
from archive.site.queries import Tombstone, session_cards
from archive.site.session_page import recordings
from archive.site.session_page.page import TimeSpan
from archive.site.session_page.recordings import SessionPage, Track
from archive.sqlite import sqlite3


@dataclass(frozen=True, slots=True)
class Shown:
    """A moment, its session, and the recording that it is of; None where no recording of it is published."""

    outcome: Outcome
    page: SessionPage
    track: Track | None

    @property
    def span(self) -> TimeSpan:
        """Where the moment is now."""
        return TimeSpan(self.outcome.start_ms, self.outcome.end_ms)

    @property
    def session_path(self) -> str:
        """The path of the session's page."""
        return urls.session_url(self.page.card.event, self.page.card.slug)

    @property
    def path(self) -> str:
        """The path of the session's page at the moment."""
        key = self.track.key if self.track and self.track is not self.page.tracks[0] else None
        chosen = {"recording": key, "t": self.span.text}
        return urls.with_query(self.session_path, chosen).replace("%2C", ",")


def read(conn: sqlite3.Connection, address: Address) -> Shown | Tombstone | None:
    """Return what stands at the address of a moment; see `look_up`."""
    outcome = look_up(conn, address)
    if outcome is None or isinstance(outcome, Tombstone):
        return outcome
    page = session_page(conn, outcome.session)
    stand = outcome.stand
    track = next((each for each in page.tracks if stand and each.id == stand.recording), None) if page else None
    return Shown(outcome, page, track) if page else None


def session_page(conn: sqlite3.Connection, session_id: int) -> SessionPage | None:
    """Return a session by its id."""
    [card] = session_cards(conn, "WHERE session.id = ?", (session_id,))
    return recordings.session(conn, card.event, card.slug)
