"""What `make demo` and `make test` install is pinned, with hashes, and is what ``pyproject.toml`` asks for."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
LOCKS = {extra: ROOT / ".ci" / f"{extra}.txt" for extra in ("demo", "dev")}


def pinned(text: str) -> list[Requirement]:
    """Return the pins of a lock: one for each package, or one for each range of Pythons."""
    joined = text.replace("\\\n", " ")
    return [Requirement(line.split(" --hash=")[0]) for line in joined.splitlines() if line.strip()]


def asked(extra: str) -> set[str]:
    """Return the names that the project and this extra ask for, extras of the project itself followed."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted, names = [*project["dependencies"], *project["optional-dependencies"][extra]], set()
    while wanted:
        requirement = Requirement(wanted.pop())
        if requirement.name == "rostra":
            wanted += [each for name in requirement.extras for each in project["optional-dependencies"][name]]
        else:
            names.add(str(requirement))
    return names


@pytest.mark.parametrize("extra", LOCKS)
def test_lock_satisfies_the_project(extra: str) -> None:
    pins = pinned(LOCKS[extra].read_text(encoding="utf-8"))
    wrong = []
    for requirement in map(Requirement, asked(extra)):
        named = [pin for pin in pins if canonicalize_name(pin.name) == canonicalize_name(requirement.name)]
        versions = [next(iter(pin.specifier)).version for pin in named]
        if not versions or not all(requirement.specifier.contains(version) for version in versions):
            wrong.append(str(requirement))
    assert wrong == [], "stale: make lock"


@pytest.mark.parametrize("extra", LOCKS)
def test_lock_names_versions_hashes_and_no_index(extra: str) -> None:
    text = LOCKS[extra].read_text(encoding="utf-8")
    requirements = text.replace("\\\n", " ").splitlines()
    loose = [
        line
        for line in requirements
        if not re.fullmatch(r"[^ ]+==[^ ]+( ; [^-]+)?(\s+--hash=sha256:[0-9a-f]{64})+", line)
    ]
    assert loose == []
    assert "://" not in text
