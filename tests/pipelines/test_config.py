from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipelines.config import Config, load, template
from pipelines.errors import ConfigError
from pipelines.storage.archive_folder import init


def test_template_is_the_default_and_commented_lines_say_so(tmp_path: Path) -> None:
    path = tmp_path / "rostra.toml"
    path.write_text(template('A "quoted" title\\'), encoding="utf-8")
    config = load(path)
    assert config.site.title == 'A "quoted" title\\'
    path.write_text(re.sub(r"(?m)^# (\w+ = )", r"\1", template("Rostra")), encoding="utf-8")
    assert load(path) == Config()


def test_missing_file_says_nothing(tmp_path: Path) -> None:
    assert load(tmp_path / "rostra.toml") == Config()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[transcribe]\nmodle = 'base'", "unknown field `modle` - at `$.transcribe`"),
        ("[run]\nworkers = -1", "Expected `int` >= 0 - at `$.run.workers`"),
        ("[run]\nworkers = 'two'", "Expected `int`, got `str` - at `$.run.workers`"),
        ("[publish]\ndefault_release = 'embargoed'", "publish.default_release: 'public' or 'private'"),
        ("[transcribe]\nlanguage = 'no such tongue'", "transcribe.language: unknown language 'no such tongue'"),
        ("[site\n", "rostra.toml: Expected"),
    ],
)
def test_wrong_setting_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "rostra.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=re.escape(message)):
        load(path)


def test_init_does_not_move_into_a_folder_that_holds_something_else(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(ConfigError, match="is not empty"):
        init(tmp_path, title="T")
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_init_again_changes_nothing(tmp_path: Path) -> None:
    assert init(tmp_path / "a", title="T")
    (tmp_path / "a" / "rostra.toml").write_text("[site]\ntitle = 'Mine'\n")
    assert not init(tmp_path / "a", title="Other")
    assert load(tmp_path / "a" / "rostra.toml").site.title == "Mine"
