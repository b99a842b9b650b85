from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.names import composed, distinct_names, name_key, same_text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Zoë Krämer", "Zoe\u0308 Kra\u0308mer"),
        ("ZOË KRÄMER", "zoë krämer"),
        ("Weiß", "WEISS"),
        ("Οδυσσεύς", "ΟΔΥΣΣΕΎΣ"),
        ("한나", unicodedata.normalize("NFD", "한나")),
        ("Å", "\u212b"),  # the sign of the unit, which is canonically the letter
        ("Noor  Okafor ", "Noor\u00a0Okafor"),
        ("\u1e9b\u0323", "\u017f\u0307\u0323"),
    ],
)
def test_names_alike(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


@pytest.mark.parametrize(("one", "other"), [("Zoë", "Zoe"), ("Noor Okafor", "NoorOkafor"), ("ﬁ", "f")])
def test_names_apart(one: str, other: str) -> None:
    assert name_key(one) != name_key(other)


def test_names_once_as_they_are_written() -> None:
    names = ["Zoe\u0308", None, "", "Zoë", "Ann", "ANN"]
    assert distinct_names(names) == ("Zoe\u0308", "Ann")


def test_texts_alike() -> None:
    assert same_text("Cafe\u0301", "Café")
    assert same_text(None, None)
    assert [same_text("Café", "café"), same_text("", None), same_text(None, "a")] == [False, False, False]


@given(st.text(max_size=30))
def test_key_of_every_form(text: str) -> None:
    keys = {name_key(unicodedata.normalize(form, text)) for form in ("NFC", "NFD")} | {name_key(text)}
    assert len(keys) == 1
    assert same_text(text, composed(text))
