"""What the catalogue holds, counted; doubts and what nobody understood among it."""

from __future__ import annotations

from archive.catalogue.holdings import holdings
from archive.sqlite import Database
from tests.archive.build import SEGMENT_MS, add_event, add_session, add_transcript


def test_doubts_and_what_was_not_transcribed_are_counted_of_what_is_current(catalogue: Database) -> None:
    session = add_session(catalogue, add_event(catalogue))
    texts = ["heard", "a loop a loop", "", "", "heard"]
    current = add_transcript(catalogue, session, texts, doubtful=[1])
    old = add_transcript(catalogue, session, texts, doubtful=[0, 1], current=False)
    catalogue.execute("UPDATE segment SET flags = '[\"not-transcribed\"]' WHERE text = ''")
    found = holdings(catalogue)
    assert current != old
    assert (found.segments, found.doubtful, found.untranscribed, found.untranscribed_ms) == (5, 1, 2, 2 * SEGMENT_MS)
