"""Bags: out of an archive that holds something of everything, and back; and bags of strangers, which are refused."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import bagit
import pytest
from click.testing import CliRunner, Result
from defusedxml import ElementTree

from archive.catalogue.addresses import session_at
from archive.catalogue.corrections import correct_event, correct_session
from archive.catalogue.migrations import catalogue_migrations
from archive.catalogue.sessions import add_session, ensure_event
from archive.connection import transaction
from archive.errors import ArchiveError
from archive.extracts.parts import LEFT_OUT, PARTS
from archive.index.verify import verify
from archive.publication.deciding import Decision, decide, find_subject
from archive.publication.purging import purge_recording
from archive.publication.releases import sessions
from archive.sqlite import Database
from metadata.premis import NAMESPACE
from pipelines.cli import cli
from pipelines.errors import BagError, ConfigError, PipelineError
from pipelines.exchange.bagged import TakenIn, import_bag
from pipelines.exchange.bags import DECLARATION, Bagged, export_bag, quiet
from pipelines.storage.archive_folder import init, open_archive_readonly, taking_turns
from tests.pipelines.cli.test_cli import rostra
from tests.pipelines.storage.test_backup import files, tables
from tests.pipelines.test_nothing_leaks import Archive, marks, plain_marks

WITHDRAWN = "event-0/session-2"
SAID = """
SELECT word.text FROM word JOIN segment ON segment.id = segment_id JOIN transcript ON transcript.id = transcript_id
JOIN recording ON recording.id = recording_id WHERE session_id = ?
"""


@contextmanager
def made() -> Iterator[Archive]:
    """Give an archive of two events that holds something of every table."""
    machine = Archive()
    try:
        machine.fill(whole=True)
        machine.bring_a_recording(number=4, cut=False)
        machine.correct(number=0)
        machine.redact(number=1, start=0, length=900, told=False)
        machine.undo_a_redaction()
        with transaction(machine.db):
            machine.db.execute("INSERT INTO event_language VALUES (1, 'en', 'floor')")
            machine.db.execute(
                "INSERT INTO release_default(event_id, track, state, decided_at) VALUES (1, 'Other', 'private', '2026')"
            )
            machine.db.execute(
                "INSERT INTO taken_back(transcript_id, start_ms, end_ms, taken_by, taken_at) VALUES (1, 0, 9, 'N', '')"
            )
            machine.db.execute("INSERT OR IGNORE INTO meaning VALUES (1, 1, 0, 2, 'model', x'00ff80')")
            machine.db.execute(
                "INSERT OR IGNORE INTO portrait VALUES (1, x'ffd8ff', 'abcdefabcdef', 'private', 'a.jpg', '2026')"
            )
            machine.db.execute("INSERT OR IGNORE INTO former_address(digest, session_id) VALUES (?, 1)", ["d" * 32])
            machine.db.execute(
                "INSERT INTO attribution(recording_id, start_ms, end_ms, speaker_tag_id, before, attributed_by,"
                " attributed_at) VALUES (1, 0, 9, 1, '', 'Noor', '')"
            )
            machine.db.execute("INSERT INTO speaker_turn(speaker_tag_id, start_ms, end_ms) VALUES (1, 0, 900)")
            machine.db.execute("INSERT INTO speaker_tag(recording_id, label, origin) VALUES (1, 'Voice 9', 'sound')")
            machine.db.execute("INSERT INTO joined_voice SELECT id, 1 FROM speaker_tag WHERE label = 'Voice 9'")
            machine.db.execute(
                "INSERT INTO naming(speaker_tag_id, what, person_id, decided_by, decided_at) SELECT 1, 'refused',"
                " person_id, 'Noor', '' FROM session_person JOIN recording USING (session_id) WHERE recording.id = 1"
            )
            machine.db.execute(
                "INSERT INTO revision(transcript_id, base_id, start_ms, end_ms, before, after, revised_by, revised_at)"
                " VALUES (2, 1, 0, 900, 'a', 'b', 'Noor', '2026-05-02T00:00:00Z')"
            )
            machine.db.execute(
                "INSERT INTO purge(purged_at, purged_by, what, sha256) VALUES ('2026-05-01', 'Noor', 'recording', ?)",
                ["e" * 64],
            )
            machine.db.execute(
                "INSERT INTO stage_run(stage, subject, fingerprint, status, started_at) SELECT 'transcribe', sha256,"
                " 'x', 'done', '2026-05-01T00:00:00Z' FROM recording"
            )
        yield machine
    finally:
        machine.teardown()


@pytest.fixture(scope="module")
def machine() -> Iterator[Archive]:
    """Return such an archive, of which something is private and something withdrawn."""
    with made() as machine:
        yield machine


@pytest.fixture(scope="module")
def bag(machine: Archive, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a bag of all of it."""
    return exported(machine, tmp_path_factory.mktemp("bags") / "all").path


def exported(machine: Archive, target: Path, name: str | None = None, *, public: bool = False) -> Bagged:
    with open_archive_readonly(machine.folder / "archive") as context:
        return export_bag(context, target, name, public=public)


def imported(root: Path, bag: Path, *, keep_ours: bool = False, dry_run: bool = False) -> TakenIn:
    with taking_turns(root) as context:
        return import_bag(context, bag, keep_ours=keep_ours, dry_run=dry_run, by="Noor")


@pytest.fixture
def back(tmp_path: Path) -> Path:
    """Return a new archive."""
    init(tmp_path / "back", title="Back")
    return tmp_path / "back"


@pytest.fixture(scope="module")
def small(machine: Archive, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a bag of one session."""
    return exported(machine, tmp_path_factory.mktemp("bags") / "one", "event-0/session-0").path


def content(folder: Path) -> bytes:
    return b"\n".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def validated(bag: Path) -> subprocess.CompletedProcess[str]:
    """Run the Library of Congress's own command."""
    command = [sys.executable, "-m", "bagit", "--validate", "--quiet", str(bag)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def told(bag: Path) -> Mapping[str, str | list[str]]:
    """Return what a bag says of itself, as bagit reads it."""
    with quiet():
        found: Mapping[str, str | list[str]] = bagit.Bag(str(bag)).info
    return found


def test_every_table_is_in_a_bag_or_left_out_with_a_reason() -> None:
    db = Database(memory=True)
    catalogue_migrations.apply(db)
    own = ("_data", "_idx", "_docsize", "_config")
    known = {name for name in db.table_names() if not name.endswith(own) and not name.startswith("_sqlite")}
    db.close()
    assert PARTS.keys() | LEFT_OUT.keys() == known
    assert not PARTS.keys() & LEFT_OUT.keys()


def test_archive_comes_back_equal_by_table(tmp_path: Path, back: Path) -> None:
    with made() as machine:
        machine.decide([find_subject(machine.db, WITHDRAWN)], "public", 1, told=False)
        source = machine.folder / "archive"
        bag = exported(machine, tmp_path / "bag")
        assert validated(bag.path).returncode == 0
        assert imported(back, bag.path).done
        ours, theirs = tables(source), tables(back)
        runs = [row for row in ours["stage_run"] if row[1] == "transcribe"]
        assert {name: theirs[name] for name in PARTS} == {name: ours[name] for name in PARTS} | {"stage_run": runs}
        assert [name for name in PARTS if not ours[name]] == []
        named = {
            name
            for (name,) in machine.db.execute(
                "SELECT sha256 || suffix FROM recording UNION SELECT sha256 || suffix FROM rendition"
            ).fetchall()
        }
        assert files(back) == {name: sha256 for name, sha256 in files(source).items() if name in named}
    with taking_turns(back) as context, transaction(context.db):
        assert verify(context.db) == []
    assert not any(path.name.startswith(".bag-") for path in back.iterdir())


def test_bag_says_what_it_is(machine: Archive, bag: Path) -> None:
    assert (bag / "bagit.txt").read_text() == DECLARATION
    info = told(bag)
    payload = [path for path in (bag / "data").rglob("*") if path.is_file()]
    assert info["Payload-Oxum"] == f"{sum(path.stat().st_size for path in payload)}.{len(payload)}"
    assert info["Access"] == "PRIVATE: do not publish"
    assert info["External-Description"] == "the archive of Test, private"
    assert len(info["External-Identifier"]) > 1
    assert {path.name for path in bag.glob("*manifest-*")} == {
        f"{kind}-{digest}.txt" for kind in ("manifest", "tagmanifest") for digest in ("sha256", "sha512")
    }
    kept = {row[0] for row in machine.db.execute("SELECT version FROM transcript").fetchall()}
    written = {path.name.partition(".")[0] for path in (bag / "data" / "transcripts").rglob("*.vtt")}
    assert written
    assert written < kept  # without those of what was withdrawn


def test_what_was_done_is_told_as_premis_tells_it(machine: Archive, bag: Path) -> None:
    root = ElementTree.parse(bag / "data" / "premis.xml").getroot()
    spelled = {"p": NAMESPACE}
    done = [each.findtext("p:eventType", "", spelled) for each in root.findall("p:event", spelled)]
    assert {"ingestion", "fixity check", "transcription", "correction", "redaction", "withdrawal", "deletion"} == set(
        done
    )
    order = [each.tag.rpartition("}")[2] for each in root]
    assert order == sorted(order, key=["object", "event", "agent", "rights"].index)
    assert [each.tag.rpartition("}")[2] for each in root.findall("p:event[1]/*", spelled)][:3] == [
        "eventIdentifier", "eventType", "eventDateTime",
    ]  # fmt: skip
    checked = next(
        each for each in root.findall("p:event", spelled) if each.findtext("p:eventType", "", spelled) == "fixity check"
    )
    named = {each.text for each in checked.findall(".//p:linkingObjectIdentifierValue", spelled)}
    assert named == {path.relative_to(bag / "data").as_posix() for path in (bag / "data" / "media").rglob("*.*")}
    agents = {each.findtext("p:agentName", "", spelled) for each in root.findall("p:agent", spelled)}
    assert {"rostra", "Noor"} < agents


def test_nothing_that_is_withdrawn_is_in_a_bag(machine: Archive, bag: Path) -> None:
    [session] = [each.id for each in sessions(machine.db, default="public") if each.state == "withdrawn"]
    hidden = set(machine.marks_of("session", session)) | set(machine.marks_of("recording", session))
    for query in (
        "SELECT * FROM link WHERE session_id = ?",
        "SELECT * FROM attendance WHERE session_id = ?",
        "SELECT * FROM external_id WHERE session_id = ?",
        "SELECT * FROM expected_recording WHERE session_id = ?",
        "SELECT affiliation FROM session_person WHERE session_id = ?",
        "SELECT reason FROM release WHERE session_id = ?",
        SAID,
    ):
        hidden |= {mark for row in machine.db.execute(query, [session]).fetchall() for mark in plain_marks(*row)}
    assert len(hidden) > 20
    assert marks(content(bag)) & hidden == set()


def test_day_of_which_something_was_withdrawn_stays_here(machine: Archive, tmp_path: Path) -> None:
    [session] = [each.id for each in sessions(machine.db, default="public") if each.state == "withdrawn"]
    (part,) = machine.db.execute("SELECT id FROM recording WHERE session_id = ?", [session]).fetchone()
    whole, sha256 = machine.db.execute("SELECT id, sha256 FROM recording WHERE session_id <> ?", [session]).fetchone()
    with transaction(machine.db):
        machine.db.execute("UPDATE recording_source SET cut_from = ? WHERE recording_id = ?", [whole, part])
    try:
        bag = exported(machine, tmp_path / "bag").path
        assert sha256.encode() not in content(bag).replace((bag / "data" / "premis.xml").read_bytes(), b"")
    finally:
        with transaction(machine.db):
            machine.db.execute("UPDATE recording_source SET cut_from = NULL WHERE recording_id = ?", [part])


def test_public_bag_holds_what_is_published(machine: Archive, tmp_path: Path) -> None:
    bag = exported(machine, tmp_path / "bag", public=True).path
    assert validated(bag).returncode == 0
    assert told(bag)["Access"] == "public: all of it is released"
    found = marks(content(bag))
    assert found
    assert found - (machine.allowed() - machine.marker.never) == set()
    with pytest.raises(BagError, match="it is public"):
        imported_into_new(tmp_path, bag)
    with pytest.raises(BagError, match="nothing of event-0/session-1 is released"):
        exported(machine, tmp_path / "private", "event-0/session-1", public=True)


def imported_into_new(tmp_path: Path, bag: Path) -> TakenIn:
    init(tmp_path / "new", title="New")
    return imported(tmp_path / "new", bag)


def test_session_joins_others_that_have_its_ids(machine: Archive, tmp_path: Path, back: Path) -> None:
    first, second = (exported(machine, tmp_path / name, f"event-{name}/session-0") for name in "10")
    for bag in (first, second):
        assert imported(back, bag.path).compared.conflicts == ()
    known = tables(back)
    assert [(row[4], row[3]) for row in known["event"]] != []
    assert {row[2] for row in known["session"]} == {"session-0"}
    assert len(known["event"]) == len(known["session"]) == 2
    with open_archive_readonly(back) as context:
        for name in "01":
            assert words(context.db, f"event-{name}") == words(machine.db, f"event-{name}")
            assert words(context.db, f"event-{name}")
        assert context.db.execute("PRAGMA foreign_key_check").fetchall() == []


def words(db: Database, event: str) -> list[tuple[object, ...]]:
    return [
        tuple(row)
        for row in db.execute(
            "SELECT version, segment.position, segment.text, label, word.text, word.start_ms FROM transcript"
            " JOIN recording ON recording.id = transcript.recording_id JOIN session ON session.id = session_id"
            " JOIN event ON event.id = event_id JOIN segment ON transcript_id = transcript.id"
            " LEFT JOIN speaker_tag ON speaker_tag.id = speaker_tag_id LEFT JOIN word ON segment_id = segment.id"
            " WHERE event.slug = ? AND session.slug = 'session-0' ORDER BY version, segment.position, word.position",
            [event],
        ).fetchall()
    ]


def test_same_bag_again_changes_nothing(bag: Path, back: Path) -> None:
    imported(back, bag)
    before = tables(back)
    again = imported(back, bag)
    assert again.compared.conflicts == ()
    assert not any(again.compared.new.values())
    after = tables(back)
    assert {name: after[name] for name in PARTS} == {name: before[name] for name in PARTS}


def test_what_is_otherwise_here_is_told_and_stays(bag: Path, back: Path) -> None:
    imported(back, bag)
    with taking_turns(back) as context, transaction(context.db):
        context.db.execute("UPDATE session SET title = 'Ours' WHERE slug = 'session-0' AND event_id = 1")
        context.db.execute("DELETE FROM link WHERE event_id = 1")
        context.db.execute("DELETE FROM recording WHERE id = (SELECT max(id) FROM recording)")
    before = tables(back)
    refused = imported(back, bag)
    assert not refused.done
    told = {(each.thing, each.text) for each in refused.compared.conflicts}
    assert ("session event-0/session-0", "another title") in told
    assert ("event event-0", "another link (1 that are not here)") in told
    assert tables(back) == before
    done = imported(back, bag, keep_ours=True)
    assert (done.done, done.compared.new["recording"]) == (True, 1)
    after = tables(back)
    assert [row for row in after["session"] if "Ours" in row] == [row for row in before["session"] if "Ours" in row]
    assert after["link"] == before["link"]
    assert len(after["recording"]) == len(before["recording"]) + 1


def test_rehearsal_changes_nothing(bag: Path, back: Path) -> None:
    before = tables(back)
    done = imported(back, bag, dry_run=True)
    assert (done.done, done.compared.new["event"]) == (False, 2)
    assert tables(back) == before
    assert files(back) == {}


def test_recording_that_was_purged_here_does_not_come_back(bag: Path, back: Path) -> None:
    imported(back, bag)
    with taking_turns(back) as context:
        number, sha256 = context.db.execute("SELECT id, sha256 FROM recording ORDER BY id").fetchone()
        with transaction(context.db):
            purge_recording(context.db, number, by="Noor", at="2026-05-02T00:00:00Z")
    again = imported(back, bag, keep_ours=True)
    assert again.compared.purged == (sha256,)
    assert sha256 not in {row[2] for row in tables(back)["recording"]}


def test_what_was_private_by_default_stays_private_under_another(machine: Archive, tmp_path: Path, back: Path) -> None:
    source = machine.folder / "archive" / "rostra.toml"
    kept = source.read_text()
    source.write_text(kept.replace('# default_release = "public"', 'default_release = "private"'))
    try:
        bag = exported(machine, tmp_path / "bag").path
    finally:
        source.write_text(kept)
    done = imported(back, bag)
    assert done.kept_back > 0
    with open_archive_readonly(back) as context:
        assert [each for each in sessions(context.db, default="public") if each.state == "public"] == []


def test_bag_appears_whole_or_not_at_all(machine: Archive, tmp_path: Path) -> None:
    class BrokenError(Exception):
        pass

    def breaks(done: int, _total: int) -> None:
        if done:
            raise BrokenError

    with open_archive_readonly(machine.folder / "archive") as context:
        with pytest.raises(BrokenError):
            export_bag(context, tmp_path / "bag", None, public=False, step=breaks)
        assert list(tmp_path.iterdir()) == []
        with pytest.raises(ConfigError, match="inside the archive"):
            export_bag(context, context.layout.root / "bag", None, public=False)
        (tmp_path / "mine").mkdir()
        (tmp_path / "mine" / "letter.txt").write_text("mine")
        with pytest.raises(ConfigError, match="is there already"):
            export_bag(context, tmp_path / "mine", None, public=False)
        with pytest.raises(ArchiveError, match="is withdrawn"):
            export_bag(context, tmp_path / "gone", WITHDRAWN, public=False)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_what_is_taken_back_meanwhile_is_in_no_bag(machine: Archive, tmp_path: Path) -> None:
    subject = find_subject(machine.db, "event-1/session-0")
    before = machine.db.execute("SELECT state FROM release WHERE session_id = ?", [subject.id]).fetchone()

    def withdraw(state: str | None) -> None:
        with transaction(machine.db):
            decision = Decision(state=state, reason="", by="Noor", at="2026-05-02T00:00:00Z")  # type: ignore[arg-type]
            decide(machine.db, [subject], decision, default="public", now=machine.now, opens_all=False)

    def meanwhile(_done: int, _total: int) -> None:
        withdraw("withdrawn")

    assert before is None
    try:
        with open_archive_readonly(machine.folder / "archive") as context, pytest.raises(BagError, match="taken back"):
            export_bag(context, tmp_path / "bag", "event-1", public=False, step=meanwhile)
    finally:
        withdraw(None)
    assert list(tmp_path.iterdir()) == []


def test_no_bag_is_made_of_what_is_damaged(machine: Archive, tmp_path: Path) -> None:
    path = min((machine.folder / "archive" / "media").glob("*/*.wav"))
    whole = path.read_bytes()
    path.write_bytes(b"!" + whole[1:])
    try:
        with pytest.raises(BagError, match=r"is damaged\. 'rostra check' says what to do"):
            exported(machine, tmp_path / "bag")
    finally:
        path.write_bytes(whole)
    assert list(tmp_path.iterdir()) == []


def test_renditions_as_chosen(machine: Archive, tmp_path: Path, back: Path) -> None:
    with open_archive_readonly(machine.folder / "archive") as context:
        bag = export_bag(context, tmp_path / "bag", None, public=False, renditions=()).path
    assert imported(back, bag).done
    assert tables(back)["rendition"] == []
    assert len(files(back)) == len(tables(back)["recording"])


# Bags of strangers.


def sealed(bag: Path) -> None:
    """Make a folder that was tampered with a bag whose manifests are right."""
    for path in bag.iterdir():
        if path.name != "data":
            path.unlink()
    for path in (bag / "data").iterdir():
        path.rename(bag / path.name)
    (bag / "data").rmdir()
    with quiet():
        bagit.make_bag(str(bag))


def rewrite(bag: Path, table: str, change: Callable[[dict[str, object]], dict[str, object]]) -> None:
    path = bag / "data" / "catalogue" / f"{table}.jsonl"
    rows = [change(json.loads(line)) for line in path.read_text().splitlines()]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    sealed(bag)


def about(bag: Path, **changes: object) -> None:
    path = bag / "data" / "bag.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    sealed(bag)


def first_media(bag: Path) -> Path:
    return min((bag / "data" / "media").rglob("*.wav"))


def flip(bag: Path) -> None:
    data = first_media(bag).read_bytes()
    first_media(bag).write_bytes(bytes([data[0] ^ 1]) + data[1:])


def flip_sealed(bag: Path) -> None:
    flip(bag)
    sealed(bag)


def manifest(line: str) -> Callable[[Path], None]:
    def add(bag: Path) -> None:
        for path in bag.glob("tagmanifest-*"):
            path.unlink()
        for path in bag.glob("manifest-*"):
            path.write_text(path.read_text() + f"{'0' * (64 if '256' in path.name else 128)}  {line}\n")

    return add


def link_file(bag: Path) -> None:
    path = first_media(bag)
    secret = bag.parent / "secret"
    shutil.copy(path, secret)
    path.unlink()
    path.symlink_to(secret)


def link_folder(bag: Path) -> None:
    (bag / "data" / "media").rename(bag.parent / "elsewhere")
    (bag / "data" / "media").symlink_to(bag.parent / "elsewhere")


def pipe(bag: Path) -> None:
    os.mkfifo(bag / "data" / "pipe")


def sparse(bag: Path) -> None:
    with (bag / "data" / "huge").open("wb") as file:
        file.truncate(200_000_000_000)


def long_tag(bag: Path) -> None:
    with (bag / "manifest-md5.txt").open("wb") as file:
        file.truncate(300 << 20)


def long_row(bag: Path) -> None:
    with (bag / "data" / "catalogue" / "event.jsonl").open("ab") as file:
        file.write(b'{"title": "' + b"x" * (65 << 20))
    sealed(bag)


HOSTILE: dict[str, tuple[Callable[[Path], object], str]] = {
    "flipped byte": (flip, "it is not whole"),
    "flipped byte with right manifests": (flip_sealed, "other bytes than its name says"),
    "file missing": (lambda bag: first_media(bag).unlink(), "it is not whole"),
    "file missing with right manifests": (lambda bag: (first_media(bag).unlink(), sealed(bag)), "lacks 1 files"),
    "file too many": (lambda bag: (bag / "data" / "more").write_text("x"), "it is not whole"),
    "path out of the bag": (manifest("data/../../../etc/passwd"), "it is not whole"),
    "absolute name": (manifest("/etc/passwd"), "it is not whole"),
    "home folder": (manifest("~/.ssh/id_rsa"), "it is not whole"),
    "file named twice": (manifest("data/README.txt"), "it is not whole"),
    "symbolic link to a file": (link_file, "is a symbolic link"),
    "symbolic link to a folder": (link_folder, "is a symbolic link"),
    "pipe that nobody writes": (pipe, "neither a file nor a folder"),
    "file larger than allowed": (sparse, "more than pull.max_gigabytes allows"),
    "manifest too long": (long_tag, "more than a bag's own files have"),
    "row too long": (long_row, "a row is longer than 64 MiB"),
    "fetch.txt": (
        lambda bag: (bag / "fetch.txt").write_text("http://127.0.0.1/x 1 data/x\n"),
        "it has a fetch.txt",
    ),
    "no manifest": (lambda bag: [path.unlink() for path in bag.glob("*manifest*")], "no manifest with SHA-256"),
    "weak manifest alone": (
        lambda bag: (
            [path.rename(path.with_name("manifest-md5.txt")) for path in bag.glob("manifest-sha256.txt")]
            + [path.unlink() for path in bag.glob("*sha*")]
        ),
        "no manifest with SHA-256",
    ),
    "wrong Payload-Oxum": (
        lambda bag: (bag / "bag-info.txt").write_text("Payload-Oxum: 1.1\n"),
        "it is not whole",
    ),
    "another encoding": (
        lambda bag: (bag / "bagit.txt").write_text(DECLARATION.replace("UTF-8", "rot13")),
        "does not declare a bag",
    ),
    "another version": (
        lambda bag: (bag / "bagit.txt").write_text(DECLARATION.replace("1.0", "9.0")),
        "does not declare a bag",
    ),
    "somebody else's bag": (
        lambda bag: ((bag / "data" / "bag.json").unlink(), sealed(bag)),
        "'rostra export bag' made",
    ),
    "bag.json that is none": (lambda bag: about(bag, access="open"), "not what Rostra writes"),
    "a later format": (lambda bag: about(bag, format=2), "does not know"),
    "a newer catalogue": (lambda bag: about(bag, migrations=["m9999_later"]), "newer Rostra"),
    "no migrations": (lambda bag: about(bag, migrations=[]), "has no table"),
    "a table that is none": (lambda bag: about(bag, tables={"sqlite_master": 1}), "no rows of 'sqlite_master'"),
    "a table that leads out": (lambda bag: about(bag, tables={"../../secret": 1}), "no rows of '../../secret'"),
    "suffix that leads out": (
        lambda bag: rewrite(bag, "recording", lambda row: row | {"suffix": "/../../../../out"}),
        "no name of a file in a store",
    ),
    "digest that leads out": (
        lambda bag: rewrite(bag, "rendition", lambda row: row | {"sha256": "../" * 21 + "x"}),
        "no name of a file in a store",
    ),
    "companion that leads out": (
        lambda bag: rewrite(
            bag,
            "provenance",
            lambda row: row | {"about": '{"companions": [{"sha256": "../x", "suffix": "", "name": "x"}]}'},
        ),
        "no name of a file in a store",
    ),
    "slug that leads out": (
        lambda bag: rewrite(bag, "event", lambda row: row | {"slug": f"../{row['slug']}"}),
        "no name of a event in an address",
    ),
    "column that is SQL": (
        lambda bag: rewrite(bag, "series", lambda row: row | {"id) SELECT (1": 1}),
        "series has no column",
    ),
    "value of another type": (
        lambda bag: rewrite(bag, "recording", lambda row: row | {"bytes": "many"}),
        "the catalogue refuses it",
    ),
    "number too large": (
        lambda bag: rewrite(bag, "segment", lambda row: row | {"end_ms": 10**30}),
        "the catalogue refuses it|it is no row",
    ),
    "object for a value": (lambda bag: rewrite(bag, "session", lambda row: row | {"title": {}}), "it is no row"),
    "row that refers to nothing": (
        lambda bag: rewrite(bag, "session", lambda row: row | {"event_id": 99}),
        "refers to a row|refuses it",
    ),
    "flags that are no list": (
        lambda bag: rewrite(bag, "segment", lambda row: row | {"flags": '{"a": 1}'}),
        "cannot be read",
    ),
    "tags that are no list": (
        lambda bag: rewrite(bag, "recording_source", lambda row: row | {"tags": '"x"'}),
        "tags is no JSON array",
    ),
    "kind that is none": (
        lambda bag: rewrite(bag, "transcript", lambda row: row | {"kind": "sung"}),
        "the catalogue refuses it",
    ),
}
"""What is done to a bag, and how it is refused."""


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_bag_is_refused_and_leaves_nothing(small: Path, back: Path, tmp_path: Path, name: str) -> None:
    tamper, said = HOSTILE[name]
    copy = tmp_path / "in" / "bag"
    shutil.copytree(small, copy)
    tamper(copy)
    before, around = tables(back), {path for path in tmp_path.rglob("*") if path.is_relative_to(tmp_path / "in")}
    with pytest.raises((PipelineError, ArchiveError), match=said):
        imported(back, copy)
    assert tables(back) == before
    assert files(back) == {}
    assert {path.name for path in tmp_path.iterdir()} == {"in", "back"}
    assert {path for path in tmp_path.rglob("*") if path.is_relative_to(tmp_path / "in")} == around


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, [str(each) for each in arguments])


def test_commands_make_a_bag_and_take_it_in(machine: Archive, tmp_path: Path, back: Path) -> None:
    source = machine.folder / "archive"
    made = run("export", "bag", tmp_path / "bag", "--of", "event-0", "--json", "--archive", source)
    said = json.loads(made.stdout)
    assert (made.exit_code, said["of"], said["access"]) == (0, "the event event-0", "private")
    taken = run("import", tmp_path / "bag", "--json", "--archive", back)
    [told] = json.loads(taken.stdout)
    assert (taken.exit_code, told["done"], told["new"]["session"], told["conflicts"]) == (0, True, 2, [])
    with taking_turns(back) as context, transaction(context.db):
        context.db.execute("UPDATE event SET title = 'Ours'")
    again = run("import", tmp_path / "bag", "--archive", back)
    assert (again.exit_code, "event event-0: another title" in again.stderr) == (1, True)
    assert "--keep-ours takes what is new" in again.stderr
    assert run("import", tmp_path / "bag", "--keep-ours", "--archive", back).exit_code == 0
    assert run("import", tmp_path / "bag", "x.yaml", "--archive", back).exit_code == 2
    assert run("export", "bag", tmp_path / "no", "--renditions", "film", "--archive", source).exit_code == 2
    (tmp_path / "bag" / "bagit.txt").write_text("")
    broken = rostra("import", tmp_path / "bag", "--archive", back)
    assert (broken.returncode, "does not declare a bag" in broken.stderr) == (2, True)
    assert "Traceback" not in broken.stderr


def test_names_for_good_and_former_addresses_travel(tmp_path: Path) -> None:
    ours, theirs = (init(tmp_path / name, title=name) and tmp_path / name for name in ("ours", "theirs"))

    def moved(root: Path, event: str, slug: str, new: str) -> None:
        with taking_turns(root) as context, transaction(context.db):
            correct_session(context.db, event, slug, {"slug": new}, by="Noor", at="2026")

    def told(root: Path) -> list[tuple[str, str, str]]:
        with taking_turns(root) as context:
            return context.db.execute(
                "SELECT event.slug, session.slug, identity FROM session JOIN event ON event.id = event_id"
                " WHERE event.slug <> 'other' ORDER BY session.id"
            ).fetchall()

    with taking_turns(theirs) as context, transaction(context.db):
        add_session(context.db, ensure_event(context.db, "other", "Other"), "else", "Else")  # so that ids differ
    with taking_turns(ours) as context, transaction(context.db):
        event = ensure_event(context.db, "days", "Days")
        add_session(context.db, event, "opening", "Opening")
        add_session(context.db, event, "closing", "Closing")
    identities = [row[2] for row in told(ours)]
    moved(ours, "days", "opening", "first-words")
    moved(ours, "days", "closing", "last-words")
    with taking_turns(ours) as context:
        bag = export_bag(context, tmp_path / "bag", None, public=False).path
    assert imported(theirs, bag).done
    assert told(theirs) == told(ours) == [
        ("days", "first-words", identities[0]), ("days", "last-words", identities[1]),
    ]  # fmt: skip
    with taking_turns(theirs) as context:
        assert session_at(context.db.conn, "days", "opening") == ("days", "first-words")

    moved(theirs, "days", "first-words", "words")
    with taking_turns(theirs) as context, transaction(context.db):
        correct_event(context.db, "days", {"slug": "tides"}, by="Noor", at="2026")
    kept = told(theirs)
    done = imported(theirs, bag, keep_ours=True)
    assert sorted(each.text for each in done.compared.conflicts) == ["another slug", "another slug"]
    assert told(theirs) == kept == [("tides", "words", identities[0]), ("tides", "last-words", identities[1])]
