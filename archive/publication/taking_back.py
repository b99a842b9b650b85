"""Words that are taken back by a correction: nothing holds them any more.

A correction keeps what stood there before, in an earlier version of the transcript; of that, citations confirm what was
said (`archive.publication.earlier`). A correction that takes words back deletes them in every version, also in those of
other cuts of the recording, and notes where they were, so that citations of them say only that they were taken back,
and that what is heard there later is deleted, too.

Of a title and other texts that describe an event or a session, the corrections forget what stood there before. Of what
the last timetable said, a digest is left: so a timetable that still says it means the same session.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from archive.anchoring.clocks import SAME, Clock, compare
from archive.anchoring.prints import Span, prints_of
from archive.anchoring.spoken import Spoken, spoken
from archive.catalogue.addresses import thing_at
from archive.catalogue.merge import taken_back
from archive.catalogue.revisions import Version
from archive.catalogue.rows import Owner, touch
from archive.catalogue.transcripts import said_segments
from archive.index.passages import index_session
from archive.index.tokens import words as tokens_of
from archive.publication.redaction import leave, left_of
from archive.sqlite import Database
from metadata.revising import Change, timed_words

MARGIN_MS = 250
"""How much more is deleted in versions that were made by another hearing."""
NEAR_MS = 5_000
"""How far from there the same words are looked for, and deleted too."""


def versions_like(db: Database, recording: int) -> list[tuple[int, int]]:
    """Return the transcripts of a recording, and of the others of its session: their ids and their recordings'."""
    rows = db.execute(
        "SELECT transcript.id, recording_id FROM transcript JOIN recording ON recording.id = recording_id"
        " WHERE recording_id = ?1 OR session_id = (SELECT session_id FROM recording WHERE id = ?1)",
        [recording],
    )
    return [(row[0], row[1]) for row in rows.fetchall()]


def take_words_back(
    db: Database, base: Version, versions: Sequence[tuple[int, int]], changes: Sequence[Change], *, by: str, at: str
) -> None:
    """Delete what a correction replaced in all versions that there were before it. The caller owns the transaction.

    Args:
        db: the catalogue.
        base: the version that was corrected.
        versions: those before the correction: see `versions_like`.
        changes: what it replaced.
        by: who takes it back.
        at: ISO 8601, UTC.
    """
    spans = [(each.start_ms, max(each.end_ms, each.start_ms + 1)) for each in changes if each.before]
    taken = [tuple(tokens_of(each.before)) for each in changes if each.before]
    said = {number: _said(db, number) for number, _ in versions}
    for number, recording in versions:
        if number == base.id:
            here = list(spans)
        else:
            same = recording == base.recording
            clock = SAME if same else compare(prints_of(said[base.id], ""), prints_of(said[number], ""))
            here = _read(clock, spans, said[number])
            pairs = tuple(zip(here, taken, strict=True))
            here += [run for span, words in pairs for run in _runs(said[number], words, span)]
        _delete(db, number, here, by=by, at=at)
    _forget_revisions(db, [number for number, _ in versions], spans, taken)
    recordings = {recording for _, recording in versions} | {base.recording}
    for recording in recordings:
        db.execute("DELETE FROM heard_part WHERE recording_id = ?", [recording])
    row = db.execute("SELECT session_id FROM recording WHERE id = ?", [base.recording]).fetchone()
    if row[0] is not None:
        index_session(db, row[0])
    touch(db)


def keep_back(db: Database, transcript: int, *, at: str) -> None:
    """Delete from a version that was heard or brought later what was taken back of its recording, or of another cut.

    The words themselves are forgotten, so that it is the minutes that count. The caller owns the transaction.

    Args:
        db: the catalogue.
        transcript: the id of the version.
        at: ISO 8601, UTC.
    """
    (recording,) = db.execute("SELECT recording_id FROM transcript WHERE id = ?", [transcript]).fetchone()
    taken: dict[tuple[int, int], list[tuple[Span, str]]] = {}
    for version in versions_like(db, recording):
        rows = db.execute(
            "SELECT DISTINCT start_ms, end_ms, taken_by FROM taken_back WHERE transcript_id = ?", [version[0]]
        )
        if found := [((row[0], row[1]), row[2]) for row in rows.fetchall()]:
            taken[version] = found
    if any(number == transcript for number, _ in taken):
        return  # it was there before
    said = _said(db, transcript)
    own = {version: found for version, found in taken.items() if version[1] == recording}
    for (number, other), found in (own or taken).items():
        clock = SAME if other == recording else compare(prints_of(_said(db, number), ""), prints_of(said, ""))
        for by in dict.fromkeys(by for _, by in found):
            spans = _read(clock, [span for span, who in found if who == by], said)
            _delete(db, transcript, spans, by=by, at=at)
    if taken:
        touch(db)


def take_texts_back(db: Database, event: str, session: str | None = None, *, fields: Iterable[str]) -> None:
    """Forget what stood before in fields that were corrected, and let no former address lead to what is there now.

    The caller owns the transaction, and has corrected them.

    Args:
        db: the catalogue.
        event: the slug of the event, or one that it had.
        session: that of a session of it, if the fields are the session's.
        fields: their names in the model; with ``slug``, all its former addresses are taken back.
    """
    owner, number = thing_at(db, event, session)
    for field in fields:
        _forget_corrections(db, owner, number, field)
        if field == "slug":
            db.execute(f"UPDATE former_address SET taken_back = 1 WHERE {owner} = ?", [number])
        else:
            _forget_imported(db, owner, number, field)
    if owner == "session_id":
        index_session(db, number)
    touch(db)


def _forget_corrections(db: Database, owner: Owner, number: int, field: str) -> None:
    """Keep of a field's corrections who made them and when, and the value that it has now."""
    db.execute(
        "UPDATE correction SET before = 'null', after = iif(id = (SELECT max(id) FROM correction"
        f" WHERE {owner} = ?1 AND field = ?2), after, 'null') WHERE {owner} = ?1 AND field = ?2",
        [number, field],
    )


def _forget_imported(db: Database, owner: Owner, number: int, field: str) -> None:
    """Keep a digest of what the last timetable said, if it is not what stands there now."""
    row = db.execute(
        f"SELECT imported.id, said, {field} FROM imported JOIN {owner.removesuffix('_id')} AS thing"
        f" ON thing.id = imported.{owner} WHERE thing.id = ?",
        [number],
    ).fetchone()
    said = json.loads(row[1]) if row else {}
    if isinstance(text := said.get(field), str) and text != row[2]:
        said[field] = taken_back(text)
        db.execute("UPDATE imported SET said = ? WHERE id = ?", [json.dumps(said, ensure_ascii=False), row[0]])


def _said(db: Database, transcript: int) -> Spoken:
    return spoken(word for _, segment in said_segments(db.conn, transcript) for word in timed_words(segment))


def _read(clock: Clock, spans: Sequence[Span], said: Spoken) -> list[Span]:
    """Return spans on another version's clock; all of the version, where nothing ties the clocks together."""
    whole = (0, (said.ends[-1] if said.ends else 0) + 1)
    found = []
    for start, end in spans:
        first, last = clock.read(start), clock.read(end)
        if first is None or last is None:
            return [whole for _ in spans]
        begins = max(first.ms - first.slack_ms - MARGIN_MS, 0)
        found.append((begins, max(last.ms + last.slack_ms + MARGIN_MS, begins + 1)))
    return found


def _runs(said: Spoken, words: tuple[str, ...], span: Span) -> list[Span]:
    """Return where the same words are said near a span."""
    first, end = said.at(span[0] - NEAR_MS), said.at(span[1] + NEAR_MS) + 1
    return [
        (said.starts[place], max(said.ends[place + len(words) - 1], said.starts[place] + 1))
        for place in range(first, max(end - len(words) + 1, first))
        if words and said.tokens[place : place + len(words)] == words
    ]


def _delete(db: Database, transcript: int, spans: Sequence[Span], *, by: str, at: str) -> None:
    """Delete what a version says in some spans, and note that words were taken back there."""
    rows = db.execute(
        "SELECT id, transcript_id, text, start_ms, end_ms FROM segment WHERE transcript_id = ?", [transcript]
    ).fetchall()
    for row in rows:
        touching = [span for span in spans if row[3] < span[1] and max(row[4], row[3] + 1) > span[0]]
        if touching:
            words = db.execute(
                "SELECT position, start_ms, end_ms, text FROM word WHERE segment_id = ? ORDER BY position", [row[0]]
            ).fetchall()
            leave(db, left_of(tuple(row), [tuple(word) for word in words], touching))
    db.conn.executemany(
        "INSERT INTO taken_back(transcript_id, start_ms, end_ms, taken_by, taken_at) VALUES (?, ?, ?, ?, ?)",
        [(transcript, start, end, by, at) for start, end in spans],
    )


def _forget_revisions(
    db: Database, transcripts: Sequence[int], spans: Sequence[Span], taken: Sequence[tuple[str, ...]]
) -> None:
    """Delete the words out of what is kept of corrections: before, and after where a correction had written them."""
    for transcript in transcripts:
        rows = db.execute(
            "SELECT id, after, start_ms, end_ms FROM revision WHERE transcript_id = ?1 OR base_id = ?1",
            [transcript],
        ).fetchall()
        for number, after, start, end in rows:
            if any(start < last and max(end, start + 1) > first for first, last in spans):
                held = any(f" {' '.join(words)} " in f" {' '.join(tokens_of(after))} " for words in taken if words)
                db.execute("UPDATE revision SET before = '', after = ? WHERE id = ?", ["" if held else after, number])
