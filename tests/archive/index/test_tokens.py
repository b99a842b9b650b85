import unicodedata
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from archive.index.tokens import BARRIER, Token, fold, fold_each, fold_records, shown, tokenize, words
from archive.sqlite import sqlite3

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("It's 9:30.", ["it", "s", "9", "30"]),
        ("Élan, ÉLAN, e\u0301lan", ["elan", "elan", "elan"]),
        ("Ｆｕｌｌ　ｗｉｄｔｈ ﬁn", ["full", "width", "fin"]),
        ("Straße STRASSE GROẞ Σίσυφος", ["strasse", "strasse", "gross", "σισυφοσ"]),
        ("Søren Łódź Đặng Þóra Guðrún Œuvre ǼSIR", ["soren", "lodz", "dang", "thora", "gudrun", "oeuvre", "aesir"]),
        ("Işık İĸŋ Ħal Əli ƒ ɗan ꜳ", ["isik", "iqn", "hal", "eli", "f", "dan", "aa"]),
        ("Hawaiʻi п’ять пʼять", ["hawaii", "п", "ять", "пять"]),
        ("أحمد آل مـرحبا", ["احمد", "ال", "مرحبا"]),
        ("C++ c# F♯ .NET", ["c\ue002", "c\ue003", "f\ue003", "net\ue004"]),
        (
            "C++20 Ｃ＋＋ C+++ a.net 5# #x C#x ..net",
            ["c\ue002", "20", "c\ue002", "c", "a", "net", "5", "x", "c", "x", "net"],
        ),
        ("ΜΝΉΜΗ μνῄμη ёж", ["μνημη", "μνημη", "еж"]),
        ("йод и\u0306од", ["йод", "йод"]),
        ("GPU東京", ["gpu", "東", "京"]),
        ("ｶﾞガカ\u3099", ["ガ", "ガ", "ガ"]),
        ("한국", ["한", "국"]),
        ("हिन्दी", ["ह\U000f093fन\U000f094dद\U000f0940"]),
        ("مَرْحَبًا مرحبا", ["مرحبا", "مرحبا"]),
        ("re\u00adcord می\u200cخواهم", ["record", "میخواهم"]),
        ("one\u200btwo three\x00four", ["one", "two", "three", "four"]),
        ("\ud800a", ["a"]),
        (f"a {BARRIER} b{BARRIER}", ["a", "b"]),
        ("👍 — …", []),
    ],
)
def test_words(text: str, expected: list[str]) -> None:
    assert words(text) == expected


def test_tokenize_gives_places() -> None:
    assert tokenize("“E\u0301lan” 東京, x\u0332y!") == [
        Token("elan", 1, 6),
        Token("東", 8, 9),
        Token("京", 9, 10),
        Token("xy", 12, 15),
    ]
    assert tokenize("Weiß, C++ .NET") == [
        Token("weiss", 0, 4),
        Token("c\ue002", 6, 9),
        Token("net\ue004", 10, 14),
    ]


@pytest.mark.parametrize("text", ["c++", "c#", ".net", "हिन्दी", "𑀓𑁆", "weiss"])
def test_shown_is_what_was_written(text: str) -> None:
    assert [shown(word) for word in words(text)] == [text]


def test_latin_letters_become_what_cldr_makes_of_them() -> None:
    """Of its transform Latin-ASCII: the letters of living languages that Unicode does not decompose."""
    letters = "æ ð ø þ ß đ ħ ı ĸ ł ŋ œ ŧ ƀ ɓ ƈ ɖ ɗ ƒ ɠ ɨ ƙ ɲ ƥ ƭ ʋ ƴ ƶ ǥ ɛ ə ø ǿ ǽ ȷ ⱥ ȼ ɇ ɉ ɍ ɏ ꝏ ꜳ"
    made = "ae d o th ss d h i q l n oe t b b c d d f g i k n p t v y z g e e o o ae j a c e j r y oo aa"
    assert (fold(letters), fold(letters.upper())) == (made, made)


@given(TEXT)
@example("ㄱㅏ ½ ㍿a b\u0301")
def test_tokenize_agrees_with_words(text: str) -> None:
    tokens = tokenize(text)
    assert [token.text for token in tokens] == words(text)
    assert all(0 <= token.start < token.end <= len(text) for token in tokens)
    assert all(before.start <= after.start for before, after in pairwise(tokens))


@given(TEXT)
def test_folding_twice_changes_nothing(text: str) -> None:
    kept = any(ord(char) >= 0xF0000 for char in fold(text))  # what stands for a sign would be taken for text
    assert words(fold(text)) == words(text) or kept


class Index:
    """FTS5's own account of which words a text has."""

    def __init__(self) -> None:
        self.conn = sqlite3.connect(":memory:")
        self.conn.execute(
            "CREATE VIRTUAL TABLE t USING fts5(text, content='', contentless_delete=1,"
            " tokenize='unicode61 remove_diacritics 2')"
        )
        self.conn.execute("CREATE VIRTUAL TABLE v USING fts5vocab(t, 'instance')")

    def words(self, text: str) -> list[str]:
        self.conn.execute("INSERT INTO t(t) VALUES ('delete-all')")
        self.conn.execute("INSERT INTO t(rowid, text) VALUES (1, ?)", (text,))
        return [term for (term,) in self.conn.execute("SELECT term FROM v ORDER BY offset")]


INDEX = Index()


@given(TEXT)
def test_fts5_leaves_folded_text_as_it_is(text: str) -> None:
    assert INDEX.words(fold(text)) == words(text)


def test_fts5_leaves_every_character_as_folded() -> None:
    """Each assigned character but the ideographs, which are all alike."""
    assigned = [
        chr(code)
        for code in (*range(0x3400), *range(0xA000, 0xAC10), *range(0xF900, 0x12000), *range(0x16800, 0x1F000))
        if unicodedata.category(chr(code)) not in ("Cn", "Cs", "Co")
    ]
    text = " ".join(f"a{char}b {char}" for char in assigned)
    assert INDEX.words(fold(text)) == words(text)
    assert INDEX.words(fold(BARRIER.join(assigned))) == words(BARRIER.join(assigned))


def test_fts5_folds_latin_text_the_same_way() -> None:
    text = "Crème Brûlée, naïve İstanbul ŠKODA Ελλας Привет ḗ"
    assert INDEX.words(text) == words(text)
    assert INDEX.words(BARRIER) == [BARRIER]


@given(st.lists(st.one_of(st.text(st.characters(codec="ascii")), TEXT)))
@example([])
@example(["a\x1eb", "c"])
@example(["it’s", "“élan” … ½", "東京", "plain"])
@example(["it’\u0301s", "e\u0301", "plain"])
def test_fold_each_is_fold_of_each(texts: list[str]) -> None:
    expected = [fold(text).split() for text in texts]
    assert [folded.split() for folded in fold_each(texts)] == expected
    if not any("\x1e" in text for text in texts) and texts:
        assert [folded.split() for folded in fold_records("\x1e".join(texts))] == expected
