"""Cursors of lists whose order no name holds: by relevance or frequency, or by counting. They hold for one publication.

In the next one, the same place may have another item: some would come twice, and others never. So a cursor names its
publication, and is refused in another.
"""

from __future__ import annotations


class StaleCursorError(Exception):
    """A cursor is of another publication, or of none."""

    def __init__(self) -> None:
        super().__init__("the cursor is of another publication, where the list may be another: begin again without it")


def cursor_of(publication: str, place: str | int | None) -> str | None:
    """Return the cursor of a place in a list; None after its end."""
    return None if place is None else f"{publication}:{place}"


def place_of(publication: str, cursor: str) -> str | None:
    """Return the place that a cursor names, None for the beginning.

    Raises:
        StaleCursorError: it is of another publication.
    """
    named, _, place = cursor.partition(":")
    if cursor and named != publication:
        raise StaleCursorError
    return place or None


def count_of(publication: str, cursor: str) -> int:
    """Return how many items a cursor passes over, which `questions.Count` describes.

    Raises:
        StaleCursorError: it is of another publication.
    """
    return int(cursor if cursor.isdecimal() else place_of(publication, cursor) or 0)
