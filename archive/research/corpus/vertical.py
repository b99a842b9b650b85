r"""Vertical text, a word a line: what the IMS Open Corpus Workbench, CQPweb, NoSketch Engine and KonText encode.

Source: the CWB Corpus Encoding and Management Manual, https://cwb.sourceforge.io/files/CWB_Encoding_Tutorial.pdf.
Columns are the word, the word as search has it, where it begins and ends in milliseconds, and how sure the machine was
in hundredths; ``_`` stands where nobody knows. To encode it::

    cwb-encode -d data -f corpus.vrt -R registry/corpus -c utf8 -xsB -P folded -P start_ms -P end_ms -P confidence \
      -S text:0+id+event+session+title+date+year+language+recording+kind+url \
      -S u:0+position+start_ms+end_ms+speaker+person+language+doubtful+flags
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, ClassVar
from xml.sax.saxutils import escape, quoteattr

from archive.research.corpus.base import About, CorpusWord, Document, Folder, Utterance, joined
from archive.research.corpus.tables import with_index
from archive.research.corpus.tokens import written
from metadata.xml_text import xml_text

UNKNOWN = "_"
COLUMNS = ("word", "folded", "start_ms", "end_ms", "confidence")


class Vertical:
    """Vertical text for corpus tools."""

    name: ClassVar[str] = "vertical"
    title: ClassVar[str] = "CWB vertical text"
    about: ClassVar[str] = "A word a line, for the Corpus Workbench, CQPweb and NoSketch Engine."
    extra: ClassVar[str | None] = None

    def write(self, documents: Iterable[Document], folder: Folder, about: About) -> None:  # noqa: ARG002 one signature
        """Write one file, and the tables that say what its texts are of."""
        columns = ", ".join(COLUMNS)
        told: dict[str, Any] = {
            "format": "vrt",
            "encoding": "utf-8",
            "description": f"Vertical text; columns are {columns}.",
        }
        with folder.writing("corpus.vrt", "text/plain", **told) as file:
            for document in with_index(documents, folder):
                for line in lines(document):
                    file.write(line.encode() + b"\n")


def lines(document: Document) -> Iterator[str]:
    """Yield the lines of a document."""
    known = {
        "id": document.document,
        "event": document.event,
        "session": document.session,
        "title": document.title,
        "date": document.date or UNKNOWN,
        "year": (document.date or UNKNOWN)[:4],
        "language": document.language,
        "recording": document.recording,
        "kind": document.kind,
        "url": document.url,
    }
    yield f"<text {_attributes(known)}>"
    for said in document.utterances:
        about = {
            "position": str(said.position),
            "start_ms": str(said.start_ms),
            "end_ms": str(said.end_ms),
            "speaker": said.speaker or UNKNOWN,
            "person": said.person or UNKNOWN,
            "language": said.language,
            "doubtful": "yes" if said.flags else "no",
            "flags": joined(said.flags) or UNKNOWN,
        }
        yield f"<u {_attributes(about)}>"
        yield from _words(said)
        yield "</u>"
    yield "</text>"


def _words(said: Utterance) -> Iterator[str]:
    if not said.words:
        yield from (_line(each.text, each.folded, None) for each in written(said.text))
        return
    for word in said.words:
        yield from (_line(each.text, each.folded, word) for each in written(word.text))


def _line(text: str, folded: str, word: CorpusWord | None) -> str:
    times = (str(word.start_ms), str(word.end_ms)) if word else (UNKNOWN, UNKNOWN)
    sure = UNKNOWN if word is None or word.confidence is None else str(round(100 * word.confidence))
    return "\t".join((escape(xml_text(text)), escape(xml_text(folded)), *times, sure))


def _attributes(values: dict[str, str]) -> str:
    return " ".join(f"{name}={quoteattr(_one_line(value))}" for name, value in values.items())


def _one_line(text: str) -> str:
    return " ".join(xml_text(text).split()) or UNKNOWN
