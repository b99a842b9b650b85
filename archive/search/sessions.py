"""Results by session: the best sessions, in each its best moments and where all of them lie, and facets.

First come sessions that have all that is asked for (`archive.search.retrieve`); where they are few, those follow that
have most of it (`archive.search.partial`), and where the words of the first stand together says which of them is best.
With them come those that are about it in other words (`archive.search.by_meaning`): both are fused by rank.
"""

from __future__ import annotations

import json

import numpy as np

from archive.search.asked import Asked
from archive.search.budget import OVER_BUDGET
from archive.search.by_meaning import AboutMatches, can_be_meant, find_by_meaning, no_meaning
from archive.search.cache import Kept
from archive.search.partial import LISTED, Parts, find_partial, no_partial, take_apart
from archive.search.present import Others, present
from archive.search.query import Query
from archive.search.rank import PARTIAL, Scores
from archive.search.results import ABOUT, FEWER, PARTLY, SessionResults, Sort
from archive.search.retrieve import Retrieval
from archive.search.session_table import Overview
from archive.search.suggest import suggest

CHANCE_TERMS = 4
"""Words of a query. Of one with more, a session has all by chance where they stand in no passage together."""


def search_sessions(
    asked: Asked,
    text: str,
    query: Query,
    overview: Overview,
    kept: Kept,
    *,
    sort: Sort,
    limit: int,
    after: str | None,
    count_more: bool = False,
) -> SessionResults:
    """Return a page of the sessions that match a query, or of all in a scope where it has no words.

    Args:
        asked: what is looked for, and where.
        text: the query as it was typed.
        query: what was understood.
        overview: of all sessions.
        kept: what else is known of the database.
        sort: by ``relevance``, or by ``date``, the latest first.
        limit: sessions on the page.
        after: the ``next`` of the page before.
        count_more: whether moments are counted also of sessions that have some more of them than are shown.
    """
    if asked.node is None and not asked.scope.rows:
        return SessionResults()
    order: Sort = "date" if asked.node is None else sort
    retrieval = Retrieval(asked, overview)
    scores = retrieval.scores(limit if order == "relevance" and not after else None)
    others = _add_others(asked, text, query, overview, kept, retrieval, scores)
    exact = int(np.count_nonzero(scores.exact))
    suggestion = None
    if not exact and query.node is not None and asked.budget.complete and not query.doubtful:
        suggestion = suggest(asked.conn, asked.budget, text, query.node, asked.scope, kept.vocabulary)
    ordered = scores.best(order)
    start = scores.after(ordered, order, after)
    page = ordered[start : start + limit]
    sessions = present(asked, overview, retrieval, others, page, scores, count_more=count_more)
    note = None
    if len(ordered) and not exact:
        note = PARTLY if others.partial.weights else ABOUT
    return SessionResults(
        sessions=sessions,
        total=len(ordered),
        exact=exact,
        facets=overview.facets(scores.tiers > 0, _heard(asked, overview, retrieval, others, scores)),
        note=note if asked.budget.complete else OVER_BUDGET,
        suggestion=suggestion,
        complete=asked.budget.complete,
        next=json.dumps(scores.key(page[-1], order)) if len(page) and start + limit < len(ordered) else None,
    )


def _add_others(
    asked: Asked, text: str, query: Query, overview: Overview, kept: Kept, retrieval: Retrieval, scores: Scores
) -> Others:
    """Add the sessions that have most of a query, or are about it, where few have all of it; return what was found."""
    none = Others(no_partial(overview), no_meaning(overview))
    if query.node is None or query.doubtful or query.exact:
        return none
    parts = take_apart(query.node)
    if not parts.may_be_partly_found(bool(scores.exact.any())):
        return none
    long = len(parts.terms) > CHANCE_TERMS and not asked.closely
    by_chance = retrieval.apart(scores) if long else np.empty(0, dtype=np.int64)
    if int(np.count_nonzero(scores.exact)) - len(by_chance) >= FEWER:
        return none
    partial = find_partial(asked, parts, overview, kept.vocabulary)
    if long:
        scores.leave_out(by_chance)
        scores.fuse(partial.fused)
    about = _find_about(asked, text, parts, overview, kept)
    others = Others(partial, about)
    some = np.union1d(partial.beside(scores.exact)[:LISTED], by_chance[partial.fused[by_chance] > 0])
    some = np.union1d(some, about.beside(scores.exact))
    scores.raise_to(PARTIAL, some, others.fused[some])
    return others


def _find_about(asked: Asked, text: str, parts: Parts, overview: Overview, kept: Kept) -> AboutMatches:
    if not can_be_meant(asked, parts) or asked.budget.is_over():
        return no_meaning(overview)
    with asked.budget.stop_the_clock():
        meanings = kept.meanings(asked.conn)
    if meanings is None or kept.encoder is None:
        return no_meaning(overview)
    return find_by_meaning(asked, text, kept.encoder, meanings, overview, each_session_once=True)


def _heard(asked: Asked, overview: Overview, retrieval: Retrieval, others: Others, scores: Scores) -> list[int] | None:
    """Return the transcripts in which something matches, at least of sessions that have several languages.

    None where there is no such session among those that match, or nothing was asked for.
    """
    mixed = overview.mixed[scores.tiers[overview.mixed] > 0]
    if asked.node is None or not len(mixed):
        return None
    some = [place for place in mixed.tolist() if scores.tiers[place] == PARTIAL]
    passages = [passage for place in some for passage in others.partial.passages(place)]
    found = retrieval.transcripts_of(passages) if passages else ()
    return [*retrieval.heard(mixed), *found, *others.about.transcripts(some)]
