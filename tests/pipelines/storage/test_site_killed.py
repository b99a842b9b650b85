"""A site of files whose writing is killed or interrupted: what is there is a site, and the next run makes it whole."""

from __future__ import annotations

import hashlib
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from pipelines.storage.copies import beside, read_site
from tests.pipelines.command import rostra

pytest.importorskip("pagefind", reason="no Pagefind: pip install 'rostra[static]'")
SAID = "Unmistakable words"

ENDED_BY_ITSELF = """
import os, sys

target, number, at, log = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), open(sys.argv[4], "w")
steps = 0

def look(event, arguments):
    global steps
    if event not in {"os.rename", "os.remove", "os.rmdir", "os.mkdir"}:
        return
    path = os.fspath(arguments[1] if event == "os.rename" else arguments[0])
    if isinstance(path, bytes) or not f"{path}/".startswith(target + "/") or "/.rostra-part" in path:
        return
    print(event, path, file=log, flush=True)
    steps += 1  # before the signal, which may be an exception here
    if steps - 1 == at:
        os.kill(os.getpid(), number)

sys.addaudithook(look)
sys.argv = ["rostra", *sys.argv[5:]]
from pipelines.cli import main
main()
"""
"""Runs a command that sends itself a signal before its step AT of all that change the folder."""


def command(root: Path, site: Path) -> list[str]:
    return ["publish", "--archive", str(root), "--static", str(site)]


def ended(root: Path, watched: Path, number: int, at: int, *, into: Path | None = None) -> tuple[int, list[str]]:
    """Publish until a step in a folder, or beside it; return the exit status and the steps until then."""
    log = root.parent / "log"
    arguments = [str(watched), str(number), str(at), str(log), *command(root, into or watched)]
    done = subprocess.run([sys.executable, "-c", ENDED_BY_ITSELF, *arguments], capture_output=True, check=False)
    assert b"Traceback" not in done.stderr, done.stderr.decode()
    return done.returncode, log.read_text().splitlines()


def published(root: Path, site: Path) -> None:
    done = rostra(*command(root, site))
    assert done.returncode == 0, done.stderr


def read(site: Path) -> dict[str, bytes]:
    """Return what visitors may ask for: not what begins with a dot."""
    names = {path.relative_to(site): path for path in site.rglob("*") if path.is_file()}
    hidden = {name for name in names if any(part.startswith(".") for part in name.parts)}
    return {name.as_posix(): path.read_bytes() for name, path in names.items() if name not in hidden}


def same(one: dict[str, bytes], other: dict[str, bytes]) -> bool:
    """Return whether two folders hold the same; Pagefind writes one index in different bytes."""
    names = {name for name in one.keys() | other.keys() if not name.startswith("pagefind/")}
    assert {name for name in names if one.get(name) != other.get(name)} == set()
    index, another = (sorted(Path(name).suffix for name in each if name not in names) for each in (one, other))
    return index == another


def dead(files: dict[str, bytes]) -> set[str]:
    """Return the links that lead to no file."""
    found = set()
    for name, data in files.items():
        if not name.endswith(".html"):
            continue
        for link in re.findall(r' (?:href|src|poster)="(/[^"]*)"', data.decode()):
            path = unquote(urlsplit(link.replace("&amp;", "&")).path).strip("/")
            if path not in files and f"{path}/index.html".lstrip("/") not in files:
                found.add(f"{name} leads to {link}")
    return found


def is_a_site(now: dict[str, bytes], old: dict[str, bytes], new: dict[str, bytes]) -> None:
    """Assert that each file is one of the old site or of the new one, and that no page is missing between them."""
    strange = {name for name, data in now.items() if data not in {old.get(name), new.get(name)}}
    assert {name for name in strange if not name.startswith("pagefind/")} == set()
    assert {name for name in old.keys() & new.keys() if name not in now} == set()
    assert dead(now) == set()


@pytest.fixture(scope="module")
def first(kept: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with an archive, and its site, of which a session was called otherwise after that."""
    folder = tmp_path_factory.mktemp("killed")
    root = Path(shutil.copytree(kept, folder / "talks"))
    published(root, folder / "www")
    assert rostra("correct", "session", "second-talk", f"title={SAID}", "--archive", root).returncode == 0
    return folder


def afresh(first: Path) -> tuple[Path, Path]:
    """Return the archive and the site in a new copy, always in the same place: the catalogue names it."""
    folder = first.with_name("again")
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(first, folder)
    return folder / "talks", folder / "www"


@pytest.fixture(scope="module")
def new(first: Path) -> dict[str, bytes]:
    """Return the files of the site after that, whose writing nobody disturbed."""
    root, site = afresh(first)
    published(root, site)
    return read(site)


def test_folder_is_a_site_at_every_moment(first: Path, new: dict[str, bytes]) -> None:
    root, site = afresh(first)
    old, seen, looking = read(site), [], [True]

    def look(event: str, arguments: tuple[object, ...]) -> None:
        if looking and event in {"os.rename", "os.remove", "os.rmdir", "os.mkdir"}:
            path = str(arguments[1] if event == "os.rename" else arguments[0])
            if path.startswith(f"{site}/") and "/.rostra-part" not in path:
                looking.clear()
                seen.append(read(site))
                looking.append(True)

    sys.addaudithook(look)  # which stays for good
    try:
        published(root, site)
    finally:
        looking.clear()
    assert len(seen) > 20
    for moment in seen:
        is_a_site(moment, old, new)
    moments = {hashlib.sha256(repr(sorted(each.items())).encode()).digest() for each in seen}
    assert len(moments) > 10
    assert same(read(site), new)
    assert SAID.encode() in read(site)["index.html"]


@pytest.mark.parametrize(
    ("number", "share"),
    [(signal.SIGKILL, 0.2), (signal.SIGINT, 0.4), (signal.SIGKILL, 0.6), (signal.SIGTERM, 0.8), (signal.SIGKILL, 0.9)],
)
def test_what_was_ended_is_a_site_and_the_next_run_makes_it_whole(
    first: Path, new: dict[str, bytes], number: signal.Signals, share: float
) -> None:
    root, site = afresh(first)
    old, steps = read(site), STEPS.setdefault("second", [])
    if not steps:
        steps += ended(root, site, signal.SIGKILL, -1)[1]
        root, site = afresh(first)
    status, made = ended(root, site, number, int(share * len(steps)))
    assert status == (-number if number == signal.SIGKILL else 128 + number)
    assert len(made) < len(steps)
    is_a_site(read(site), old, new)
    published(root, site)
    assert same(read(site), new)
    left = {each.name for each in site.iterdir() if each.name.startswith(".")}
    assert left <= {".nojekyll", ".publishing", ".rostra.json"}
    said = read_site(site)
    assert said is not None
    assert said.whole
    assert {name: hashlib.sha256((site / name).read_bytes()).hexdigest() for name in said.files} == said.files


STEPS: dict[str, list[str]] = {}
"""What changes the folder, in a run that nobody disturbs."""


def test_folder_that_is_not_there_becomes_a_site_at_once(first: Path, new: dict[str, bytes]) -> None:
    root, site = afresh(first)
    shutil.rmtree(site)
    steps = ended(root, site, signal.SIGKILL, -1)[1]
    assert steps == [f"os.rename {site}"]
    assert same(read(site), new)
    left = {each.name for each in site.iterdir() if each.name.startswith(".")}
    assert left <= {".nojekyll", ".publishing", ".rostra.json"}
    assert sorted(each.name for each in site.parent.iterdir()) == ["log", "talks", "www"]


LONG = pytest.mark.long


@pytest.mark.parametrize("share", [pytest.param(0.1, marks=LONG), 0.5, pytest.param(1.0, marks=LONG)])
def test_first_site_of_a_folder_that_is_not_there_is_begun_again_or_never_was(
    first: Path, new: dict[str, bytes], share: float
) -> None:
    root, site = afresh(first)
    shutil.rmtree(site)
    made = beside(site)
    steps = STEPS.setdefault("beside", [])
    if not steps:
        steps += ended(root, made, signal.SIGKILL, -1, into=site)[1]
        shutil.rmtree(site)
        root, _ = afresh(first)
        shutil.rmtree(site)
    status, _ = ended(root, made, signal.SIGKILL, int(share * (len(steps) - 1)), into=site)
    assert (status, made.exists(), site.exists()) == (-signal.SIGKILL, True, False)
    published(root, site)
    assert same(read(site), new)
    assert not made.exists()
    shutil.rmtree(site)
    status, _ = ended(root, made, signal.SIGINT, int(share * (len(steps) - 1)), into=site)
    assert (status, made.exists(), site.exists()) == (128 + signal.SIGINT, False, False)
    status, _ = ended(root, made, signal.SIGKILL, int(share * (len(steps) - 1)), into=site)
    done = rostra("release", "second-talk", "--withdraw", "asked for", "--yes", "--archive", root)
    assert (done.returncode, made.exists()) == (0, False), done.stderr
    assert not [name for name, data in read(site).items() if SAID.encode() in data]
    assert dead(read(site)) == set()


@pytest.mark.parametrize("share", [0.3, 0.97])
def test_first_site_that_was_ended_is_finished_or_taken_back(first: Path, new: dict[str, bytes], share: float) -> None:
    root, site = afresh(first)
    site = site.with_name("other")
    site.mkdir()
    steps = STEPS.setdefault("first", [])
    if not steps:
        steps += ended(root, site, signal.SIGKILL, -1)[1]
        root, _ = afresh(first)
        site.mkdir()
    status, _ = ended(root, site, signal.SIGKILL, int(share * len(steps)))
    assert status == -signal.SIGKILL
    begun = read(site)
    assert begun
    assert "index.html" not in begun
    assert {name for name, data in begun.items() if data != new.get(name)} - {
        name for name in begun if name.startswith("pagefind/")
    } == set()
    ended(root, site, signal.SIGINT, 1)  # one more run that does not get far
    assert begun.keys() <= read(site).keys()
    done = rostra("release", "second-talk", "--withdraw", "asked for", "--yes", "--archive", root)
    assert done.returncode == 0, done.stderr
    assert not [name for name, data in read(site).items() if SAID.encode() in data]
    assert dead(read(site)) == set()


def test_check_names_what_finishes_a_site(first: Path) -> None:
    root, site = afresh(first)
    steps = ended(root, site, signal.SIGKILL, -1)[1]
    root, site = afresh(first)
    ended(root, site, signal.SIGKILL, len(steps) // 2)
    said = rostra("check", "--archive", root)
    assert "was not written to its end" in re.sub(r"\s+", " ", said.stdout + said.stderr)
    assert (site / "index.html").exists()
    published(root, site)
    assert "to its end" not in re.sub(r"\s+", " ", rostra("check", "--archive", root).stdout)
