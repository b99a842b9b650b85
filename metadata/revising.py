"""Corrections of what was said, word by word: what changed between two texts, and the same changes in a third.

Words that two texts have in common, in order, are a longest common subsequence (rapidfuzz, bit-parallel: Hyyrö 2004).
The merge of three texts is that of diff3 (Khanna, Kunal, Pierce: "A Formal Investigation of Diff3", 2007), over words;
where both sides changed the same words, what people wrote stands, and the place is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from rapidfuzz.distance import LCSseq

from metadata.model import Segment, Transcript, Word


@dataclass(frozen=True, slots=True)
class Edit:
    """Words of one text that other words take the place of.

    Attributes:
        first: the position of the first word that is replaced, counted over the whole text.
        end: the position after the last; equal to ``first`` where words are only added.
        words: what stands there instead; empty where words are only removed.
    """

    first: int
    end: int
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """An edit as people read it: from when to when, in milliseconds, and the words before and after."""

    start_ms: int
    end_ms: int
    before: str
    after: str


def words_of(transcript: Transcript) -> list[str]:
    """Return all words of a transcript, as they are written."""
    return [word for segment in transcript.segments for word in segment.text.split()]


def edits(before: Sequence[str], after: Sequence[str]) -> list[Edit]:
    """Return what makes one text of another; no edits where they are equal."""
    found: list[Edit] = []
    for block in LCSseq.opcodes(before, after):
        if block.tag == "equal":
            continue
        words = tuple(after[block.dest_start : block.dest_end])
        last = found[-1] if found else None
        if last and last.end == block.src_start:
            found[-1] = Edit(last.first, block.src_end, last.words + words)
        else:
            found.append(Edit(block.src_start, block.src_end, words))
    return found


def edits_of(base: Transcript, edited: Transcript) -> list[Edit]:
    """Return what people changed in captions that were written from a transcript, by position of words in it.

    Captions leave doubtful segments out (see `metadata.captions`); so those are not taken for removed.
    """
    shown = [
        position
        for position, doubtful in enumerate(
            bool(segment.flags) for segment in base.segments for _ in segment.text.split()
        )
        if not doubtful
    ]
    words = words_of(base)
    found = edits([words[position] for position in shown], words_of(edited))
    return [part for edit in found for part in _unfolded(edit, shown)]


def _unfolded(edit: Edit, shown: Sequence[int]) -> Iterator[Edit]:
    """Yield an edit of the words that were shown as edits of all words."""
    if edit.first == edit.end:
        position = shown[edit.first - 1] + 1 if edit.first else (shown[0] if shown else 0)
        yield Edit(position, position, edit.words)
        return
    runs: list[list[int]] = []
    for position in shown[edit.first : edit.end]:
        if runs and runs[-1][-1] + 1 == position:
            runs[-1].append(position)
        else:
            runs.append([position])
    for nth, run in enumerate(runs):
        yield Edit(run[0], run[-1] + 1, () if nth else edit.words)


def restructured(base: Transcript, edited: Transcript) -> tuple[Transcript, tuple[Change, ...]]:
    """Return a transcript with the segments of another: other cuts, times and speakers too; and what changed.

    A segment that is as it was stays; one that people changed is doubtful no longer.
    """
    before = [_facts(segment) for segment in base.segments]
    after = [_facts(segment) for segment in edited.segments]
    segments: list[Segment] = []
    told = []
    for equal, blocks in groupby(LCSseq.opcodes(before, after), key=lambda block: block.tag == "equal"):
        run = list(blocks)
        old = base.segments[run[0].src_start : run[-1].src_end]
        new = edited.segments[run[0].dest_start : run[-1].dest_end]
        if equal:
            segments += old
            continue
        segments += [replace(segment, flags=(), confidence=None) for segment in new]
        spans = old or new
        told.append(Change(spans[0].start_ms, spans[-1].end_ms, _shown(old), _shown(new)))
    return replace(base, segments=tuple(segments)), tuple(told)


def _facts(segment: Segment) -> tuple[int, int, str, str | None]:
    return segment.start_ms, segment.end_ms, segment.text, segment.speaker


def _shown(segments: Sequence[Segment]) -> str:
    return "\n".join(f"{segment.speaker}: {segment.text}" if segment.speaker else segment.text for segment in segments)


def apply(transcript: Transcript, changes: Iterable[Edit]) -> tuple[Transcript, tuple[Change, ...]]:
    """Return a transcript with edits made, and what changed.

    Segments stay as they are cut: words that take the place of others stand in the segment of the first of them. A
    segment whose words people have corrected is doubtful no longer; one that has no words left is gone. Words that
    were not touched keep their times and confidence; new ones share the time of those that they replace, by length.

    Args:
        transcript: of any kind; segments without words of their own times are changed as texts.
        changes: by position of words in this transcript.
    """
    pieces = [(number, word) for number, segment in enumerate(transcript.segments) for word in timed_words(segment)]
    changes = sorted(changes, key=lambda edit: (edit.first, edit.end))
    told = []
    for edit in reversed(changes):
        home = _home(pieces, edit, len(transcript.segments))
        new = _placed(pieces, edit, transcript.segments[home])
        told.append(
            Change(
                start_ms=new[0].start_ms if new else pieces[edit.first][1].start_ms,
                end_ms=new[-1].end_ms if new else pieces[edit.end - 1][1].end_ms,
                before=" ".join(word.text for _, word in pieces[edit.first : edit.end]),
                after=" ".join(edit.words),
            )
        )
        pieces[edit.first : edit.end] = [(home, word) for word in new]
    touched = _touched(transcript, changes)
    left = {number: [word for _, word in group] for number, group in groupby(pieces, key=lambda each: each[0])}
    segments = tuple(
        _rewritten(segment, left[number]) if number in touched else segment
        for number, segment in enumerate(transcript.segments)
        if number in left or number not in touched
    )
    return replace(transcript, segments=segments), tuple(reversed(told))


def merge(
    base: Sequence[str], ours: Sequence[Edit], theirs: Sequence[Edit]
) -> tuple[list[Edit], list[tuple[Edit, Edit]]]:
    """Return our edits as edits of their text, and those pairs that both sides changed otherwise.

    Args:
        base: the words that both sides began with.
        ours: what people changed.
        theirs: what a later machine hears otherwise.
    """
    moved, conflicts = [], []
    for edit in ours:
        overlapping = [each for each in theirs if _meet(edit, each)]
        if any(each.words == edit.words and (each.first, each.end) == (edit.first, edit.end) for each in overlapping):
            continue  # they hear now what people wrote
        conflicts += [(edit, each) for each in overlapping]
        first = min([edit.first, *(each.first for each in overlapping)])
        end = max([edit.end, *(each.end for each in overlapping)])
        words = (*base[first : edit.first], *edit.words, *base[edit.end : end])
        moved.append(Edit(_moved(first, theirs), _moved_end(end, first, theirs), words))
    return _joined(moved), conflicts


def _meet(one: Edit, other: Edit) -> bool:
    if one.first == one.end or other.first == other.end:
        return one.first <= other.end and other.first <= one.end
    return one.first < other.end and other.first < one.end


def _moved(position: int, theirs: Sequence[Edit]) -> int:
    """Return where a word of the base stands in their text; edits that begin there do not count."""
    return position + sum(len(each.words) - (each.end - each.first) for each in theirs if each.first < position)


def _moved_end(end: int, first: int, theirs: Sequence[Edit]) -> int:
    inside = [each for each in theirs if first <= each.first and each.end <= end]
    return _moved(first, theirs) + (end - first) + sum(len(each.words) - (each.end - each.first) for each in inside)


def _joined(changes: Sequence[Edit]) -> list[Edit]:
    """Return edits without those whose places overlap with an earlier one: their words follow on that one's."""
    kept: list[Edit] = []
    for edit in sorted(changes, key=lambda each: (each.first, each.end)):
        if kept and edit.first < kept[-1].end:
            last = kept.pop()
            kept.append(Edit(last.first, max(last.end, edit.end), last.words + edit.words))
        else:
            kept.append(edit)
    return kept


def timed_words(segment: Segment) -> list[Word]:
    """Return the words of a segment's text with times: their own, or a share of the segment's by length."""
    texts = segment.text.split()
    own = [word for word in segment.words if word.text.strip()]
    if [word.text.strip() for word in own] == texts:
        return [replace(word, text=word.text.strip()) for word in own]
    return _shared(texts, segment.start_ms, segment.end_ms)


def _shared(texts: Sequence[str], start_ms: int, end_ms: int) -> list[Word]:
    total, said, words = max(sum(map(len, texts)), 1), 0, []
    for text in texts:
        begin = start_ms + (end_ms - start_ms) * said // total
        said += len(text)
        words.append(Word(start_ms=begin, end_ms=start_ms + (end_ms - start_ms) * said // total, text=text))
    return words


def _home(pieces: Sequence[tuple[int, Word]], edit: Edit, segments: int) -> int:
    """Return the number of the segment in which the words of an edit stand."""
    if edit.first < edit.end:
        return pieces[edit.first][0]
    if edit.first:
        return pieces[edit.first - 1][0]
    return pieces[0][0] if pieces else segments - 1


def _placed(pieces: Sequence[tuple[int, Word]], edit: Edit, home: Segment) -> list[Word]:
    """Return the words of an edit with times: of those that they replace, else of the gap in which they stand."""
    old = [word for _, word in pieces[edit.first : edit.end]]
    if old:
        return _shared(edit.words, old[0].start_ms, old[-1].end_ms)
    before = pieces[edit.first - 1][1].end_ms if edit.first else home.start_ms
    after = pieces[edit.first][1].start_ms if edit.first < len(pieces) else home.end_ms
    return _shared(edit.words, before, max(before, min(after, max(home.end_ms, before))))


def _touched(transcript: Transcript, changes: Sequence[Edit]) -> set[int]:
    """Return the numbers of the segments whose words edits replace, remove or add to."""
    owners = [number for number, segment in enumerate(transcript.segments) for _ in segment.text.split()]
    touched = set()
    for edit in changes:
        touched |= set(owners[edit.first : edit.end] or owners[max(edit.first - 1, 0) :][:1])
    return touched


def _rewritten(segment: Segment, words: Sequence[Word]) -> Segment:
    return replace(
        segment,
        start_ms=min(segment.start_ms, words[0].start_ms),
        end_ms=max(segment.end_ms, words[-1].end_ms),
        text=" ".join(word.text for word in words),
        words=tuple(words),
        flags=(),
        confidence=None,
    )
