"""What one archive publishes as a podcast, another pulls: recordings, what is known of them, and their transcripts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from archive.publication.folder import SiteNames
from archive.site.feeds import listings
from archive.sqlite import Database
from pipelines.run.executors import InProcess
from pipelines.run.runner import RunSummary, run_stage
from pipelines.stages.captions import Captions
from pipelines.stages.pull import Pull
from pipelines.storage.archive_folder import Context, init, open_archive
from tests.archive.published_folder import HOSTILE, SENTENCES, publish
from tests.archive.served import serving
from tests.archive.site.test_pages import TALK
from tests.archive.site.test_players import TITLE, fill
from tests.archive.written_site import serving_files, write
from tests.pipelines.trials import Watch


@contextmanager
def as_files(public: Path) -> Iterator[str]:
    """Write the site of a published folder to files, serve them, and yield the address, which is the site's own."""
    pytest.importorskip("pagefind", reason="no Pagefind: pip install 'rostra[static]'")
    folder = public.parent / "www"
    folder.mkdir()
    with serving_files(folder) as address:
        write(public, folder / "talks", SiteNames(title="Talks", url=f"{address}/talks"))
        yield f"{address}/talks"


@contextmanager
def pulling(
    folder: Path, public: Path, feed: str, serving: Callable[[Path], AbstractContextManager[str]] = serving
) -> Iterator[tuple[Context, str, RunSummary, RunSummary]]:
    """Pull a feed of a site twice into another archive; yield that, the site's address, and how both went."""
    init(folder / "other", title="Other")
    (folder / "other" / "rostra.toml").write_text('[pull]\nprivate_hosts = ["127.0.0.1"]\n')
    with serving(public) as address, open_archive(folder / "other") as context:
        stage = Pull([f"{address}/{feed}"])
        first, again = (run_stage(context, stage, InProcess(), Watch()) for _ in range(2))
        yield context, address, first, again


def test_own_podcast_is_pulled_whole_and_once(tmp_path: Path) -> None:
    public = tmp_path / "public"
    publish(public)
    with pulling(tmp_path, public, "events/summer-university-2022/podcast.rss") as (context, address, first, again):
        run_stage(context, Captions([]), InProcess(), Watch())
        query = context.db.query
        titles = {row["title"]: dict(row) for row in query("SELECT * FROM session")}
        names = {row["name"] for row in query("SELECT name FROM person")}
        pulled = {row["sha256"] for row in query("SELECT sha256 FROM recording")}
        said = [
            row["text"]
            for row in query(
                "SELECT segment.text FROM segment JOIN transcript ON transcript.id = transcript_id"
                " WHERE transcript.language = 'en' AND is_current = 1 ORDER BY position"
            )
        ]
        links = {row["url"] for row in query("SELECT url FROM link")}
    assert (dict(first.counts), dict(again.counts)) == ({"done": 2}, {})
    assert set(titles) == {"What an archive owes its listeners", "الأرشيف والصوت"}
    talk = titles["What an archive owes its listeners"]
    assert talk["start_at"] == "2022-07-23T18:00:00+02:00"
    assert talk["abstract"] == "Recordings that nobody can search are recordings that nobody has."
    assert (talk["language"], titles["الأرشيف والصوت"]["language"]) == ("en", "ar")
    assert names == {"Noor Okafor", "Jonas Lindqvist"}
    assert f"{address}{TALK}" in links
    assert pulled <= {path.stem for path in (public / "media").glob("*.wav")}
    assert len(pulled) == 2
    assert {text for _, _, text in SENTENCES if "subscribe" not in text} <= set(said)


@pytest.mark.parametrize("served", [serving, as_files], ids=["program", "files"])
def test_what_people_made_comes_back_and_nothing_is_made_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, served: Callable[[Path], AbstractContextManager[str]]
) -> None:
    monkeypatch.setattr(listings, "EPISODES", 2)
    public, deed = tmp_path / "public", "https://creativecommons.org/licenses/by-sa/4.0/"

    def change(db: Database, media: Path) -> None:
        fill(db, media)
        for recording, licence in ((1, "CC-BY-4.0"), (3, deed), (4, "All rights reserved; ask the Radio")):
            db.execute("UPDATE recording SET licence = ? WHERE id = ?", [licence, recording])
        db.execute("UPDATE session SET start_at = NULL, start_utc = NULL, day = '2022-07-24' WHERE id = 6")

    publish(public, more=change)
    with pulling(tmp_path, public, "podcast.rss", served) as (context, _, first, again):
        captions, captions_again = (run_stage(context, Captions([]), InProcess(), Watch()) for _ in range(2))
        query = context.db.query
        sessions = [
            tuple(dict(row).values())
            for row in query(
                "SELECT title, licence, start_at, day, session.language FROM session"
                " JOIN recording ON session_id = session.id ORDER BY licence"
            )
        ]
        interpreters = [
            row["name"]
            for row in query(
                "SELECT name FROM person JOIN session_person ON person.id = person_id WHERE role = 'interpreter'"
            )
        ]
        chapters = [
            tuple(dict(row).values())
            for row in query(
                "SELECT session.title, start_ms, text FROM segment JOIN transcript ON transcript.id = transcript_id"
                " JOIN recording ON recording.id = recording_id JOIN session ON session.id = session_id"
                " WHERE parameters ->> 'track' = 'chapters' ORDER BY start_ms"
            )
        ]
    assert (dict(first.counts), dict(again.counts)) == ({"done": 3}, {})
    assert (dict(captions.counts).keys(), dict(captions_again.counts)) == ({"done": 1}.keys(), {})
    talk, marked = "What an archive owes its listeners", TITLE.replace("\u0007", "").replace("\u2028", " ")
    assert sessions == [
        (marked, "All rights reserved; ask the Radio", None, "2022-07-24", "ar"),
        (talk, "CC-BY-4.0", "2022-07-23T18:00:00+02:00", None, "en"),
        (HOSTILE, deed, None, None, None),
    ]
    assert interpreters == [f"interpreter {HOSTILE}"]
    assert chapters == [(talk, 0, HOSTILE), (talk, 17_000, "Debts"), (talk, 40_500, marked)]


MARKED = "Why <b> & the <canvas> lost ]]> 👩‍👩‍👧"


@pytest.mark.parametrize("name", ["podcast.rss", "feed.atom"])
def test_own_feed_is_read_back_as_it_was_over_all_its_pages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(listings, "EPISODES", 1)
    monkeypatch.setattr(listings, "ENTRIES", 1)
    public = tmp_path / "public"

    def mark(db: Database, _media: Path) -> None:
        db.execute("UPDATE session SET title = ?, abstract = ? WHERE id = 1", [MARKED, f"{MARKED}\nline\n\npart"])
        db.execute("UPDATE session SET updated_at = '2026-11-2' || id || 'T00:00:00Z'")

    publish(public, more=mark)
    with pulling(tmp_path, public, name) as (context, _, first, again):
        query = context.db.query
        sessions = {row["title"]: row for row in query("SELECT title, abstract, language, start_at FROM session")}
        roles = {
            (row["title"], row["name"], row["role"])
            for row in query(
                "SELECT title, name, role FROM session JOIN session_person ON session_id = session.id"
                " JOIN person ON person.id = person_id"
            )
        }
    assert (dict(first.counts), dict(again.counts)) == ({"done": 3}, {})
    assert set(sessions) == {MARKED, HOSTILE, "الأرشيف والصوت"}
    talk, arabic = sessions[MARKED], sessions["الأرشيف والصوت"]
    assert (talk["start_at"], talk["language"]) == ("2022-07-23T18:00:00+02:00", "en")
    assert talk["abstract"].startswith(f"{MARKED}\nline\n\npart")
    assert (arabic["start_at"], arabic["language"]) == ("2022-07-24T14:00:00+02:00", "ar")
    assert {each for each in roles if each[0] == MARKED} == {
        (MARKED, "Noor Okafor", "speaker"),
        (MARKED, "Jonas Lindqvist", "host"),  # as podcasts call who leads
    }
