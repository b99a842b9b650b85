"""What is installed, whether from the sources or from the wheel: every module is there, and so are both ways in."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sysconfig
from importlib.metadata import entry_points, version
from pathlib import Path

import pytest

import archive
import archive.site
import metadata
import pipelines

MODULES = [
    module.name
    for package in (archive, metadata, pipelines)
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    if not module.name.endswith(".__main__")  # which is the command, and runs
]


@pytest.mark.parametrize("name", MODULES)
def test_module_is_imported(name: str) -> None:
    importlib.import_module(name)


def test_command_is_installed() -> None:
    command = Path(sysconfig.get_path("scripts")) / "rostra"
    done = subprocess.run([command, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"rostra, version {version('rostra')}\n"


def test_site_is_a_plugin_of_datasette() -> None:
    [plugin] = entry_points(group="datasette", name="rostra")
    assert plugin.load() is archive.site
