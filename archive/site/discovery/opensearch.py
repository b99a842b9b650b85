"""How browsers search this site (OpenSearch 1.1, https://github.com/dewitt/opensearch)."""

from __future__ import annotations

from typing import Any

from lxml import etree

from archive import urls
from archive.site.http.respond import respond
from archive.site.render import asset
from archive.site.settings import site_settings
from metadata.xml_text import xml_text

NAMESPACE = "http://a9.com/-/spec/opensearch/1.1/"
MEDIA_TYPE = "application/opensearchdescription+xml"
SHORT_NAME = 16
"""Characters that the name of a search may have."""


async def opensearch(datasette: Any, request: Any) -> Any:  # noqa: ARG001 one signature for all pages
    """``/opensearch.xml``: a description of the search."""
    settings = site_settings(datasette)
    root = etree.Element(f"{{{NAMESPACE}}}OpenSearchDescription", nsmap={None: NAMESPACE})
    _add(root, "ShortName", xml_text(settings.name)[:SHORT_NAME])
    _add(root, "Description", f"What was said in the sessions of {xml_text(settings.name)}")
    _add(root, "InputEncoding", "UTF-8")
    _add(root, "Image", settings.absolute(asset("icon.svg")), type="image/svg+xml")
    search, feed = settings.absolute(urls.SEARCH), settings.absolute(urls.beside(urls.SEARCH, urls.FEED))
    _add(root, "Url", type="text/html", template=f"{search}?q={{searchTerms}}")
    if not settings.static:
        _add(root, "Url", type="application/atom+xml", template=f"{feed}?q={{searchTerms}}")
    _add(root, "Url", type=MEDIA_TYPE, rel="self", template=settings.absolute(urls.OPENSEARCH))
    body = etree.tostring(root, xml_declaration=True, encoding="utf-8")
    return respond(body, MEDIA_TYPE)


def _add(root: Any, name: str, text: str | None = None, **attributes: str) -> None:
    etree.SubElement(root, f"{{{NAMESPACE}}}{name}", attributes).text = text
