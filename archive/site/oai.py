"""Sessions for libraries and archives that harvest: OAI-PMH 2.0 (https://www.openarchives.org/OAI/openarchivesprotocol.html).

Records are unqualified Dublin Core. Sets are events and series. An identifier holds what names a session for good, so
that a record stays the same one when a title is corrected. What was withdrawn is a deleted record, of which only the
identifier is left. A list comes in pages; a token holds the place in it, so that the site remembers nothing, and
it goes on after the next publication.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec
from lxml import etree

from archive import urls
from archive.catalogue.identity import has_identities
from archive.site.http.respond import respond
from archive.site.published import current
from archive.site.records import Reader, Session
from archive.site.settings import SiteSettings, site_settings
from metadata.xml_text import xml_text

OAI = "http://www.openarchives.org/OAI/2.0/"
OAI_DC = "http://www.openarchives.org/OAI/2.0/oai_dc/"
DC = "http://purl.org/dc/elements/1.1/"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
XML = "text/xml; charset=utf-8"
RECORDS_A_PAGE = 100
PREFIX = "oai_dc"
SCHEMA = "http://www.openarchives.org/OAI/2.0/oai_dc.xsd"

_DAY, _SECOND = "%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"
_CREATORS = {"speaker", "author", "reader"}


class OaiError(Exception):
    """What a harvester did wrong. ``code`` is one of the protocol's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class Token(msgspec.Struct, array_like=True, frozen=True):
    """The place in a list: what was asked for, and the last record that was given."""

    since: str
    until: str
    of: str
    stamp: str
    name: str
    given: int


class Header(NamedTuple):
    """What names a record: ``name`` for good, ``event`` and ``session`` by the slugs of now."""

    name: str
    event: str
    session: str
    stamp: str
    series: str | None
    deleted: bool


class Harvest(NamedTuple):
    """A request: what reads, and the arguments beside the verb."""

    reader: Reader
    given: Mapping[str, str]

    @property
    def settings(self) -> SiteSettings:
        """The site's settings."""
        return self.reader.settings


async def oai(datasette: Any, request: Any) -> Any:
    """``/oai?verb=…``."""
    settings, database = site_settings(datasette), current(datasette)

    def read(conn: Any) -> bytes:
        reader = Reader(conn, settings, database.publication.built_at)
        return answer(reader, {name: request.args.getlist(name) for name in request.args})

    return respond(await database.execute_long(read), XML)


def answer(reader: Reader, asked: Mapping[str, list[str]]) -> bytes:
    """Return the answer to a request, an error too, as XML."""
    root = etree.Element(f"{{{OAI}}}OAI-PMH", nsmap={None: OAI, "xsi": XSI})
    root.set(f"{{{XSI}}}schemaLocation", f"{OAI} http://www.openarchives.org/OAI/2.0/OAI-PMH.xsd")
    # Whoever asks next time for what is new since then gets all that was not in this publication.
    _add(root, "responseDate", reader.built_at)
    request = _add(root, "request", reader.settings.absolute(urls.OAI))
    try:
        verb, given = _arguments(asked)
        element = etree.Element(f"{{{OAI}}}{verb}")
        _VERBS[verb].answer(Harvest(reader, given), element)
        for name, value in {"verb": verb, **given}.items():
            request.set(name, xml_text(value))
        root.append(element)
    except OaiError as error:
        _add(root, "error", str(error)).set("code", error.code)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="utf-8"))


def _arguments(asked: Mapping[str, list[str]]) -> tuple[str, dict[str, str]]:
    verbs = asked.get("verb", [])
    if len(verbs) != 1 or verbs[0] not in _VERBS:
        raise OaiError("badVerb", f"the verb is one of {', '.join(_VERBS)}, given once")
    verb = _VERBS[verbs[0]]
    given = {name: values[0] for name, values in asked.items() if name != "verb"}
    if repeated := [name for name, values in asked.items() if len(values) > 1]:
        raise OaiError("badArgument", f"{xml_text(repeated[0])} is given more than once")
    if unknown := sorted(set(given) - {*verb.needed, *verb.optional}):
        raise OaiError("badArgument", f"{verbs[0]} takes no {xml_text(unknown[0])}")
    if "resumptionToken" in given:
        if len(given) > 1:
            raise OaiError("badArgument", "a resumptionToken is given alone")
    elif missing := [name for name in verb.needed if name not in given]:
        raise OaiError("badArgument", f"{verbs[0]} needs {missing[0]}")
    if given.get("metadataPrefix", PREFIX) != PREFIX:
        raise OaiError("cannotDisseminateFormat", f"the only format is {PREFIX}")
    return verbs[0], given


def _identify(harvest: Harvest, element: Any) -> None:
    settings = harvest.settings
    earliest = _value(harvest, "min(stamp)", "1", {})
    _add(element, "repositoryName", xml_text(settings.name))
    _add(element, "baseURL", settings.absolute(urls.OAI))
    _add(element, "protocolVersion", "2.0")
    # The protocol demands one. Where nobody named it, it is what RFC 2142 has for a site.
    _add(element, "adminEmail", settings.contact or f"webmaster@{_host(settings)}")
    _add(element, "earliestDatestamp", earliest or harvest.reader.built_at)
    _add(element, "deletedRecord", "transient")
    _add(element, "granularity", "YYYY-MM-DDThh:mm:ssZ")


def _list_formats(harvest: Harvest, element: Any) -> None:
    if identifier := harvest.given.get("identifier"):
        _named(harvest, identifier)
    entry = _add(element, "metadataFormat")
    _add(entry, "metadataPrefix", PREFIX)
    _add(entry, "schema", SCHEMA)
    _add(entry, "metadataNamespace", OAI_DC)


def _list_sets(harvest: Harvest, element: Any) -> None:
    if "resumptionToken" in harvest.given:
        raise OaiError("badResumptionToken", "the list of sets comes whole")
    for kind in ("event", "series"):
        for row in harvest.reader.conn.execute(f"SELECT slug, title FROM {kind} ORDER BY slug"):
            entry = _add(element, "set")
            _add(entry, "setSpec", f"{kind}:{row['slug']}")
            _add(entry, "setName", xml_text(row["title"]))


def _get_record(harvest: Harvest, element: Any) -> None:
    _add_record(harvest, element, _named(harvest, harvest.given["identifier"]))


def _list_records(harvest: Harvest, element: Any) -> None:
    for header in _page(harvest, element):
        _add_record(harvest, element, header)
    _move_token(element)


def _list_identifiers(harvest: Harvest, element: Any) -> None:
    for header in _page(harvest, element):
        _add_header(harvest, element, header)
    _move_token(element)


def _move_token(element: Any) -> None:
    """Put the token, which is made with the list, after it."""
    token = element.find(f"{{{OAI}}}resumptionToken")
    if token is not None:
        element.remove(token)
        element.append(token)


_HEADERS = """
SELECT {what} FROM (
  SELECT coalesce({session}, event.slug || '/' || session.slug) AS name, event.slug AS event, session.slug AS session,
         coalesce(updated_at, :built_at) AS stamp, series.slug AS series, 0 AS deleted
  FROM session JOIN event ON event.id = event_id LEFT JOIN series ON series.id = series_id
  UNION ALL SELECT coalesce({grave}, tombstone.event || '/' || tombstone.session), tombstone.event, tombstone.session,
         withdrawn_on || 'T23:59:59Z', series.slug, 1
  FROM tombstone LEFT JOIN event ON event.slug = tombstone.event LEFT JOIN series ON series.id = series_id
  WHERE tombstone.session IS NOT NULL)
WHERE {condition}
"""
# Of a withdrawal the day is known. Its last second is meant: who harvested earlier on that day hears of it, too.
_LISTED = "stamp >= :since AND stamp <= :until AND (:of = '' OR :of = 'event:' || event OR :of = 'series:' || series)"


def _page(harvest: Harvest, element: Any) -> Iterable[Header]:
    token = (
        _read_token(harvest.given["resumptionToken"]) if "resumptionToken" in harvest.given else _first(harvest.given)
    )
    asked = {"since": token.since, "until": token.until, "of": token.of}
    found = _headers(
        harvest,
        f"{_LISTED} AND (stamp, name) > (:stamp, :name) ORDER BY stamp, name LIMIT :most",
        {**asked, "stamp": token.stamp, "name": token.name, "most": RECORDS_A_PAGE + 1},
    )
    if not found and not token.given:
        raise OaiError("noRecordsMatch", "there are no such records")
    page, more = found[:RECORDS_A_PAGE], len(found) > RECORDS_A_PAGE
    if more or token.given:
        last, given = (page[-1] if more else None), token.given + len(page)
        following = last and msgspec.structs.replace(token, stamp=last.stamp, name=last.name, given=given)
        marked = _add(element, "resumptionToken", _write_token(following) if following else None)
        marked.set("completeListSize", str(_value(harvest, "count(*)", _LISTED, asked)))
        marked.set("cursor", str(token.given))
    return page


def _headers(harvest: Harvest, condition: str, values: Mapping[str, Any]) -> list[Header]:
    rows = _select(harvest, "name, event, session, stamp, series, deleted", condition, values)
    return [Header(*row)._replace(deleted=bool(row["deleted"])) for row in rows]


def _value(harvest: Harvest, what: str, condition: str, values: Mapping[str, Any]) -> Any:
    return _select(harvest, what, condition, values)[0][0]


def _select(harvest: Harvest, what: str, condition: str, values: Mapping[str, Any]) -> list[Any]:
    conn = harvest.reader.conn
    known = has_identities(conn)
    session, grave = ("session.identity", "tombstone.identity") if known else ("NULL", "NULL")
    statement = _HEADERS.format(what=what, session=session, grave=grave, condition=condition)
    return conn.execute(statement, {**values, "built_at": harvest.reader.built_at}).fetchall()


def _first(given: Mapping[str, str]) -> Token:
    since, until = given.get("from", ""), given.get("until", "")
    kinds = [kind for text in (since, until) if text for kind in (_DAY, _SECOND) if _is_time(text, kind)]
    if len(kinds) != bool(since) + bool(until) or len(set(kinds)) > 1:
        raise OaiError("badArgument", "from and until are both days, or both seconds as in 2022-07-23T16:00:00Z")
    if since and until and since > until:
        raise OaiError("badArgument", "from is after until")
    last = f"{until}T23:59:59Z" if _is_time(until, _DAY) else until or "9999-12-31T23:59:59Z"
    return Token(since or "0000", last, given.get("set", ""), "", "", 0)


def _is_time(text: str, kind: str) -> bool:
    """Return whether a text is a time of the calendar, in a form of `datetime.strptime`, with all of its digits."""
    try:
        return datetime.strptime(text, kind).strftime(kind).rjust(len(text), "0") == text  # noqa: DTZ007  # of a form
    except ValueError:
        return False


def _write_token(token: Token) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(token)).decode().rstrip("=")


def _read_token(text: str) -> Token:
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(text.encode() + b"==="), type=Token)
    except (msgspec.DecodeError, binascii.Error, UnicodeEncodeError):
        raise OaiError("badResumptionToken", "this token was not given by this site") from None


def _host(settings: SiteSettings) -> str:
    return urlsplit(settings.url).hostname or "localhost"


def _identifier(settings: SiteSettings, header: Header) -> str:
    return f"oai:{_host(settings)}:{header.name}"


def _named(harvest: Harvest, identifier: str) -> Header:
    start = f"oai:{_host(harvest.settings)}:"
    name = {"name": identifier.removeprefix(start)}
    found = _headers(harvest, "name = :name", name) if identifier.startswith(start) else []
    if not found:
        raise OaiError("idDoesNotExist", "there is no record of this identifier")
    return found[0]


def _add_record(harvest: Harvest, element: Any, header: Header) -> None:
    record = _add(element, "record")
    _add_header(harvest, record, header)
    session = None if header.deleted else harvest.reader.session(header.event, header.session)
    if session:
        _add_dublin_core(_add(record, "metadata"), session, harvest.settings)


def _add_header(harvest: Harvest, element: Any, header: Header) -> None:
    entry = _add(element, "header")
    if header.deleted:
        entry.set("status", "deleted")
    _add(entry, "identifier", _identifier(harvest.settings, header))
    _add(entry, "datestamp", header.stamp)
    if header.event:  # of what was withdrawn with its event, nothing is told
        _add(entry, "setSpec", f"event:{header.event}")
    if header.series:
        _add(entry, "setSpec", f"series:{header.series}")


def _add_dublin_core(parent: Any, session: Session, settings: SiteSettings) -> None:
    root = etree.SubElement(parent, f"{{{OAI_DC}}}dc", nsmap={"oai_dc": OAI_DC, "dc": DC})
    root.set(f"{{{XSI}}}schemaLocation", f"{OAI_DC} {SCHEMA}")
    for name, text in _dublin_core(session, settings):
        if text:
            etree.SubElement(root, f"{{{DC}}}{name}").text = xml_text(text)


def _dublin_core(session: Session, settings: SiteSettings) -> Iterable[tuple[str, str | None]]:
    """Yield the elements of Dublin Core (https://www.dublincore.org/specifications/dublin-core/dces/)."""
    yield "title", session.title
    for person in session.people:
        yield ("creator" if person.role in _CREATORS else "contributor"), person.name
    yield "subject", session.track
    yield "description", session.abstract
    yield "publisher", settings.name
    yield "date", session.start or session.day
    kinds = {"video": "MovingImage", "audio": "Sound"}
    yield "type", "Event"
    for kind in dict.fromkeys(each.kind for each in session.recordings):
        yield "type", kinds[kind]
    for media_type in dict.fromkeys(each.file.media_type for each in session.recordings if each.file):
        yield "format", media_type
    for address in dict.fromkeys((session.url, session.permanent_url)):
        yield "identifier", address
    for spoken in dict.fromkeys([session.language, *(each.language for each in session.recordings)]):
        yield "language", spoken
    yield "relation", session.event.url
    for recording in session.recordings:
        yield "relation", recording.elsewhere
    for licence in dict.fromkeys(each.licence for each in session.recordings):
        yield "rights", licence


def _add(parent: Any, name: str, text: str | None = None) -> Any:
    element = etree.SubElement(parent, f"{{{OAI}}}{name}")
    element.text = text
    return element


class Verb(NamedTuple):
    """A verb: what answers it, and the arguments that it needs and may have."""

    answer: Callable[[Harvest, Any], None]
    needed: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


_SELECTIVE = ("from", "until", "set", "resumptionToken")
_VERBS: dict[str, Verb] = {
    "Identify": Verb(_identify),
    "ListMetadataFormats": Verb(_list_formats, optional=("identifier",)),
    "ListSets": Verb(_list_sets, optional=("resumptionToken",)),
    "GetRecord": Verb(_get_record, needed=("identifier", "metadataPrefix")),
    "ListRecords": Verb(_list_records, needed=("metadataPrefix",), optional=_SELECTIVE),
    "ListIdentifiers": Verb(_list_identifiers, needed=("metadataPrefix",), optional=_SELECTIVE),
}
