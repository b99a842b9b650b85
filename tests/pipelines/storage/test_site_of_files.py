"""The site as files: what is written again, what is taken back, what is refused, and what a check says of it."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from archive.catalogue.corrections import correct_session
from archive.connection import transaction
from archive.publication import redaction
from archive.publication.deciding import Decision, decide, find_subject
from metadata.model import ReleaseState
from pipelines.run.executors import InProcess
from pipelines.run.runner import RunSummary, Silent, run_stage
from pipelines.stages.publish import Publish
from pipelines.stages.static import Static
from pipelines.storage.archive_folder import Context, now, open_archive
from pipelines.storage.check import check
from pipelines.storage.copies import read_site
from pipelines.storage.own import keeper
from tests.pipelines.command import rostra

pytest.importorskip("pagefind", reason="no Pagefind: pip install 'rostra[static]'")
AT = "2026-05-01T00:00:00Z"
UNMISTAKABLE = "Unmistakable words"


@pytest.fixture(scope="module")
def written(kept: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an archive beside which its site was written to files, at a path of its own, and a page withdrawn."""
    root = tmp_path_factory.mktemp("written") / "talks"
    shutil.copytree(kept, root)
    settings = root / "rostra.toml"
    settings.write_text(re.sub(r'# url = "".*', 'url = "https://example.org/talks"', settings.read_text()))
    with open_archive(root) as context:
        event, slug = sessions(context)[0].split("/")
        with transaction(context.db):
            correct_session(context.db, event, slug, {"abstract": UNMISTAKABLE}, by="somebody", at=AT)
        run_stage(context, Publish(grace_seconds=0.0), InProcess(), Silent())
        assert write(context, root.parent / "www").counts == {"done": 1}
    return root


@pytest.fixture
def context(written: Path, tmp_path: Path) -> Iterator[Context]:
    root = Path(shutil.copytree(written.parent, tmp_path / "all")) / "talks"
    with open_archive(root) as context:
        yield context


@pytest.fixture
def site(context: Context) -> Path:
    """Return a copy of the folder of the site."""
    return context.layout.root.parent / "www"


def write(context: Context, folder: Path, **options: object) -> RunSummary:
    return run_stage(context, Static(folder, **options), InProcess(), Silent())  # type: ignore[arg-type]


def files(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_mtime_ns, path.read_bytes())
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def played(folder: Path) -> list[Path]:
    return [path for path in sorted((folder / "media").iterdir()) if path.suffix not in {".json", ".vtt", ".jpg"}]


def release(context: Context, name: str, state: ReleaseState) -> None:
    with transaction(context.db):
        decision = Decision(state=state, reason="", by="somebody", at=AT)
        decide(context.db, [find_subject(context.db, name)], decision, default="public", now=now())


def sessions(context: Context) -> list[str]:
    rows = context.db.execute("SELECT event.slug, session.slug FROM session JOIN event ON event.id = event_id")
    return [f"{event}/{session}" for event, session in rows.fetchall()]


def test_every_link_of_every_page_leads_to_a_file(site: Path) -> None:
    dead = set()
    for page in site.rglob("*.html"):
        for link in re.findall(
            r' (?:href|src|poster|data-\w+)="(/[^"]*|https://example\.org/[^"]*)"', page.read_text()
        ):
            path = unquote(urlsplit(link.replace("&amp;", "&")).path).removeprefix("/talks").strip("/")
            if not ((site / path).is_file() or (site / path / "index.html").is_file()):
                dead.add(link)
    assert dead == set()


def test_nothing_is_written_again_that_has_not_changed(context: Context, site: Path) -> None:
    write(context, site)
    before = files(site)
    [event, slug] = sessions(context)[0].split("/")
    assert write(context, site).counts == {}
    with transaction(context.db):
        correct_session(context.db, event, slug, {"abstract": "A later word on it."}, by="somebody", at=AT)
    assert write(context, site).counts == {"done": 1}
    after = files(site)
    changed = {name for name in after if before.get(name) != after[name]}
    assert before.keys() - after.keys() == {name for name in before if name.startswith("pagefind/")} - after.keys()
    assert {name for name in changed if name.startswith("media/")} == set()
    assert f"events/{event}/{slug}/index.html" in changed
    other = sessions(context)[1]
    assert not {name for name in changed if name.startswith(f"events/{other}/")}


def test_what_is_withdrawn_leaves_every_file_and_says_so(context: Context, site: Path) -> None:
    gone, other = sessions(context)
    assert any(UNMISTAKABLE.encode() in data for _, data in files(site).values())
    release(context, gone, "withdrawn")
    assert write(context, site).counts == {"done": 1}
    left = {name for name in files(site) if gone.split("/")[1] in name}
    assert left == {f"events/{gone}/index.html"}
    assert "This was withdrawn" in (site / "events" / gone / "index.html").read_text()
    assert (site / "_redirects").read_text() == f"/talks/events/{gone} /talks/events/{gone}/index.html 410\n"
    told = {name for name, (_, data) in files(site).items() if UNMISTAKABLE.encode() in data}
    assert told == set()
    assert len(played(site)) == 1
    assert (site / "events" / other / "index.html").is_file()


def test_words_that_are_taken_out_are_gone_before_all_pages_are_made_again(
    context: Context, site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken, other = sessions(context)
    [recording] = context.db.execute(
        "SELECT recording.id FROM recording JOIN session ON session.id = session_id WHERE session.slug = ?",
        [taken.split("/")[1]],
    ).fetchone()
    with transaction(context.db):
        redaction.redact(
            context.db, recording, (0, 2_000), reason="", reason_is_public=False, by="somebody", at=AT
        )  # fmt: skip
    monkeypatch.setenv("PAGEFIND_BINARY_PATH", "/nowhere")  # so that nothing can be finished
    assert write(context, site).counts == {"failed": 1}
    assert not any((site / "events" / taken).rglob("*.*"))
    assert not list((site / "pagefind").rglob("*.pf_fragment"))
    assert (site / "events" / other / "index.html").is_file()
    monkeypatch.undo()
    assert write(context, site).counts == {"done": 1}
    assert "Taken out until" in (site / "events" / taken / "index.html").read_text()


def test_a_run_that_fails_changes_nothing(context: Context, site: Path) -> None:
    (site / "CNAME").write_text("example.org")
    before = files(site)
    with transaction(context.db):
        event, slug = sessions(context)[0].split("/")
        correct_session(context.db, event, slug, {"track": "CNAME"}, by="somebody", at=AT)
    (site / "tracks" / "CNAME").mkdir(parents=True)
    (site / "tracks" / "CNAME" / "index.html").write_text("somebody's own")
    report = write(context, site)
    [(_, outcome)] = report.troubles
    assert "was not written by Rostra" in str(outcome.text)
    shutil.rmtree(site / "tracks" / "CNAME")
    assert {name: each for name, each in files(site).items() if name != ".publishing"} == {
        name: each for name, each in before.items() if name != ".publishing"
    }
    assert write(context, site).counts == {"done": 1}
    assert (site / "CNAME").read_text() == "example.org"


def test_check_knows_the_folder_and_what_is_missing_is_written_again(context: Context, site: Path) -> None:
    def problems() -> list[tuple[str, str | None]]:
        found = check(context, quick=False, looked=lambda _: None)
        return [(each.text.replace(str(site), ""), each.again) for each in found if str(site) in each.text]

    write(context, site)
    assert problems() == []
    sound = played(site)[0]
    sound.unlink()
    (site / "robots.txt").write_text("damaged")
    again = f"rostra publish --again --static {site}"
    assert problems() == [
        ("/robots.txt has other bytes than when it was kept", again),
        (f"/media/{sound.name} is gone", again),
    ]
    write(context, site, again=True)
    assert problems() == []
    event, slug = sessions(context)[0].split("/")
    with transaction(context.db):
        correct_session(context.db, event, slug, {"abstract": "New."}, by="somebody", at=AT)
    assert (" was written from an older state of the archive (.rostra.json)", again) in problems()


def test_recordings_elsewhere_and_another_language(context: Context, site: Path) -> None:
    write(context, site, media="https://media.example.org/rostra/", language="de")
    page = (site / "events" / sessions(context)[0] / "index.html").read_text()
    assert re.search(r'<source src="https://media\.example\.org/rostra/[0-9a-f]{64}\.\w+"', page)
    assert "media-src &#39;self&#39; blob: https://media.example.org;" in page
    assert '<html lang="de"' in page
    assert played(site) == []
    write(context, site, again=True)  # as it was written last
    said = read_site(site)
    assert said is not None
    assert (said.language, said.media) == ("de", "https://media.example.org/rostra/")


def test_folders_of_others_are_refused(context: Context, site: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "public"
    run_stage(context, Publish(elsewhere, grace_seconds=0.0), InProcess(), Silent())
    for stage in (Static(elsewhere), Publish(site), Static(context.layout.root)):
        [(_, outcome)] = run_stage(context, stage, InProcess(), Silent()).troubles  # type: ignore[arg-type]
        assert outcome.code == "not-published"
    kept_file = next((site / "media").iterdir())
    assert (keeper(kept_file), keeper(site / "events" / "x.mp4")) == (site, site)


def test_command_says_what_it_did(written: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(written, tmp_path / "talks"))
    done = rostra("publish", "--archive", root, "--static", tmp_path / "www", "--json")
    said = json.loads(done.stdout)
    assert (said["folder"], said["changed"], said["failed"]) == (str(tmp_path / "www"), True, False)
    assert said["done"].endswith("0 removed")
    refused = rostra("publish", "--archive", root, "--static", tmp_path / "www", "--to", tmp_path / "x")
    assert refused.returncode == 2


def test_media_of_others_stay_and_recordings_do_not(context: Context, site: Path) -> None:
    ours, others = ("f" * 64 + ".webm", f".{'e' * 32}.part"), ("jingle.mp3", ".htaccess", "cafe.webm")
    for name in (*ours, *others):
        (site / "media" / name).write_bytes(b"-")
    assert write(context, site, again=True).counts == {"done": 1}
    assert {each for each in (*ours, *others) if (site / "media" / each).exists()} == {*others}
