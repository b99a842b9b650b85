"""Places in folded text, against what FTS5 finds in it and what counting words finds."""

from hypothesis import given
from hypothesis import strategies as st

from archive.search.matcher import Matcher, Span
from archive.search.query import And, Near, Node, Not, Phrase, Prefix, Stemmed, Word, to_fts5
from archive.sqlite import sqlite3

WORDS = st.sampled_from(["a", "ab", "abc", "b", "ba"])
SPACES = st.sampled_from([" ", "  ", "   "])
TEXTS = st.lists(st.tuples(SPACES, WORDS), max_size=12).map(lambda pairs: "".join(map("".join, pairs)))
PARTS = st.lists(WORDS, min_size=1, max_size=3).map(tuple)
TERMS: st.SearchStrategy[Word | Phrase | Prefix] = st.one_of(
    st.builds(Word, WORDS), st.builds(Phrase, PARTS), st.builds(Prefix, PARTS)
)
NODES: st.SearchStrategy[Node] = st.one_of(
    TERMS,
    st.builds(Near, st.lists(TERMS, min_size=2, max_size=3).map(tuple), st.integers(0, 4)),
    st.lists(TERMS, min_size=2, max_size=3).map(lambda terms: And(tuple(terms))),
    st.tuples(TERMS, TERMS).map(lambda terms: And((terms[0], Not(terms[1])))),
)

INDEX = sqlite3.connect(":memory:", isolation_level=None)
INDEX.execute("CREATE VIRTUAL TABLE probe USING fts5(text)")


@given(TEXTS, NODES)
def test_there_is_a_place_where_fts5_finds_something(text: str, node: Node) -> None:
    INDEX.execute("INSERT INTO probe(rowid, text) VALUES (1, ?)", (text,))
    found = INDEX.execute("SELECT 1 FROM probe WHERE probe MATCH ?", (to_fts5(node),)).fetchall()
    INDEX.execute("DELETE FROM probe")
    assert bool(Matcher(text).places(node)) == bool(found)


@given(TEXTS, TERMS)
def test_every_occurrence_has_a_span(text: str, term: Word | Phrase | Prefix) -> None:
    parts = [term.text] if isinstance(term, Word) else list(term.words)
    words = text.split()
    expected = []
    for at in range(len(words) - len(parts) + 1):
        *whole, last = words[at : at + len(parts)]
        if whole == parts[:-1] and (last == parts[-1] or (isinstance(term, Prefix) and last.startswith(parts[-1]))):
            expected.append([*whole, last])
    assert [text[start:end].split() for start, end in Matcher(text).spans(term)] == expected


def test_spans_overlap_and_forms_are_in_order() -> None:
    assert Matcher("so  so so").spans(Phrase(("so", "so"))) == [Span(0, 6), Span(4, 9)]
    assert Matcher("runs a run, running").spans(Stemmed("run", ("en",))) == [Span(0, 4), Span(12, 19)]


def test_words_that_must_all_occur_are_taken_where_they_are_closest() -> None:
    text = "oil here and a lamp and oil"
    assert Matcher(text).places(And((Word("oil"), Word("lamp")))) == [(Span(15, 19), Span(24, 27))]
