"""A moment as Web Annotation: https://www.w3.org/TR/annotation-model/, in JSON-LD."""

from __future__ import annotations

from typing import Any

from archive import urls
from archive.site.cited.addresses import Address
from archive.site.cited.resolving import Outcome
from archive.site.session_page.page import TimeSpan
from archive.site.settings import SiteSettings

MEDIA_TYPE = 'application/ld+json; profile="http://www.w3.org/ns/anno.jsonld"'
CONTEXT = "http://www.w3.org/ns/anno.jsonld"
MEDIA_FRAGMENTS = "http://www.w3.org/TR/media-frags/"


def annotated(
    settings: SiteSettings, address: Address, outcome: Outcome, page: str, media: str | None
) -> dict[str, Any]:
    """Return the annotation of a moment that was found.

    Its target is what was cited, as the address has it, in the version that the address names. Where the moment is
    found now, its place in the session's page and in the recording are targets of ``body``, which tells how sure that
    is and which words stand there.

    Args:
        settings: the site's.
        address: the moment's.
        outcome: what becomes of it; not of words that were taken back.
        page: the path of the session's page.
        media: the path of the recording's file, where there is one.
    """
    about: dict[str, Any] = {
        "@context": CONTEXT,
        "id": settings.absolute(address.path),
        "type": "Annotation",
        "motivation": "identifying",
        "target": {
            "type": "SpecificResource",
            "source": settings.absolute(urls.transcript_url(outcome.cited_version or address.version)),
            "scope": settings.absolute(urls.permanent_url(address.identity)),
            "selector": _selectors(address.span, outcome.as_cited, address.before, address.after),
        },
    }
    if outcome.state == "lost":
        return about
    now = TimeSpan(outcome.start_ms, outcome.end_ms)
    sources = [settings.absolute(path) for path in (page, media) if path]
    about["body"] = [
        {
            "type": "SpecificResource",
            "purpose": "linking",
            "source": source,
            "selector": _selectors(now, outcome.as_now, "", ""),
        }
        for source in sources
    ]
    told = ", ".join([outcome.state, *outcome.notes])
    about["body"].append({"type": "TextualBody", "purpose": "assessing", "format": "text/plain", "value": told})
    return about


def _selectors(span: TimeSpan, exact: str, prefix: str, suffix: str) -> list[dict[str, Any]]:
    fragment = {"type": "FragmentSelector", "conformsTo": MEDIA_FRAGMENTS, "value": f"t={span.text}"}
    if not exact:
        return [fragment]
    quoted = {"type": "TextQuoteSelector", "exact": exact, "prefix": prefix, "suffix": suffix}
    return [fragment, {name: value for name, value in quoted.items() if value}]
