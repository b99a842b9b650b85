# %% [markdown]
# Who said what, when, and how often
#
# Three questions, each answered twice: from a corpus that was taken away (``rostra export corpus corpus/ --form csv
# --form parquet``), with pandas and DuckDB; and from the site alone, with nothing but Python's own library.
#
# Cells begin with ``# %%``, as Jupyter, VS Code and Spyder have it. To run it all:
#
#     python -m tests.notebooks.she_said_it corpus/ https://talks.example.org

# %%
from __future__ import annotations

import csv
import io
import json
import math
import re
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen


@dataclass(frozen=True)
class Asked:
    """Who said which word, between which two days; and which event is compared with all others."""

    word: str
    person: str
    since: str
    until: str
    event: str


Quote = tuple[str, str, int, str]
"""The day, the speaker's name, milliseconds into the recording, and what was said."""


# %% [markdown]
# ## From files


# %%
def every_time_in_files(corpus: Path, asked: Asked) -> list[Quote]:
    """Every time that somebody said something between two days, with pandas."""
    import pandas as pd

    said = pd.read_csv(corpus / "segments.csv", keep_default_na=False)
    mask = (
        (said.person == asked.person)
        & said.date.between(asked.since, asked.until)
        & ~said.doubtful
        & said.text.str.contains(rf"\b{re.escape(asked.word)}\b", case=False, regex=True)
    )
    found = said[mask].sort_values(["date", "event", "session", "start_ms"])
    return [(row.date, row.speaker, int(row.start_ms), row.text) for row in found.itertuples()]


def an_hour_by_year_in_files(corpus: Path, asked: Asked) -> dict[str, tuple[int, float]]:
    """How often a word was said, year by year, and how often in an hour of recordings, with DuckDB."""
    import duckdb

    rows = duckdb.sql(
        f"""
        WITH hours AS (SELECT strftime(date, '%Y') AS year, sum(duration_ms) / 3.6e6 AS hours
                       FROM '{corpus}/documents.parquet' WHERE date IS NOT NULL GROUP BY year),
             said AS (SELECT strftime(date, '%Y') AS year,
                        sum(len(regexp_extract_all(lower(text), '\\b{re.escape(asked.word)}\\b'))) AS times
                      FROM '{corpus}/segments.parquet' WHERE NOT doubtful AND date IS NOT NULL GROUP BY year)
        SELECT year, coalesce(times, 0)::INT, coalesce(times, 0) / hours
        FROM hours LEFT JOIN said USING (year) ORDER BY year
        """
    ).fetchall()
    return {year: (times, round(rate, 3)) for year, times, rate in rows}


def by_speaker_in_files(corpus: Path, asked: Asked) -> dict[str, int]:
    """How often everybody who is known said a word, with DuckDB."""
    import duckdb

    rows = duckdb.sql(
        f"""
        SELECT person, sum(len(regexp_extract_all(lower(text), '\\b{re.escape(asked.word)}\\b')))::INT
        FROM '{corpus}/segments.parquet' WHERE NOT doubtful AND person IS NOT NULL GROUP BY person
        """
    ).fetchall()
    return dict(rows)


def keywords_in_files(corpus: Path, asked: Asked) -> dict[str, float]:
    """Words that one event says more than all others, with their log-likelihood (Dunning 1993)."""
    import pandas as pd

    said = pd.read_csv(corpus / "segments.csv", keep_default_na=False)
    said = said[~said.doubtful]
    here = Counter(re.findall(r"\w+", " ".join(said[said.event == asked.event].text).lower()))
    there = Counter(re.findall(r"\w+", " ".join(said[said.event != asked.event].text).lower()))
    found = {}
    for word, count in here.items():
        score = log_likelihood(count, here.total(), there[word], there.total())
        if count >= 3 and score >= 10.83 and count / here.total() > there[word] / there.total():
            found[word] = round(score, 1)
    return found


def log_likelihood(count: int, size: int, other: int, other_size: int) -> float:
    rate = (count + other) / (size + other_size)
    pairs = ((count, size), (other, other_size))
    return 2 * sum(each * math.log(each / (amount * rate)) for each, amount in pairs if each)


# %% [markdown]
# ## From the site alone


# %%
def every_time_on_site(site: str, asked: Asked) -> list[Quote]:
    """Every time that somebody said something between two days: all pages of the API's answer."""
    found: list[Quote] = []
    cursor: int | None = 0
    while cursor is not None:
        page = _json(
            f"{site}/api/1/moments",
            q=f'"{asked.word}"',
            speaker=asked.person,
            since=asked.since,
            until=asked.until,
            limit="100",
            cursor=str(cursor),
        )
        found += [
            (str(each["start_at"])[:10], each["speaker"], each["start_ms"], each["text"]) for each in page["items"]
        ]
        cursor = page["next"]
    return found


def an_hour_by_year_on_site(site: str, asked: Asked) -> dict[str, tuple[int, float]]:
    """How often a word was said, year by year."""
    rows = _csv(f"{site}/api/1/frequency.csv", q=f'"{asked.word}"', by="year")
    return {row["year"]: (int(row["occurrences"]), float(row["per_hour"])) for row in rows}


def by_speaker_on_site(site: str, asked: Asked) -> dict[str, int]:
    """How often everybody who is known said a word."""
    rows = _csv(f"{site}/api/1/frequency.csv", q=f'"{asked.word}"', by="speaker")
    return {row["speaker"]: int(row["occurrences"]) for row in rows}


def keywords_on_site(site: str, asked: Asked) -> dict[str, float]:
    """Words that one event says more than the rest of the archive."""
    rows = _csv(f"{site}/api/1/keywords.csv", event=asked.event)
    return {row["word"]: float(row["likelihood"]) for row in rows}


def every_time_in_sql(site: str, asked: Asked) -> list[Quote]:
    """The same as every_time_on_site, by a query of one's own over the view of everything that was said."""
    sql = (
        "SELECT date, speaker, start_ms, text FROM said WHERE person = :person AND NOT doubtful"
        " AND date BETWEEN :since AND :until AND text LIKE '%' || :word || '%' ORDER BY date, event, session, start_ms"
    )
    known = {"person": asked.person, "since": asked.since, "until": asked.until, "word": asked.word}
    rows = _json(f"{site}/data.json", sql=sql, _shape="array", **known)
    return [(row["date"], row["speaker"], row["start_ms"], row["text"]) for row in rows]


def _json(address: str, **query: str) -> Any:
    with urlopen(f"{address}?{urlencode(query)}") as answer:  # noqa: S310  # an address of one's own
        return json.load(answer)


def _csv(address: str, **query: str) -> list[dict[str, str]]:
    with urlopen(f"{address}?{urlencode(query)}") as answer:  # noqa: S310  # an address of one's own
        return list(csv.DictReader(io.StringIO(answer.read().decode())))


# %%
def main(corpus: Path, site: str, asked: Asked) -> None:
    for quote in every_time_in_files(corpus, asked) or every_time_on_site(site, asked):
        print(*quote, sep="  ")
    print(an_hour_by_year_in_files(corpus, asked), an_hour_by_year_on_site(site, asked))
    print(by_speaker_in_files(corpus, asked), by_speaker_on_site(site, asked))
    print(keywords_in_files(corpus, asked), keywords_on_site(site, asked))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Asked("lighthouse", "noor-okafor", "2021-01-01", "2022-12-31", "launch"))
