"""Citations hold: moments that were cited are found after another cut, another model, corrections and other names."""

from __future__ import annotations

from pathlib import Path

import pytest

from archive.site.cited.resolving import Outcome
from tests.bench.citations import figures, hold


@pytest.mark.parametrize(
    ("count", "corrections", "talks"),
    [pytest.param(48, 30, 3, id="few"), pytest.param(500, 200, 25, id="five-hundred")],
)
@pytest.mark.usefixtures("data")
def test_moments_are_found_and_nothing_wrong_is_certain(
    tmp_path: Path, count: int, corrections: int, talks: int
) -> None:
    kept = hold(tmp_path, count=count, corrections=corrections, talks=talks)
    told = figures(kept)
    assert (told["moments"], told["resolved"], told["wrong and certain"]) == (count, 1.0, 0)
    assert float(str(told["within a second"])) >= 0.98
    assert float(str(told["certain"])) >= 0.95
    for each in kept:
        assert isinstance(each.outcome, Outcome)
        # The words are shown as they were cited, and what is said of them is true.
        assert each.outcome.as_cited
        assert "recording" in each.outcome.notes
        assert bool(each.outcome.differences) == ("words" in each.outcome.notes)
