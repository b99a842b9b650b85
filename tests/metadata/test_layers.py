from __future__ import annotations

import ast
from collections.abc import Iterator
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
    tests = Path(__file__).parents[1]
    folders = {path.parent for path in tests.rglob("test_*.py")} | {tests}
    assert [folder for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []
