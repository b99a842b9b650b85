"""The catalogue, its search, and the published site. Imports ``metadata`` alone.

Its parts are in layers. A part imports only from parts that stand above its own, or earlier in its own line::

    sqlite, errors, connection   the SQLite library, what can go wrong, opening a file, transactions
    urls                         the addresses of pages, feeds, files and moments
    catalogue                    the database of record: schema, migrations, what is read and written of each noun
    voices                       who voices are: what people say of them, and what is proposed
    index                        what is written for search: tokens, stems, passages
    anchoring                    words of a moment found again in another version of a transcript
    search                       what is asked: queries, filters, ranking, moments, exports
    research                     what is asked of all that was said: concordance, frequency, company, vocabulary
    publication                  what is public, and the database that is built of it
    extracts                     a part of the catalogue as rows, out and back in
    lane                         processes that run SQL of strangers
    site                         the Datasette plugin over a published database

A test demands that every part stands here, and that imports follow this order.
"""
