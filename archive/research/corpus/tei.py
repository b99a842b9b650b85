"""TEI for transcriptions of speech, a file a transcript.

Source: TEI P5, chapter 8, "Transcriptions of Speech" (https://tei-c.org/release/doc/tei-p5-doc/en/html/TS.html), as
ISO 24624 uses it. An utterance (``u``) points to who speaks and to two points of a time line (``when``); a word (``w``)
to the point at which it begins (``synch``), with how sure the machine was (``cert``). What was heard with doubt is
``unclear``, with the reason.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, ClassVar

from lxml import etree

from archive.research.corpus.base import About, CorpusWord, Document, Folder, Utterance
from archive.research.corpus.naming import file_of
from archive.research.corpus.tables import with_index
from archive.research.corpus.tokens import written
from metadata.xml_text import xml_text

TEI = "http://www.tei-c.org/ns/1.0"
_ID = "{http://www.w3.org/XML/1998/namespace}id"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


class Tei:
    """TEI P5 for spoken corpora."""

    name: ClassVar[str] = "tei"
    title: ClassVar[str] = "TEI P5 for spoken corpora"
    about: ClassVar[str] = "XML with people, utterances, words and a time line, for EXMARaLDA, TEITOK and archives."
    extra: ClassVar[str | None] = None

    def write(self, documents: Iterable[Document], folder: Folder, about: About) -> None:
        """Write the texts, and the tables that say what they are of."""
        for document in with_index(documents, folder):
            path = file_of(document, folder, "tei", ".xml")
            known: dict[str, Any] = {"format": "xml", "encoding": "utf-8", "document": document.document}
            with folder.writing(path, "application/tei+xml", **known) as file:
                file.write(etree.tostring(to_tei(document, about), encoding="UTF-8", xml_declaration=True))
                file.write(b"\n")


def to_tei(document: Document, about: About) -> Any:
    """Return a document as an element of TEI."""
    root = etree.Element(f"{{{TEI}}}TEI", nsmap={None: TEI})
    root.set(_LANG, document.language)
    voices = _Voices(document)
    _header(root, document, about, voices)
    text = _add(root, "text")
    line = _TimeLine(_add(text, "timeline", unit="ms", origin="#T0"))
    body = _add(_add(text, "body"), "div")
    for said in document.utterances:
        _utterance(body, said, document, line, voices)
    return root


class _Voices:
    """Names each voice and person of a document within its file."""

    def __init__(self, document: Document) -> None:
        self.named: dict[tuple[str | None, str | None], str] = {}
        for part in document.people:
            self.named.setdefault((part.person, part.name), f"person-{len(self.named) + 1}")
        for said in document.utterances:
            if said.speaker is not None:
                self.named.setdefault((said.person, said.speaker), f"voice-{len(self.named) + 1}")

    def of(self, said: Utterance) -> str | None:
        return self.named.get((said.person, said.speaker))


class _TimeLine:
    """Writes a point of time when it is first met."""

    def __init__(self, element: Any) -> None:
        self._element = element
        self._points: set[int] = set()
        self.at(0)

    def at(self, ms: int) -> str:
        if ms not in self._points:
            self._points.add(ms)
            since = {} if ms == 0 else {"interval": str(ms), "since": "#T0"}
            point = _add(self._element, "when", **since)
            point.set(_ID, f"T{ms}")
        return f"#T{ms}"


def _header(root: Any, document: Document, about: About, voices: _Voices) -> None:
    header = _add(root, "teiHeader")
    file = _add(header, "fileDesc")
    title = _add(file, "titleStmt")
    _add(title, "title", document.title)
    for part in document.people:
        statement = _add(title, "respStmt")
        _add(statement, "resp", part.role)
        _add(statement, "name", part.name, ref=f"#{voices.named[part.person, part.name]}")
    publication = _add(file, "publicationStmt")
    _add(publication, "publisher", about.title)
    _add(publication, "idno", document.document, type="transcript")
    _add(publication, "date", when=about.built_at[:10])
    _add(_add(publication, "availability"), "p", document.licence or "No licence is stated: ask the publisher.")
    recording = _add(_add(_add(file, "sourceDesc"), "recordingStmt"), "recording", dur=_duration(document.duration_ms))
    if document.date:
        _add(recording, "date", when=document.date)
    _add(recording, "p", f"{document.event_title}: {document.title} ({document.url})")
    described = _add(_add(header, "encodingDesc"), "projectDesc")
    _add(described, "p", f"The words are from {document.generator} ({document.kind}).")
    _add(described, "p", "What was heard with doubt is marked as unclear; cert is how sure the machine was.")
    profile = _add(header, "profileDesc")
    _add(_add(profile, "langUsage"), "language", document.language, ident=document.language)
    _people(profile, voices)


def _people(profile: Any, voices: _Voices) -> None:
    if not voices.named:
        return
    people = _add(_add(profile, "particDesc"), "listPerson")
    for (slug, name), number in voices.named.items():
        person = _add(people, "person")
        person.set(_ID, number)
        _add(person, "persName", name or "")
        if slug:
            _add(person, "idno", slug, type="slug")


def _utterance(body: Any, said: Utterance, document: Document, line: _TimeLine, voices: _Voices) -> None:
    element = _add(body, "u", start=line.at(said.start_ms), end=line.at(said.end_ms))
    who = voices.of(said)
    if who:
        element.set("who", f"#{who}")
    if said.overlapped:
        element.set("trans", "overlap")
    if said.language != document.language:
        element.set(_LANG, said.language)
    if said.confidence is not None:
        element.set("cert", f"{said.confidence:.3g}")
    inside = _add(element, "unclear", reason=" ".join(map(_word, said.flags))) if said.flags else element
    for name, text, known in _words(said, line):
        _add(inside, name, text, **known)


def _words(said: Utterance, line: _TimeLine) -> Iterator[tuple[str, str, dict[str, str]]]:
    """Yield words (``w``) and signs (``pc``), each with the time and certainty of its word."""
    spoken: list[tuple[str, CorpusWord | None]] = [(word.text, word) for word in said.words]
    for text, word in spoken or [(said.text, None)]:
        known = {"synch": line.at(word.start_ms)} if word else {}
        if word and word.confidence is not None:
            known["cert"] = f"{word.confidence:.3g}"
        for each in written(text):
            is_word = any(char.isalnum() for char in each.text)
            yield ("w", each.text, known) if is_word else ("pc", each.text, {})


def _add(parent: Any, name: str, text: str = "", **attributes: str) -> Any:
    element = etree.SubElement(parent, f"{{{TEI}}}{name}", {key: xml_text(value) for key, value in attributes.items()})
    if text:
        element.text = xml_text(text)
    return element


def _duration(ms: int) -> str:
    """Return a length in ISO 8601."""
    return f"PT{ms / 1000:.3f}S"


def _word(text: str) -> str:
    """Return a name that may stand where TEI wants a word without spaces."""
    return re.sub(r"[^\w.-]+", "-", text).strip("-") or "unknown"
