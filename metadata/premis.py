"""PREMIS: what was done to files that are kept, by whom and when, and who may do what with them, as XML.

Source: PREMIS Data Dictionary for Preservation Metadata, version 3.0, and its XML schema
(https://www.loc.gov/standards/premis/v3/). Elements stand in the order that the schema demands.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias
from xml.etree import ElementTree as ET

NAMESPACE = "http://www.loc.gov/premis/v3"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"

EventType: TypeAlias = Literal[
    "ingestion", "fixity check", "transcription", "translation", "correction", "redaction", "withdrawal", "deletion"
]


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A file.

    Attributes:
        path: its name where it lies, which identifies it.
        sha256: of its bytes, in hexadecimal.
        bytes: its size.
        media_type: IANA's name of its format.
        original_name: what it was called where it came from; "" where nobody said.
    """

    path: str
    sha256: str
    bytes: int
    media_type: str
    original_name: str = ""


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that was done.

    Attributes:
        type: what.
        at: when, ISO 8601.
        detail: in words.
        by: the person or the program that did it; "" where nobody said.
        objects: what it was done to: paths of files, or names of sessions, recordings and transcripts.
        outcome: how it ended; "" where that goes without saying.
        by_program: whether a program did it.
    """

    type: EventType
    at: str
    detail: str
    by: str = ""
    objects: tuple[str, ...] = ()
    outcome: str = ""
    by_program: bool = False


@dataclass(frozen=True, slots=True)
class Licence:
    """What may be done with files: the licence's name or address, whom to credit, and the files' paths."""

    terms: str
    credit: str
    objects: tuple[str, ...]


def write_premis(files: Sequence[KeptFile], happenings: Sequence[Happening], licences: Sequence[Licence]) -> bytes:
    """Return a PREMIS document of files, of what was done to them, and of the rights in them.

    What XML cannot hold (control characters) is replaced by U+FFFD.
    """
    root = ET.Element("premis", {"xmlns": NAMESPACE, "xmlns:xsi": _XSI, "version": "3.0"})
    for each in files:
        _object(root, each)
    for number, happening in enumerate(happenings, 1):
        _event(root, number, happening)
    _agents(root, happenings)
    if licences:
        rights = ET.SubElement(root, "rights")
        for number, licence in enumerate(licences, 1):
            _statement(rights, number, licence)
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True)) + b"\n"


def _object(root: ET.Element, file: KeptFile) -> None:
    node = ET.SubElement(root, "object", {"xsi:type": "file"})
    _identifier(node, "object", "path", file.path)
    about = ET.SubElement(node, "objectCharacteristics")
    fixity = ET.SubElement(about, "fixity")
    _leaf(fixity, "messageDigestAlgorithm", "SHA-256")
    _leaf(fixity, "messageDigest", file.sha256)
    _leaf(about, "size", str(file.bytes))
    designation = ET.SubElement(ET.SubElement(about, "format"), "formatDesignation")
    _leaf(designation, "formatName", file.media_type)
    if file.original_name:
        _leaf(node, "originalName", file.original_name)


def _event(root: ET.Element, number: int, happening: Happening) -> None:
    node = ET.SubElement(root, "event")
    _identifier(node, "event", "local", str(number))
    _leaf(node, "eventType", happening.type)
    _leaf(node, "eventDateTime", happening.at)
    _leaf(ET.SubElement(node, "eventDetailInformation"), "eventDetail", happening.detail)
    if happening.outcome:
        _leaf(ET.SubElement(node, "eventOutcomeInformation"), "eventOutcome", happening.outcome)
    if happening.by:
        _identifier(node, "linkingAgent", "name", happening.by)
    for each in happening.objects:
        _identifier(node, "linkingObject", "path", each)


def _agents(root: ET.Element, happenings: Iterable[Happening]) -> None:
    known = dict.fromkeys((each.by, each.by_program) for each in happenings if each.by)
    for name, is_program in known:
        node = ET.SubElement(root, "agent")
        _identifier(node, "agent", "name", name)
        _leaf(node, "agentName", name)
        _leaf(node, "agentType", "software" if is_program else "person")


def _statement(rights: ET.Element, number: int, licence: Licence) -> None:
    node = ET.SubElement(rights, "rightsStatement")
    _identifier(node, "rightsStatement", "local", str(number))
    _leaf(node, "rightsBasis", "license")
    about = ET.SubElement(node, "licenseInformation")
    _leaf(about, "licenseTerms", licence.terms)
    if licence.credit:
        _leaf(about, "licenseNote", f"Credit: {licence.credit}")
    for each in licence.objects:
        _identifier(node, "linkingObject", "path", each)


def _identifier(parent: ET.Element, of: str, kind: str, value: str) -> None:
    """Add an identifier: ``of`` names what it identifies, as the schema spells it."""
    node = ET.SubElement(parent, f"{of}Identifier")
    _leaf(node, f"{of}IdentifierType", kind)
    _leaf(node, f"{of}IdentifierValue", value)


def _leaf(parent: ET.Element, name: str, text: str) -> None:
    ET.SubElement(parent, name).text = "".join(each if _is_xml(each) else "\ufffd" for each in text)


def _is_xml(character: str) -> bool:
    """Return whether a document may hold a character (XML 1.0, production 2)."""
    return character in "\t\n\r" or (
        character >= " " and not "\ud800" <= character <= "\udfff" and character not in "\ufffe\uffff"
    )
