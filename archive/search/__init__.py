"""What is asked of the indexes: queries, results by moment and by session, concordances.

In order, each of what stands before it:

- `query` understands what people type; `filters` and `spellings` say where to look, and in which spellings; `asked` is
  that together, with the time that it may take (`budget`);
- `retrieve` finds what has all that is asked for, `partial` what has most of it, `by_meaning` what is about it in
  other words, `rank` puts sessions in order, and `present` makes a page of them; `by_moment` does the same for moments;
- `sessions` and `by_moment` are how results come by session and by moment, and `sqlite_search` is what others call;
- `suggest`, `concordance` and `exports` go on from there; `cache` keeps what is read of a database once.
"""
