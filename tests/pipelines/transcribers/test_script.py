"""Chinese in one script, whichever Whisper wrote."""

from __future__ import annotations

import pytest

from metadata.model import Segment, Transcript, Word
from pipelines.transcribers.script import in_one_script, script_of


def heard(*texts: str, language: str = "zh", of: str | None = None) -> Transcript:
    return Transcript(
        language=language,
        duration_ms=60_000,
        segments=tuple(
            Segment(
                start_ms=1_000 * i,
                end_ms=1_000 * i + 900,
                text=text,
                language=of,
                words=tuple(
                    Word(start_ms=1_000 * i + k, end_ms=1_000 * i + k + 1, text=char) for k, char in enumerate(text)
                ),
            )
            for i, text in enumerate(texts)
        ),
    )


def texts(transcript: Transcript) -> list[str]:
    return [segment.text for segment in transcript.segments]


@pytest.mark.parametrize(
    ("language", "terms", "written"),
    [
        ("zh-Hans", (), ["头发在后面", "皇后看软件 Bech32", "沒有".replace("沒", "没")]),
        ("zh-CN", ("軟體",), ["头发在后面", "皇后看软件 Bech32", "没有"]),
        ("zh-Hant", (), ["頭髮在後面", "皇后看軟件 Bech32", "沒有"]),
        ("zh-TW", (), ["頭髮在後面", "皇后看軟件 Bech32", "沒有"]),
        ("zh", ("王小明", "開放軟體"), ["頭髮在後面", "皇后看軟件 Bech32", "沒有"]),
        ("zh", ("Bech32",), ["头发在后面", "皇后看软件 Bech32", "没有"]),
    ],
)
def test_chinese_is_in_one_script(language: str, terms: tuple[str, ...], written: list[str]) -> None:
    mixed = heard("头发在后面", "皇后看软件 Bech32", "沒有", language=language)
    found = in_one_script(mixed, terms)
    assert texts(found) == written
    assert ["".join(word.text for word in segment.words) for segment in found.segments] == written
    assert in_one_script(found, terms) == found


def test_other_languages_stay_as_they_are() -> None:
    japanese = heard("復興努力に対する批判", language="ja")
    assert in_one_script(japanese, ("软件",)) is japanese
    mixed = heard("復興努力に対する批判", language="zh-Hans", of="ja")
    assert in_one_script(mixed) is mixed
    english = heard("no Chinese at all", language="en")
    assert in_one_script(english) is english


def test_scripts_are_told_by_characters_that_have_two_forms() -> None:
    assert [script_of(text) for text in ("头发", "頭髮", "山水", "Bech32", "")] == ["Hans", "Hant", None, None, None]
