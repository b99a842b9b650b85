"""What the name of a caption file says."""

from __future__ import annotations

import pytest

from metadata.captions.names import CaptionName, parse_name
from metadata.errors import InvalidLanguageError
from metadata.languages import parse_language

MEDIA = frozenset({".wav", ".mp4", ".mkv"})


@pytest.mark.parametrize(
    ("name", "stem", "language"),
    [
        ("talk.vtt", "talk", None),
        ("talk.de.vtt", "talk", "de"),
        ("talk.wav.srt", "talk", None),
        ("talk.mp4.en.vtt", "talk", "en"),
        ("talk.en.mp4.vtt", "talk", "en"),
        ("talk.en.sdh.vtt", "talk", "en"),
        ("talk.sdh.vtt", "talk", None),
        ("talk.en.cc.srt", "talk", "en"),
        ("talk.forced.en.srt", "talk", "en"),
        ("talk.en.hi.srt", "talk", "en"),
        ("talk.hi.srt", "talk", "hi"),
        ("talk.zh-Hant-TW.vtt", "talk", "zh-Hant-TW"),
        ("talk.sr-Latn-RS.ttml", "talk", "sr-Latn-RS"),
        ("talk.pt_BR.srt", "talk", "pt-BR"),
        ("talk.en-orig.vtt", "talk", "en"),
        ("talk.English.vtt", "talk", "en"),
        ("talk.ua.srt", "talk.ua", None),
        ("talk.final.vtt", "talk.final", None),
        ("v1.2.vtt", "v1.2", None),
        ("en.vtt", "en", None),
        ("talk", "talk", None),
    ],
)
def test_name_says_stem_and_language(name: str, stem: str, language: str | None) -> None:
    assert parse_name(name, MEDIA) == CaptionName(stem, language)


@pytest.mark.parametrize(
    ("code", "likely"),
    [("ua", "uk"), ("au", "en"), ("ge", "ka"), ("jp", "ja"), ("cz", "cs"), ("dk", "da"), ("gr", "el")],
)
def test_code_of_a_country_is_no_language(code: str, likely: str) -> None:
    with pytest.raises(InvalidLanguageError) as caught:
        parse_language(code)
    assert caught.value.likely == likely
    assert repr(likely) in str(caught.value)


@pytest.mark.parametrize("code", ["od", "xx", "zz"])
def test_code_of_nothing_is_no_language(code: str) -> None:
    with pytest.raises(InvalidLanguageError):
        parse_language(code)
