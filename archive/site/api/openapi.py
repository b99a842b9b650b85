"""The description of the API (OpenAPI 3.1), made from the same types that answers are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from archive.site.api.endpoints import ENDPOINTS, Endpoint, address
from archive.site.api.questions import PLACED
from archive.site.http.respond import PROBLEM, Problem
from archive.site.settings import SiteSettings

VERSION = "1.0.0"
_REF = "#/components/schemas/{name}"
_LEADS_TO: dict[str, tuple[str, dict[str, str]]] = {
    "/events": ("/events/{event}", {"event": "items/0/slug"}),
    "/sessions": ("/sessions/{event}/{session}", {"event": "items/0/event/slug", "session": "items/0/slug"}),
    "/sessions/{event}/{session}": ("/transcripts/{version}", {"version": "recordings/0/transcript/version"}),
    "/recordings": ("/recordings/{sha256}", {"sha256": "items/0/recording/sha256"}),
    "/people": ("/people/{person}", {"person": "items/0/slug"}),
    "/moments": ("/transcripts/{version}", {"version": "items/0/transcript"}),
}
"""What an answer names that another endpoint tells of: the endpoint, and where in the answer its names stand."""


def describe(settings: SiteSettings) -> dict[str, Any]:
    """Return the description of the API of a site."""
    kinds = [*(each.answer for each in ENDPOINTS), *(each.query for each in ENDPOINTS), Problem]
    schemas, components = msgspec.json.schema_components(kinds, ref_template=_REF)
    answers = dict(zip((each.path for each in ENDPOINTS), schemas, strict=False))
    queries = {each.query.__name__ for each in ENDPOINTS}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": f"{settings.name}: recorded sessions",
            "version": VERSION,
            "description": "What is published, for reading. Times are milliseconds, languages BCP-47 tags.",
        },
        "servers": [{"url": settings.url}],
        "paths": {
            address(each): {"get": _operation(each, components[each.query.__name__], answers[each.path])}
            for each in ENDPOINTS
        },
        "components": {
            "schemas": {name: _closed(_alike(each)) for name, each in components.items() if name not in queries}
        },
    }


def _operation(endpoint: Endpoint, query: dict[str, Any], answer: dict[str, Any]) -> dict[str, Any]:
    problem = {"content": {PROBLEM: {"schema": {"$ref": _REF.format(name="Problem")}}}}
    given, needed = query["properties"], query.get("required", ())
    named = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in endpoint.names
    ]
    missing = {
        "404": {"description": "There is none of this name.", **problem},
        "410": {"description": "It was withdrawn.", **problem},
    }
    stale = {"409": {"description": "The cursor is of another publication: begin again.", **problem}}
    return {
        "operationId": _named(endpoint.path),
        "summary": endpoint.summary,
        "parameters": [*named, *(_parameter(name, given[name], required=name in needed) for name in given)],
        "responses": {
            "200": {
                "description": endpoint.summary,
                "content": {"application/json": {"schema": answer}},
                "links": _links(endpoint, given),
            },
            "400": {"description": "A parameter is unknown or not what it may be.", **problem},
            **(missing if named else {}),
            **(stale if issubclass(endpoint.query, PLACED) else {}),
        },
    }


def _named(path: str) -> str:
    return path.strip("/").replace("/", "_").replace("{", "").replace("}", "")


def _links(endpoint: Endpoint, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return where a program goes on from an answer: to the next page, and to what the first item is."""
    made = {}
    if "cursor" in given:
        made["next"] = {"operationId": _named(endpoint.path), "parameters": {"cursor": "$response.body#/next"}}
    if endpoint.path in _LEADS_TO:
        path, names = _LEADS_TO[endpoint.path]
        places = {name: f"$response.body#/{place}" for name, place in names.items()}
        made["item"] = {"operationId": _named(path), "parameters": places}
    return made


def _parameter(name: str, schema: dict[str, Any], *, required: bool) -> dict[str, Any]:
    kinds = [each for each in schema.get("anyOf", [schema]) if each.get("type") != "null"]
    schema = {**kinds[0], **({"default": schema["default"]} if schema.get("default") is not None else {})}
    about = schema.pop("description", "")
    return {"name": name, "in": "query", "required": required, "description": about, "schema": schema}


def _alike(schema: Any) -> Any:
    """Return a schema whose tuples of one type are arrays of so many: generators of clients refuse ``items: false``."""
    if isinstance(schema, list):
        return [_alike(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {name: _alike(each) for name, each in schema.items()}
    places = made.get("prefixItems")
    if isinstance(places, list) and all(each == places[0] for each in places):
        made["items"] = made.pop("prefixItems")[0]
    return made


def _closed(schema: dict[str, Any]) -> dict[str, Any]:
    """Return a schema of an answer: every field is always there."""
    return {**schema, "required": sorted(schema["properties"])} if schema.get("title") != "Problem" else schema
