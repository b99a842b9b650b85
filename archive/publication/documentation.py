"""What every public table and column means: the page of the schema and Datasette's say it from here.

A test demands that all that is public stands here, and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Documented:
    """A table or view.

    Attributes:
        about: what a row is.
        columns: what each column means, by name.
        facets: columns by which one may narrow it down.
        sort: the column that it is sorted by, "" for its key; one that is sorted down begins with a minus.
        label: the column that says what a row is.
    """

    about: str
    columns: Mapping[str, str]
    facets: tuple[str, ...] = ()
    sort: str = ""
    label: str = ""


def unit_of(column: str) -> str:
    """Return the unit of a column's values, by its name; "" where there is none."""
    return (
        "ms" if column.endswith("_ms") else {"bytes": "B", "loudness": "LUFS", "confidence": "0 to 1"}.get(column, "")
    )


_KEY = "Key of this row; another publication may give it another one."
_EVENT = "The event."
_SESSION = "The session."
_PERSON = "The person."
_RECORDING = "The recording."
_TRANSCRIPT = "The transcript."
_START = "Where it begins in the recording."
_END = "Where it ends in the recording."
_LANGUAGE = "BCP-47 tag of the language."
_CONFIDENCE = "How sure the machine was; empty where no machine heard it, or it did not say."
_QUALIFIER = "Whether the figure is exact: exactly, about, over or under."
_ORDER = "Its place in order."

TABLES: dict[str, Documented] = {
    "said": Documented(
        "Everything that was said, segment by segment: who, when, in which session. Begin here. Translations are not in"
        " it; what was heard with doubt is marked.",
        {
            "date": "Day of the session, or the first day of its event, ISO 8601.",
            "event": "Slug of the event.",
            "session": "Slug of the session within its event.",
            "title": "Title of the session.",
            "person": "Slug of the person who speaks, where that is known.",
            "speaker": "Name of the person who speaks, or what the transcript calls the voice.",
            "language": _LANGUAGE,
            "start_ms": _START,
            "end_ms": _END,
            "text": "What was said.",
            "confidence": _CONFIDENCE,
            "doubtful": "1 where it was heard with doubt, and may not have been said; such segments are not searched.",
            "recording": "What was recorded: floor, interpretation or screen.",
            "url": "Path of this second on the session's page.",
            "transcript": "Version of the transcript, which names it for good.",
            "position": "Place of the segment in its transcript.",
            "segment_id": "The row of segment.",
            "transcript_id": "The row of transcript.",
            "session_id": "The row of session.",
        },
    ),
    "series": Documented(
        "A recurring gathering.",
        {
            "id": _KEY,
            "slug": "Its name in addresses.",
            "title": "What it is called.",
            "description": "What it is, in its own words.",
        },
        label="title",
    ),
    "event": Documented(
        "One gathering: its days, time zone and way of meeting.",
        {
            "id": _KEY,
            "series_id": "The series that it is an edition of.",
            "edition": "Which edition.",
            "slug": "Its name in addresses.",
            "title": "What it is called.",
            "subtitle": "What else it is called.",
            "description": "What it is, in its own words.",
            "mode": "in-person, online or hybrid.",
            "start_date": "First day, ISO 8601.",
            "end_date": "Last day, ISO 8601.",
            "time_zone": "Zone of its clocks, by its name in the IANA database.",
        },
        facets=("mode", "series_id"),
        sort="-start_date",
        label="title",
    ),
    "event_language": Documented(
        "A language that is spoken at an event, or interpreted into.",
        {"event_id": _EVENT, "language": _LANGUAGE, "role": "floor or interpretation."},
        facets=("language", "role"),
    ),
    "place": Documented(
        "A venue or a watch party of an event.",
        {
            "id": _KEY,
            "event_id": _EVENT,
            "kind": "venue, online or watch-party.",
            "name": "What it is called.",
            "city": "The city.",
            "country": "Two letters, ISO 3166-1.",
        },
        facets=("kind", "country", "city"),
        label="name",
    ),
    "session": Documented(
        "An item of a timetable: a talk, a panel, a workshop.",
        {
            "id": _KEY,
            "event_id": _EVENT,
            "slug": "Its name in addresses, within its event.",
            "title": "What it is called.",
            "subtitle": "What else it is called.",
            "kind": "talk, panel, workshop and others.",
            "track": "Track of the timetable.",
            "room": "Room of the timetable.",
            "place_id": "The place where it was.",
            "start_at": "When it began, on the event's clocks, ISO 8601 with an offset.",
            "start_utc": "The same in UTC, by which sessions are sorted.",
            "day": "Its day, where no hour is known.",
            "planned_ms": "Planned length.",
            "language": "BCP-47 tag of the planned language.",
            "abstract": "What it was announced as.",
            "position": _ORDER,
            "updated_at": "When it last changed for the public, ISO 8601 in UTC.",
            "identity": "What names it for good, whatever its address becomes.",
        },
        facets=("event_id", "kind", "track", "language"),
        sort="-start_utc",
        label="title",
    ),
    "person": Documented(
        "Somebody with a part in a session.",
        {
            "id": _KEY,
            "slug": "Their name in addresses.",
            "name": "As it is written.",
            "biography": "What was announced of them.",
        },
        sort="name",
        label="name",
    ),
    "session_person": Documented(
        "A person's part in a session.",
        {
            "session_id": _SESSION,
            "person_id": _PERSON,
            "role": "speaker, chair, interpreter, reader, author and others.",
            "affiliation": "Whom they stood for at the time.",
            "position": _ORDER,
        },
        facets=("role", "person_id"),
    ),
    "attendance": Documented(
        "A figure that somebody published, as it was on a day; later ones do not replace it.",
        {
            "id": _KEY,
            "event_id": "The event that it is of, if not a session.",
            "session_id": "The session that it is of, if not an event.",
            "observed_on": "The day that it tells of, ISO 8601.",
            "position": _ORDER,
            "measure": "registered, attended or watched.",
            "people": "How many people.",
            "people_qualifier": _QUALIFIER,
            "countries": "From how many countries.",
            "countries_qualifier": _QUALIFIER,
            "places": "At how many places.",
            "places_qualifier": _QUALIFIER,
            "source": "Where it is from.",
            "announcement": "Slug of the announcement that it is from.",
        },
        facets=("measure", "event_id"),
        sort="observed_on",
    ),
    "recording": Documented(
        "What was recorded of a session.",
        {
            "id": _KEY,
            "session_id": _SESSION,
            "sha256": "SHA-256 of its bytes, which names it for good.",
            "kind": "video or audio.",
            "role": "floor, interpretation or screen.",
            "language": "BCP-47 tag of what is heard in it.",
            "duration_ms": "Its length.",
            "bytes": "Its size.",
            "media_type": "Its media type (RFC 6838).",
            "suffix": "How its file's name ends.",
            "streams": "Sound and pictures in it, as JSON.",
            "loudness": "Integrated loudness (EBU R 128).",
            "credit": "Who is to be named for it.",
            "licence": "Its licence, as it was stated.",
            "synthetic_voice": "1 where a machine speaks.",
            "superseded_by": "The recording that took its place.",
            "pulled_at": "When it came into the archive, ISO 8601 in UTC.",
            "elsewhere": "Where it is played, if not here.",
        },
        facets=("kind", "role", "language", "licence"),
    ),
    "rendition": Documented(
        "A file that was made of a recording, for players.",
        {
            "id": _KEY,
            "recording_id": _RECORDING,
            "kind": "web, poster, peaks, sprite or previews.",
            "sha256": "SHA-256 of its bytes.",
            "suffix": "How its file's name ends.",
            "media_type": "Its media type (RFC 6838).",
            "bytes": "Its size.",
        },
        facets=("kind",),
    ),
    "redaction": Documented(
        "Minutes of a recording that were taken out.",
        {
            "id": _KEY,
            "recording_id": _RECORDING,
            "start_ms": _START,
            "end_ms": _END,
            "reason": "Why, if the public may know.",
        },
    ),
    "transcript": Documented(
        "A version of what was said in a recording, or of its translation.",
        {
            "id": _KEY,
            "recording_id": _RECORDING,
            "version": "What names it for good.",
            "language": _LANGUAGE,
            "kind": "asr (a machine heard it), human, imported, or translation.",
            "generator": "What made it.",
            "generator_version": "Which version of that.",
            "parameters": "With which settings, as JSON.",
            "parameters_hash": "A digest of those.",
            "duration_ms": "Length of what was heard.",
            "is_current": "1: only current versions are published.",
            "created_at": "When it was made, ISO 8601 in UTC.",
        },
        facets=("language", "kind", "generator"),
        label="version",
    ),
    "segment": Documented(
        "A sentence or caption of a transcript. The view said has it with who spoke, when and where.",
        {
            "id": _KEY,
            "transcript_id": _TRANSCRIPT,
            "position": "Place in the transcript, from 0.",
            "start_ms": _START,
            "end_ms": _END,
            "text": "What was said.",
            "speaker_tag_id": "The voice that says it.",
            "language": "BCP-47 tag, where it is not the transcript's.",
            "confidence": _CONFIDENCE,
            "flags": "Why it was heard with doubt, as JSON: an empty list where it was not.",
            "overlapped": "1 where others speak at the same time.",
        },
    ),
    "word": Documented(
        "A word with times of its own.",
        {
            "segment_id": "The segment.",
            "position": "Place in the segment, from 0.",
            "start_ms": _START,
            "end_ms": _END,
            "text": "As it was written.",
            "confidence": _CONFIDENCE,
        },
    ),
    "speaker_tag": Documented(
        "A voice of a recording.",
        {
            "id": _KEY,
            "recording_id": _RECORDING,
            "label": "What it is called, or the person's name.",
            "person_id": "Whose it is, where somebody said so.",
            "origin": "captions or sound: what told it from others.",
            "talking_ms": "For how long it speaks, by its sound.",
            "turns": "How many times it begins to after another voice.",
        },
        facets=("person_id", "origin"),
        label="label",
    ),
    "external_id": Documented(
        "What something is called elsewhere.",
        {
            "id": _KEY,
            "event_id": "The event, if it is one.",
            "session_id": "The session, if it is one.",
            "person_id": "The person, if it is one.",
            "recording_id": "The recording, if it is one.",
            "scheme": "Whose name it is: doi, orcid, youtube and others.",
            "value": "The name there.",
        },
        facets=("scheme",),
    ),
    "link": Documented(
        "A link or a reading of an event, session or person.",
        {
            "id": _KEY,
            "event_id": "The event, if it is of one.",
            "session_id": "The session, if it is of one.",
            "person_id": "The person, if it is of one.",
            "rel": "What it is: website, slides, reading and others.",
            "url": "The address, if there is one.",
            "title": "What it is called.",
            "position": _ORDER,
        },
        facets=("rel",),
        label="title",
    ),
    "announcement": Documented(
        "What an organiser published about an event; nobody said it in a recording.",
        {
            "id": _KEY,
            "event_id": _EVENT,
            "slug": "Its name in addresses, within its event.",
            "title": "What it is called.",
            "text": "What it says.",
            "url": "Where it was published.",
            "published": "When, ISO 8601.",
            "source": "Where it is from.",
            "language": _LANGUAGE,
        },
        facets=("event_id",),
        sort="-published",
        label="title",
    ),
    "announcement_fts": Documented(
        "Full-text index of announcements (FTS5, without the texts); its rows are those of announcement.",
        {"title": "Its title.", "text": "Its text."},
    ),
    "portrait": Documented(
        "A picture of somebody, where they or the organisers want it shown.",
        {"person_id": _PERSON, "picture": "The picture's bytes.", "digest": "What its address has."},
    ),
    "tombstone": Documented(
        "What was withdrawn.",
        {
            "id": _KEY,
            "event": "Slug of the event.",
            "session": "Slug of the session; empty for all of an event.",
            "withdrawn_on": "The day, ISO 8601.",
            "reason": "Why, if the public may know.",
            "identity": "What named it for good.",
        },
    ),
    "former_address": Documented(
        "An address that was left: it leads on whoever has it, and tells nobody else what it was.",
        {
            "id": _KEY,
            "digest": "SHA-256 of what it was, 32 digits of it.",
            "event_id": "The event that it leads to.",
            "session_id": "The session that it leads to.",
            "person_id": "The person whom it leads to.",
        },
    ),
    "earlier_version": Documented(
        "A version of a transcript that was current once: that it was, and not its words.",
        {
            "id": _KEY,
            "version": "What names it for good.",
            "session_id": _SESSION,
            "recording_id": _RECORDING,
            "language": _LANGUAGE,
            "kind": "asr, human, imported or translation.",
            "created_at": "When it was made, ISO 8601 in UTC.",
            "prints": "Digests of its words, by which a quotation from it is found again.",
            "replaced": "1 where another cut has taken its recording's place.",
        },
    ),
    "meaning": Documented(
        "What about a minute of a transcript is about, as a vector, by which moments that mean alike are found.",
        {
            "id": _KEY,
            "transcript_id": _TRANSCRIPT,
            "first_position": "Its first segment.",
            "last_position": "Its last segment.",
            "encoder": "What made the vector, with its version.",
            "vector": "The vector, as the encoder's bytes.",
        },
    ),
    "speech": Documented(
        "How much a voice says in a transcript; translations and what was heard with doubt do not count.",
        {
            "id": _KEY,
            "session_id": _SESSION,
            "transcript_id": _TRANSCRIPT,
            "speaker_tag_id": "The voice; empty where nobody said who speaks.",
            "segments": "How many segments.",
            "words": "How many words.",
            "spoken_ms": "How long they take together.",
        },
    ),
    "part": Documented(
        "A part of the archive whose words are counted: all of it, a year, an event, a speaker, a language.",
        {
            "id": _KEY,
            "kind": "all, year, event, speaker or language.",
            "value": "Which: a year, a slug, a tag; empty for all.",
            "sessions": "In how many sessions anything was said.",
            "words": "How many words were said.",
            "different": "How many different ones.",
        },
        facets=("kind",),
        label="value",
    ),
    "part_word": Documented(
        "How often a word is said in a part of the archive, if it is twice or more.",
        {
            "part_id": "The part.",
            "word": "The word: in small letters, without accents, as search has it.",
            "count": "How often.",
        },
        sort="-count",
    ),
    "passage": Documented(
        "What is searched: some segments of a transcript, which overlap with those of the next.",
        {
            "id": "Row of passage_fts.",
            "session_id": _SESSION,
            "transcript_id": _TRANSCRIPT,
            "first_position": "Its first segment.",
            "last_position": "Its last segment.",
        },
    ),
    "passage_fts": Documented(
        "Full-text index of passages (FTS5, without the texts): SELECT rowid FROM passage_fts WHERE passage_fts MATCH"
        " 'word'. Words are in small letters, without accents.",
        {"text": "Its words, and marks of their stems."},
    ),
    "session_fts": Documented(
        "Full-text index of sessions (FTS5, without the texts); its rows are those of session.",
        {
            "title": "Title and subtitle.",
            "people": "Who took part.",
            "abstract": "What it was announced as.",
            "text": "All that was said in it.",
        },
    ),
    "vocabulary": Documented(
        "Every word of session_fts, with marks of stems.",
        {"term": "The word, as the index has it.", "doc": "In how many sessions.", "cnt": "How often."},
    ),
}
"""All tables and views, those first with which one begins."""


def metadata(table: str) -> dict[str, object]:
    """Return what Datasette is told of a table (https://docs.datasette.io/en/stable/metadata.html)."""
    known = TABLES[table]
    units = {name: unit_of(name) for name in known.columns if unit_of(name) in {"ms", "B"}}
    told: dict[str, object] = {
        "description": known.about,
        "columns": {
            name: f"{about} ({unit})" if (unit := unit_of(name)) else about for name, about in known.columns.items()
        },
    }
    if known.facets:
        told["facets"] = list(known.facets)
    if known.label:
        told["label_column"] = known.label
    if known.sort:
        told["sort_desc" if known.sort.startswith("-") else "sort"] = known.sort.removeprefix("-")
    if units:
        told["units"] = units
    return told
