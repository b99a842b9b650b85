"""Which session of a new timetable is which of the catalogue's.

In this order: an id that only they share; the same title at the same time; a slug, where the file gives
slugs; a title that nothing else has; an id that several share, under a similar title; the same room at the
same time, under a similar title or with the same person. Two sessions that carry different ids of one kind
are never the same. Each of the catalogue's is taken once, so that of a session that was split one part stays
and the others are new.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence
from difflib import SequenceMatcher

from metadata.model import Session
from metadata.names import composed, name_key

SIMILAR = 0.6
"""How alike two titles must be (`difflib`'s ratio) to be one session's, where something else agrees too."""

TOO_COMMON = 16
"""What more sessions than this have in common says nothing of any of them."""


def pair(known: Sequence[Session], new: Sequence[Session], *, by_slug: bool) -> dict[int, int]:
    """Return for each new session that is a known one the latter's index, by index."""
    pairs = _Pairs(known, new)
    pairs.unique(lambda session: session.external_ids, alike=_always)
    pairs.unique(lambda session: [(composed(session.title), session.start or session.day)], alike=_compatible)
    if by_slug:
        pairs.unique(lambda session: [session.slug], alike=_compatible)
    pairs.unique(lambda session: [name_key(session.title)], alike=_compatible)
    pairs.first(lambda session: session.external_ids, alike=_similar)
    pairs.first(
        lambda session: [(name_key(session.room), session.start)] if session.room and session.start else [],
        alike=lambda a, b: _compatible(a, b) and (_similar(a, b) or _share_person(a, b)),
    )
    return pairs.found


class _Pairs:
    def __init__(self, known: Sequence[Session], new: Sequence[Session]) -> None:
        self._known = known
        self._new = new
        self._free = dict.fromkeys(range(len(known)))
        self.found: dict[int, int] = {}

    def unique(
        self, keys: Callable[[Session], Iterable[Hashable]], *, alike: Callable[[Session, Session], bool]
    ) -> None:
        """Pair sessions by a key that one on each side has, and no more."""
        left = [index for index in range(len(self._new)) if index not in self.found]
        counts = Counter(key for index in left for key in set(keys(self._new[index])))
        places: dict[Hashable, list[int]] = {}
        for index in self._free:
            for key in set(keys(self._known[index])):
                places.setdefault(key, []).append(index)
        for index in left:
            for key in keys(self._new[index]):
                if counts[key] == 1 and len(places.get(key, ())) == 1:
                    self._try(index, places[key][0], alike)

    def first(
        self, keys: Callable[[Session], Iterable[Hashable]], *, alike: Callable[[Session, Session], bool]
    ) -> None:
        """Pair sessions by a key that several may have: each with the first that is left."""
        places: dict[Hashable, list[int]] = {}
        for index in self._free:
            for key in set(keys(self._known[index])):
                places.setdefault(key, []).append(index)
        for index in range(len(self._new)):
            for key in keys(self._new[index]):
                if len(found := places.get(key, [])) <= TOO_COMMON:
                    for place in found:
                        self._try(index, place, alike)

    def _try(self, index: int, place: int, alike: Callable[[Session, Session], bool]) -> None:
        if index not in self.found and place in self._free and alike(self._known[place], self._new[index]):
            self.found[index] = place
            del self._free[place]


def _always(_known: Session, _new: Session) -> bool:
    return True


def _compatible(known: Session, new: Session) -> bool:
    """Return whether no kind of id tells them apart."""
    ours = {(x.scheme, x.value) for x in known.external_ids}
    theirs = {(x.scheme, x.value) for x in new.external_ids}
    both = {scheme for scheme, _ in ours} & {scheme for scheme, _ in theirs}
    return not both or any(scheme in both for scheme, _ in ours & theirs)


def _similar(known: Session, new: Session) -> bool:
    return SequenceMatcher(None, name_key(known.title), name_key(new.title), autojunk=False).ratio() >= SIMILAR


def _share_person(known: Session, new: Session) -> bool:
    ours, theirs = ({name_key(role.person.name) for role in session.people} for session in (known, new))
    return bool(ours & theirs)
