from __future__ import annotations

import random

import pytest

from archive.anchoring.clocks import Clock, Mapped, compare
from archive.anchoring.matching import Quote, find
from archive.anchoring.prints import NOTHING, confirmed, digest_runs, pack, prints_of, unpack
from archive.anchoring.resolving import Cited, Found, resolve
from archive.anchoring.spoken import Spoken, spoken
from metadata.model import Word

TALK = (
    "good evening and welcome to everyone who listens tonight i want to ask what an archive owes its listeners a"
    " recording that nobody can search is a recording that nobody has so the first debt is a table of contents down to"
    " the second the second debt is honesty about what was heard and what was guessed a lighthouse does not tell ships"
    " where to go it tells them where they are"
)


def said(text: str, start_ms: int = 0, step_ms: int = 400) -> Spoken:
    """Return words that each take a time."""
    return spoken(
        Word(start_ms=start_ms + n * step_ms, end_ms=start_ms + (n + 1) * step_ms - 50, text=word)
        for n, word in enumerate(text.split())
    )


def quote(text: str, before: str = "", after: str = "") -> Quote:
    return Quote(tuple(text.split()), tuple(before.split()), tuple(after.split()))


def parts(one: Quote) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    return one.before, one.exact, one.after


def test_words_are_folded_and_kept_as_written() -> None:
    one = spoken([Word(start_ms=0, end_ms=900, text=" Élan,"), Word(start_ms=1_000, end_ms=1_800, text="re-use 東京")])
    assert one == Spoken(
        ("elan", "re", "use", "東", "京"),
        (0, 1_000, 1_228, 1_571, 1_685),
        (900, 1_228, 1_571, 1_685, 1_800),
        (0, 1, 1, 1, 1),
        ("Élan,", "re-use 東京"),
    )
    assert one.text(0, 2) == "Élan, re-use 東京"


@pytest.mark.parametrize(("start_ms", "end_ms", "words"), [
    (0, 850, "good evening"), (350, 850, "evening"), (390, 950, "evening"), (100, 810, "good evening"),
])  # fmt: skip
def test_a_span_has_the_words_of_which_most_is_said_in_it(start_ms: int, end_ms: int, words: str) -> None:
    one = said(TALK)
    assert one.text(*one.between(start_ms, end_ms)) == words


def test_prints_are_read_back_and_hold_no_word() -> None:
    prints = prints_of(said(TALK), "0123456789abcdef", [(400, 800)])
    data = pack(prints)
    assert unpack(data) == prints
    assert len(data) < 6 * len(TALK.split()) + 60
    assert [each == NOTHING for each in prints.digests[:6]] == [False, True, True, True, True, False]


def test_prints_of_two_versions_share_nothing() -> None:
    one, other = (set(prints_of(said(TALK), version).digests) for version in ("a" * 16, "b" * 16))
    assert one & other == set()


@pytest.mark.parametrize("words", [
    "a recording that nobody can search", "good evening and", "where they are", "so the first debt is a table",
])  # fmt: skip
def test_what_was_said_is_confirmed_with_the_words_around_it(words: str) -> None:
    tokens = TALK.split()
    exact = words.split()
    place = next(n for n in range(len(tokens)) if tokens[n : n + len(exact)] == exact)
    around = Quote(tuple(exact), tuple(tokens[max(place - 4, 0) : place]), tuple(tokens[place + len(exact) :][:4]))
    assert confirmed(prints_of(said(TALK), "v"), "v", parts(around)) == [place]


@pytest.mark.parametrize("one", [
    quote("a recording that everybody can search"), quote("recording"), quote(""), quote("debt", "the first"),
    quote("a recording that nobody can search and nobody has"),
    quote("can search is", "a recording that everybody", "a recording that"),
])  # fmt: skip
def test_what_was_not_said_or_names_no_place_is_not_confirmed(one: Quote) -> None:
    assert confirmed(prints_of(said(TALK), "v"), "v", parts(one)) == []


def test_what_was_taken_back_is_not_confirmed_but_its_neighbours_are() -> None:
    one = said(TALK)
    prints = prints_of(one, "v", [(one.starts[5], one.ends[5])])  # everyone
    assert confirmed(prints, "v", parts(quote("welcome to everyone who listens"))) == []
    assert confirmed(prints, "v", parts(quote("tonight i want to ask", "everyone who listens"))) == [8]


def test_a_clock_follows_a_cut_and_says_how_far_it_may_be_off() -> None:
    old, new = prints_of(said(TALK, 30_000), "v"), prints_of(said(TALK.partition("ask ")[2], 4_400), "v")
    clock = compare(old, new)
    assert clock.read(30_000 + 40 * 400) == Mapped(4_400 + (40 - 13) * 400, 0)
    assert clock.read(30_000 + 400) == Mapped(-400, 300)


def test_a_clock_between_ties_that_disagree_is_unsure() -> None:
    assert Clock((0, 10_000), (0, 15_000)).read(5_000) == Mapped(7_500, 5_000)
    assert Clock((), ()).read(5) is None


def test_ties_are_in_order_on_both_clocks() -> None:
    one, other = TALK.split()[:30], TALK.split()[30:]
    swapped = compare(prints_of(said(TALK), "v"), prints_of(said(" ".join(other + one)), "v"))
    assert list(swapped.here) == sorted(set(swapped.here))
    assert list(swapped.there) == sorted(set(swapped.there))


def test_runs_at_the_beginning_count_what_is_not_there_as_empty() -> None:
    assert digest_runs(["a", "b", "c", "d"], "v")[-1] == digest_runs(["a", "b", "c", "d"], "v", from_start=False)[0]
    assert len(digest_runs(["a", "b"], "v")) == 2
    assert digest_runs(["a", "b"], "v", from_start=False) == []


def test_words_are_found_where_most_of_them_are() -> None:
    place = find(said(TALK), quote("a recording which nobody could search"))[0]
    assert said(TALK).text(place.first, place.end) == "a recording that nobody can search"
    assert 0.5 < place.score < 1


# Resolving.

HEARD_AGAIN = TALK.replace("archive owes", "archive oaths").replace("lighthouse", "light house")


def cited(words: str, *, text: str = TALK, with_clock: Spoken | None = None, at: int | None = None) -> Cited:
    """Return what is cited of a talk whose words begin at half a minute."""
    tokens, exact = text.split(), words.split()
    places = [n for n in range(len(tokens)) if tokens[n : n + len(exact)] == exact]
    start = 30_000 + places[0] * 400 if at is None else at
    clock = compare(prints_of(said(text, 30_000), "v"), prints_of(with_clock, "v")) if with_clock else None
    return Cited(start, start + len(exact) * 400 - 50, quote(words), clock)


@pytest.mark.parametrize("words", ["what an archive owes its listeners", "lighthouse", "the second", "debt is"])
def test_a_moment_is_found_after_a_cut_and_other_hearing(words: str) -> None:
    now = said(HEARD_AGAIN)
    place = TALK.split().index(words.split(maxsplit=1)[0])
    found = resolve(now, cited(words, with_clock=now))
    first = TALK.find(words)
    at = len(TALK[:first].split())
    assert found.state == "certain", place
    assert abs(found.start_ms - at * 400) <= 400


def test_words_that_are_there_once_are_certain_without_a_clock() -> None:
    assert resolve(said(TALK), cited("a lighthouse does not tell ships")).state == "certain"


def test_words_that_are_there_twice_are_not_certain_without_a_clock() -> None:
    found = resolve(said(f"{TALK} {TALK}"), cited("a lighthouse does not tell ships", at=28_000))
    once = len(TALK.split())
    assert (found.state, found.first) == ("uncertain", once + TALK.split().index("lighthouse") - 1 - once)


def test_words_that_are_nowhere_are_lost_without_a_clock() -> None:
    assert resolve(said(TALK), Cited(5_000, None, quote("completely other things were said"))) == Found(
        "lost", 5_000, None, 12, 13
    )


def test_what_was_cut_off_is_lost() -> None:
    now = said(TALK.partition("ask ")[2])
    found = resolve(now, cited("good evening and welcome", with_clock=now))
    assert found.state == "lost"


def test_words_that_were_all_corrected_are_shown_by_the_clock() -> None:
    now = said(TALK.replace("a table of contents down to", "one index of everything up until"))
    found = resolve(now, cited("table of contents down to", with_clock=now))
    assert found.state == "certain"
    assert now.text(found.first, found.end) == "index of everything up until"


def test_nothing_wrong_is_certain_in_random_rewriting() -> None:
    rng = random.Random(3)  # noqa: S311  # the same every time
    vocabulary = TALK.split()
    for _ in range(60):
        text = [word for word in vocabulary if rng.random() > 0.2]
        text = [rng.choice(vocabulary) if rng.random() < 0.3 else word for word in text]
        found = resolve(said(" ".join(text)), cited("so the first debt is a table", at=0))
        assert found.state in {"certain", "uncertain", "lost"}
        if found.state == "certain":
            assert len({"so", "first", "debt", "table"} & set(said(" ".join(text)).tokens[found.first : found.end])) > 1
