from __future__ import annotations

import inspect
import re
from types import ModuleType

import pytest

import archive.errors
import metadata.errors
import pipelines.errors
from metadata.errors import FormatError, InvalidLanguageError, InvalidTimeError, MetadataError, UnknownFormatError


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            InvalidLanguageError("xx"),
            "unknown language 'xx': use a code such as 'en' or 'pt-BR', or an English name such as 'French'",
        ),
        (InvalidTimeError("noon", "a date"), "cannot read 'noon' as a time: expected a date"),
        (UnknownFormatError("a.odt", ("srt", "vtt")), "a.odt: not a format that Rostra knows here (srt, vtt)"),
        (FormatError("a.vtt", "line 12", "no arrow"), "a.vtt: line 12: no arrow"),
        (FormatError("a.vtt", "", "empty"), "a.vtt: empty"),
    ],
)
def test_error_message(error: MetadataError, message: str) -> None:
    assert str(error) == message


def test_format_error_attributes() -> None:
    error = FormatError("a.yaml", "$.title", "missing")
    assert (error.source, error.where, error.reason) == ("a.yaml", "$.title", "missing")


@pytest.mark.parametrize(
    "module", [metadata.errors, archive.errors, pipelines.errors], ids=lambda module: module.__name__
)
def test_error_tree_drawn(module: ModuleType) -> None:
    """The tree in each module's docstring names every error of it, under its base."""
    defined = [
        error
        for _, error in inspect.getmembers(module, inspect.isclass)
        if issubclass(error, Exception) and error.__module__ == module.__name__
    ]
    drawn = []
    stack: list[tuple[int, str]] = []
    for match in re.finditer(r"^([ │]*(?:[├└]── )?)(\w+Error)\b", inspect.getdoc(module) or "", re.MULTILINE):
        stack = [above for above in stack if above[0] < len(match[1])]
        drawn.append((match[2], stack[-1][1] if stack else "Exception"))
        stack.append((len(match[1]), match[2]))
    assert sorted(drawn) == sorted((error.__name__, error.__base__.__name__) for error in defined)
