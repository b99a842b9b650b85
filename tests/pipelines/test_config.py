from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipelines.config import Config, load, template
from pipelines.errors import ConfigError
from pipelines.storage.archive_folder import init, open_archive


def test_template_is_the_default_and_commented_lines_say_so(tmp_path: Path) -> None:
    path = tmp_path / "rostra.toml"
    title = 'A "quoted" title\\ 😀 \x1b\x7f\x85'
    path.write_text(template(title), encoding="utf-8")
    assert load(path).site.title == title
    path.write_text(re.sub(r"(?m)^# (\w+ = )", r"\1", template("Rostra")), encoding="utf-8")
    assert load(path) == Config()


def test_missing_file_says_nothing(tmp_path: Path) -> None:
    assert load(tmp_path / "rostra.toml") == Config()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "[transcribe]\nmodle = 'base'",
            "line 2, transcribe.modle: unknown setting 'modle': use engine, model, language, glossary, ",
        ),
        ("[site]\ntitle = 'T'\n\n[pul]\nevent = 'e'", "line 4, pul: unknown setting 'pul': use site, pull, store, "),
        ("[run]\nworkers = -1", "line 2, run.workers: expected a whole number >= 0, got -1"),
        ("[run]\nattempts = 2\n workers = 'two'", "line 3, run.workers: expected a whole number, got 'two'"),
        ("run.workers = 'two'", "line 1, run.workers: expected a whole number, got 'two'"),
        ("[run]\nnotify = ['a']", "line 2, run.notify: expected text, got an array"),
        ("run = 3", "line 1, run: expected a table, got 3"),
        ("[transcribe]\nmodle = 'base'", "device, quality or always (nearest: model)"),
        ("[pull]\nschemes = ['https', 'ftp']", "line 2, pull.schemes[1]: 'ftp' is not allowed: use http or https"),
        (
            "[publish]\ndefault_release = 'embargoed'",
            "line 2, publish.default_release: 'embargoed' is not allowed: use private or public",
        ),
        (
            "[transcribe]\nlanguage = 'no such tongue'",
            "line 2, transcribe.language: unknown language 'no such tongue'",
        ),
        (
            "[site]\nproxies = ['127.0.0.1', 'nginx']",
            "line 2, site.proxies: 'nginx' is neither an address, such as 10.0.0.7, nor a network, such as 10.0.0.0/8",
        ),
        ("[site\n", "rostra.toml: not TOML: Expected"),
        ("[site]\ntitle = 'a'\ntitle = 'b'\n", "(at line 3, "),
        ("[site]\ntitle = '\udcff'\n", "line 2: not UTF-8 text"),
    ],
)
def test_wrong_setting_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "rostra.toml"
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(ConfigError, match=re.escape(message)):
        load(path)


def test_byte_order_mark_is_no_part_of_a_setting(tmp_path: Path) -> None:
    path = tmp_path / "rostra.toml"
    path.write_text("[site]\ntitle = 'Mine'\n", encoding="utf-8-sig")
    assert load(path).site.title == "Mine"


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


def test_files_that_settings_name_are_looked_for_from_where_they_stand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, elsewhere = tmp_path / "talks", tmp_path / "elsewhere"
    for folder in (root / "weights", elsewhere / "base", elsewhere / "weights"):
        folder.mkdir(parents=True)
    path = root / "rostra.toml"
    monkeypatch.chdir(elsewhere)
    monkeypatch.setenv("HOME", str(tmp_path))
    files = "ca = 'ca.pem'\ncertificate = '~/own.pem'\nkey = '/etc/own.key'\n"
    path.write_text(f"[transcribe]\nmodel = 'weights'\n[cluster]\n{files}")
    for named in (path, Path("../talks/rostra.toml")):
        config = load(named)
        assert Path(config.transcribe.model).samefile(root / "weights")
        assert Path(config.cluster.ca).parent.samefile(root)
        assert (config.cluster.certificate, config.cluster.key) == (str(tmp_path / "own.pem"), "/etc/own.key")
    path.write_text("[transcribe]\nmodel = 'base'\n")
    assert load(path) == Config(), "a folder where somebody stands is no setting's"


@pytest.mark.parametrize("name", [".", "../talks", "link"])
def test_archive_is_known_by_its_place_and_not_by_how_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    init(tmp_path / "talks", title="Talks")
    (tmp_path / "talks" / "link").symlink_to(tmp_path / "talks")
    monkeypatch.chdir(tmp_path / "talks")
    with open_archive(Path(name)) as context:
        monkeypatch.chdir("/")
        assert context.layout.root == (tmp_path / "talks").resolve()
        assert context.blobs.add(context.layout.config, ".toml").bytes == context.layout.config.stat().st_size
