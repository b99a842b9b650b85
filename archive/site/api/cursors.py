"""Cursors of lists whose order no name holds: by relevance or frequency, or by counting. They hold for one publication.

In the next one, the same place may have another item: some would come twice, and others never. So a cursor names its
publication, and is refused in another.
"""

from __future__ import annotations

from archive.site.api.questions import BadQuestionError

_OTHER = "`cursor` is of another publication, in which the list may have been another: begin again without it"
_BAD = "`cursor` is none of this list's: give `next` of the answer before, or nothing to begin"
MOST = 1_000_000
"""Items that may be passed over."""


def cursor_of(publication: str, place: str | int | None) -> str | None:
    """Return the cursor of a place in a list; None after its end."""
    return None if place is None else f"{publication}:{place}"


def place_of(publication: str, cursor: str) -> str:
    """Return the place that a cursor names, "" for the beginning.

    Raises:
        BadQuestionError: it is of another publication, or no cursor.
    """
    if not cursor:
        return ""
    named, colon, place = cursor.partition(":")
    if not (colon and place and named.isalnum()):
        raise BadQuestionError(_BAD)
    if named != publication:
        raise BadQuestionError(_OTHER)
    return place


def count_of(publication: str, cursor: str) -> int:
    """Return how many items a cursor passes over; a number alone says so of any publication.

    Raises:
        BadQuestionError: it is of another publication, or no cursor.
    """
    place = cursor if cursor.isdecimal() else place_of(publication, cursor) or "0"
    if not (place.isascii() and place.isdecimal() and int(place[:8]) <= MOST and len(place) <= len(str(MOST))):
        raise BadQuestionError(_BAD)
    return int(place)
