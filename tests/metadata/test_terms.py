from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.terms import terms


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("Recordings that nobody can search are recordings that nobody has.", "en", ()),
        ("Today Noor Okafor compares Bech32 with BagIt.", "en", ("Noor Okafor", "Bech32", "BagIt")),
        ("We met in Hamburg. Then I left, and I'm back.", "en", ("Hamburg",)),
        ("<p>See https://Example.org and the GSM-R of Deutsche Bahn</p>", None, ("GSM-R", "Deutsche Bahn")),
        ("Wir lesen die Karten von Jette Lindqvist im Watt mit WLAN.", "de", ("Jette Lindqvist", "WLAN")),
        ("Nous écoutons Radio France à Saint-Étienne, puis Lyon.", "fr", ("Radio France", "Saint-Étienne", "Lyon")),
        ("你好 and C++17 with eIDAS", "en", ("C++17", "eIDAS")),
        ("", "en", ()),
    ],
)
def test_terms_of_a_text(text: str, language: str | None, expected: tuple[str, ...]) -> None:
    assert terms(text, language) == expected


@given(st.text(max_size=300), st.integers(0, 5))
def test_terms_are_in_the_text_and_few(text: str, most: int) -> None:
    found = terms(text, most=most)
    assert len(found) <= most
    assert all("<" in text or term in text for term in found)
