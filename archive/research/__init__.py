"""What researchers ask of all that was said: every match and not the best, counts, and parts of the archive compared.

`asking` is what every question shares; `concordance`, `frequency`, `company` and `speaking` answer kinds of questions,
and `Research` all of them. `measures` are the statistics. `vocabulary` has the words of a part of the archive, counted
once a publication where that part is a year, an event, a person or a language. `corpus` writes files for other tools.
"""

from __future__ import annotations

from archive.research.company import Company
from archive.research.concordance import Concordance
from archive.research.frequency import Frequencies
from archive.research.speaking import Speaking


class Research(Concordance, Frequencies, Company, Speaking):
    """Questions to the catalogue or a published database that need all matches, not the best."""
