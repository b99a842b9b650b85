"""How the packages are laid out: what imports what, what stands where, and how much there is of it."""

from __future__ import annotations

import ast
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import pytest

import archive
import metadata
import pipelines

PACKAGES = {module.__name__: Path(str(module.__file__)).parent for module in (metadata, archive, pipelines)}
MAY_IMPORT = {
    "metadata": {"metadata"},
    "archive": {"metadata", "archive"},
    "pipelines": {"metadata", "archive", "pipelines"},
}
NETWORK_AND_DATABASES = {
    "aiohttp", "apsw", "asyncio", "boto3", "datasette", "fsspec", "ftplib", "http", "httpx", "imaplib", "obstore",
    "pysqlite3", "requests", "smtplib", "socket", "socketserver", "sqlite3", "sqlite_utils", "ssl", "subprocess",
    "urllib.request", "urllib3", "uvicorn", "websockets", "xmlrpc",
}  # fmt: skip
MODULES = [(package, path) for package, root in PACKAGES.items() for path in sorted(root.rglob("*.py"))]


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """Yield every module that a file imports, with its level: 0 for an absolute import."""
    for node in ast.walk(ast.parse(path.read_bytes(), path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, 0) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or "", node.level
            yield from ((f"{node.module}.{alias.name}", node.level) for alias in node.names)


@pytest.mark.parametrize(("package", "path"), MODULES, ids=[f"{path}" for _, path in MODULES])
def test_imports_one_way(package: str, path: Path) -> None:
    ours = {name.partition(".")[0] for name, _ in imports(path)} & {*PACKAGES, "tests"}
    assert ours <= MAY_IMPORT[package]


@pytest.mark.parametrize(("package", "path"), MODULES, ids=[f"{path}" for _, path in MODULES])
def test_imports_absolute(package: str, path: Path) -> None:
    assert [name for name, level in imports(path) if level > 0] == []


def test_metadata_touches_no_network_or_database() -> None:
    found = {
        (path.name, name)
        for package, path in MODULES
        if package == "metadata"
        for name, _ in imports(path)
        for parent in [".".join(name.split(".")[:2])]
        if {parent, parent.partition(".")[0]} & NETWORK_AND_DATABASES
    }
    assert found == set()


def test_packages_typed() -> None:
    assert [name for name, root in PACKAGES.items() if not (root / "py.typed").exists()] == []


def test_test_folders_are_packages() -> None:
    # Without tests/__init__.py, tests/metadata would shadow the package of that name.
    tests = Path(__file__).parent
    folders = {path.parent for path in tests.rglob("test_*.py")} | {tests}
    assert [folder for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []


# The order inside each package, as its docstring writes it.


def module_name(path: Path) -> str:
    """Return a file's name as a module: ``archive/site/app.py`` → ``archive.site.app``."""
    package = next(root for root in PACKAGES.values() if path.is_relative_to(root))
    return ".".join(path.relative_to(package.parent).with_suffix("").parts).removesuffix(".__init__")


NAMES = {module_name(path): path for _, path in MODULES}


def imported(path: Path, *, at_once: bool = False) -> Iterator[str]:
    """Yield the modules of ours that a file imports; of ``from package import name``, the module that it means.

    Args:
        path: the file.
        at_once: leave out what is imported when a function is called.
    """
    tree = ast.parse(path.read_bytes(), path)
    for node in tree.body if at_once else ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in NAMES)
        elif isinstance(node, ast.ImportFrom):
            named = (f"{node.module}.{alias.name}" for alias in node.names)
            yield from (name if name in NAMES else str(node.module) for name in named if str(node.module) in NAMES)


@cache
def arrows() -> frozenset[tuple[str, str]]:
    """Return which module imports which, over all packages."""
    return frozenset((name, each) for name, path in NAMES.items() for each in imported(path) if each != name)


def part(name: str) -> str:
    """Return the part of its package that a module belongs to: ``archive.site.app`` → ``archive.site``."""
    return ".".join(name.split(".")[:2])


def written_order(package: str) -> list[str]:
    """Return the parts of a package in the order in which its docstring lists them: names before two blanks."""
    text = (sys.modules[package].__doc__ or "").partition("::\n")[2]
    lines = re.findall(r"^    (\S.*?)  +\S", text, flags=re.MULTILINE)
    return [f"{package}.{name}" for line in lines for name in line.split(", ")]


@pytest.mark.parametrize("package", PACKAGES)
def test_every_part_of_a_package_stands_in_its_docstring(package: str) -> None:
    parts = {part(name) for name in NAMES if name.startswith(f"{package}.")}
    assert sorted(written_order(package)) == sorted(parts)


@pytest.mark.parametrize("package", PACKAGES)
def test_parts_import_only_what_stands_above_them(package: str) -> None:
    order = {name: number for number, name in enumerate(written_order(package))}
    wrong = [
        (importer, name)
        for importer, name in sorted(arrows())
        if part(importer) in order and part(name) in order and order[part(name)] > order[part(importer)]
    ]
    assert wrong == []


def test_modules_import_in_no_circle() -> None:
    left = {(name, each) for name, path in NAMES.items() for each in imported(path, at_once=True) if each != name}
    while used := {importer for importer, _ in left} & {name for _, name in left}:
        fewer = {(importer, name) for importer, name in left if importer in used and name in used}
        assert fewer != left, f"a circle goes through {sorted(used)}"
        left = fewer


# How much there is. Whoever has a good reason to go over one of these figures raises it, where others see it.

MODULES_A_FOLDER = Counter({"archive.catalogue": 26, "archive.search": 26, "pipelines.cli": 27})
MOST_MODULES = 20
"""But for formats, which are a module each."""
IMPORTS_BETWEEN_FOLDERS = {"metadata": 23, "archive": 49, "pipelines": 64}
IMPORTS_A_MODULE = {"metadata": 4.0, "archive": 4.5, "pipelines": 4.0}
"""Of modules of the same package, on average."""
WRITE_SUPERSEDED = {
    "archive.catalogue.current",  # says what is current
    "archive.catalogue.migrations",
    "archive.extracts.parts",  # leaves out what refers to recordings that stay
    "archive.catalogue.provenance",  # lets one recording take another's place
    "archive.publication.documentation",  # says what the column means
    "archive.publication.rules",
}
SQL = re.compile(
    r"\bSELECT\s.+\sFROM\b|\bINSERT\s(OR\s\w+\s)?INTO\b|\bUPDATE\s\w+\sSET\b|\bDELETE\sFROM\b"
    r"|\b(CREATE|ALTER|DROP)\s(\w+\s)?(TABLE|VIEW|INDEX|TRIGGER)\b",
    re.DOTALL,
)
"""What tells a statement from a sentence. The schema's keywords are written in capitals throughout."""
RUN_SQL = {"execute", "executemany", "executescript", "query"}


def test_no_folder_holds_too_many_modules() -> None:
    modules = [path for _, path in MODULES if path.parent.name not in {"captions", "timetables"}]
    counts = Counter(module_name(path.parent / "x").removesuffix(".x") for path in modules if path.stem != "__init__")
    assert {
        folder: count for folder, count in counts.items() if count > (MODULES_A_FOLDER[folder] or MOST_MODULES)
    } == {}


@pytest.mark.parametrize("package", PACKAGES)
def test_folders_import_few_others(package: str) -> None:
    between = {(part(importer), part(name)) for importer, name in arrows()}
    inside = {pair for pair in between if pair[0] != pair[1] and all(each.startswith(f"{package}.") for each in pair)}
    assert len(inside) <= IMPORTS_BETWEEN_FOLDERS[package]


@pytest.mark.parametrize("package", PACKAGES)
def test_modules_import_few_others(package: str) -> None:
    inside = [pair for pair in arrows() if all(name.partition(".")[0] == package for name in pair)]
    modules = [name for name in NAMES if name.partition(".")[0] == package]
    assert len(inside) / len(modules) <= IMPORTS_A_MODULE[package]


def statements(path: Path) -> Iterable[str]:
    """Yield the texts of a file that are statements in SQL, and its calls of methods that run them."""
    for node in ast.walk(ast.parse(path.read_bytes(), path)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and SQL.search(node.value):
            yield node.value
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in RUN_SQL:
            yield ast.unparse(node)


def test_sql_stands_in_archive_alone() -> None:
    elsewhere = {module_name(path): list(statements(path)) for package, path in MODULES if package != "archive"}
    assert {name: found for name, found in elsewhere.items() if found} == {}
    assert sum(len(list(statements(path))) for package, path in MODULES if package == "archive") > 200


def test_what_is_current_is_said_once() -> None:
    writing = {name for name, path in NAMES.items() if "superseded_by" in path.read_text(encoding="utf-8")}
    assert writing <= WRITE_SUPERSEDED
