from __future__ import annotations

import langcodes
import pytest
from hypothesis import given
from hypothesis import strategies as st

from metadata.errors import InvalidLanguageError
from metadata.languages import autonym, direction, display_name, parse_language, primary


@pytest.mark.parametrize(
    ("value", "tag"),
    [
        ("en", "en"),
        ("EN", "en"),
        (" en ", "en"),
        ("eng", "en"),
        ("ger", "de"),
        ("deu", "de"),
        ("fre", "fr"),
        ("chi", "zh"),
        ("zho", "zh"),
        ("cmn", "cmn"),
        ("yue", "yue"),
        ("haw", "haw"),
        ("pt_br", "pt-BR"),
        ("pt-br", "pt-BR"),
        ("zh-hant", "zh-Hant"),
        ("sr-Latn-RS", "sr-Latn-RS"),
        ("es-419", "es-419"),
        ("no", "no"),
        ("und", "und"),
        ("German", "de"),
        ("spanish", "es"),
        ("French", "fr"),
        ("Arabic", "ar"),
        ("Chinese", "zh"),
        ("Brazilian Portuguese", "pt-BR"),
    ],
)
def test_language_readable(value: str, tag: str) -> None:
    assert parse_language(value) == tag


@pytest.mark.parametrize(
    "value", ["", " ", "-", "xx", "Elvenish", "en us", "<b>", "123", "en-xyzzyplugh9", "\0", "Fre\nnch"]
)
def test_language_refused(value: str) -> None:
    with pytest.raises(InvalidLanguageError) as caught:
        parse_language(value)
    assert caught.value.value == value


WHISPER = ("en", "zh", "de", "es", "ru", "ko", "fr", "ja", "pt", "tr", "pl", "ar", "sv", "it", "hi", "cy", "yo")


@given(st.sampled_from(WHISPER))
def test_language_names_and_codes_agree(tag: str) -> None:
    assert parse_language(display_name(tag)) == tag
    assert parse_language(langcodes.get(tag).to_alpha3()) == tag
    assert parse_language(langcodes.get(tag).to_alpha3(variant="B")) == tag


@given(st.text(max_size=20))
def test_language_canonical_or_refused(value: str) -> None:
    try:
        tag = parse_language(value)
    except InvalidLanguageError:
        return
    assert parse_language(tag) == tag
    assert langcodes.tag_is_valid(tag)


@pytest.mark.parametrize(
    ("tag", "subtag", "name", "own_name", "way"),
    [
        ("en", "en", "English", "English", "ltr"),
        ("pt-BR", "pt", "Portuguese (Brazil)", "Português (Brasil)", "ltr"),
        ("de", "de", "German", "Deutsch", "ltr"),
        ("ar", "ar", "Arabic", "العربية", "rtl"),
        ("fa", "fa", "Persian", "فارسی", "rtl"),
        ("az-Arab", "az", "Azerbaijani (Arabic)", "آذربایجان تۆرکجه\u200cسی (عربجه)", "rtl"),
        ("ja", "ja", "Japanese", "日本語", "ltr"),
        ("und", "und", "Unknown language", "Unknown language", "ltr"),
    ],
)
def test_language_described(tag: str, subtag: str, name: str, own_name: str, way: str) -> None:
    assert (primary(tag), display_name(tag), autonym(tag), direction(tag)) == (subtag, name, own_name, way)
