"""Corrections suggest names and terms for the glossary."""

from __future__ import annotations

from pipelines.exchange.revisions import CorrectedTerm, corrected_terms

REPLACED = [
    ("batch 32", "Bech32", "en", 1),
    ("batch 32", "Bech32", "en", 2),
    ("or cough or", "Okafor", "en", 1),
    ("The harbor", "The harbour", "en", 1),
    ("lightening", "lightning", "en", 1),
    ("Lightning", "SegWit", "en", 1),
    ("sig wit", "SegWit", "en", 1),
    ("hafen", "Hafen", "de", 3),
]


def test_names_and_terms_are_counted() -> None:
    assert corrected_terms(REPLACED, ()) == [
        CorrectedTerm("Bech32", 2, 2),
        CorrectedTerm("SegWit", 2, 1),
        CorrectedTerm("Okafor", 1, 1),
    ]


def test_what_the_glossary_has_or_somebody_put_back_does_not_count() -> None:
    undone = [*REPLACED, ("Okafor", "or cough or", "en", 1)]
    assert [each.term for each in corrected_terms(undone, ("bech32",))] == ["SegWit"]
