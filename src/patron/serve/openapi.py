"""The OpenAPI 3.1 document, made from the same routes that dispatch requests."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from patron.serve.router import Query, Reply, Request, Route

_ERROR: dict[str, Any] = {
    "type": "object",
    "required": ["code", "message"],
    "properties": {
        "code": {"type": "string"},
        "message": {"type": "string"},
        "faults": {"type": "array", "items": {"type": "object"}},
    },
}
_HELD = {"304": {"description": "You hold it already (`If-None-Match`)."}}
_ERRORS = {
    "400": "The request is not understood.",
    "401": "The key is missing, unknown or revoked.",
    "403": "The key may not do this.",
    "404": "There is no such thing.",
    "405": "Another method is needed.",
    "409": "It stands in the way of what is there.",
    "410": "It was erased.",
    "413": "Too large.",
    "429": "This key sends too much: wait `Retry-After` seconds.",
    "503": "Busy: try again after `Retry-After` seconds.",
}


_BY_WRITE_KEY = frozenset({"/v1/decide", "/v1/fallback/{placement}", "/v1/outcomes"})
"""Operations without a scope of their own that need some key all the same."""
_RATED = frozenset({"/v1/decide", "/v1/outcomes"})
"""Operations that the rate of a write key bounds."""
PLAIN, ZIP = "text/plain", "application/zip"
"""Values of `Route.returns` for answers that are no JSON: their media type."""


def document(
    routes: list[Route],
    version: str,
    paths: Mapping[str, Any] | None = None,
    components: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The document as plain data; `paths` and `components` are those of doors beside this router."""
    types = [t for r in routes for t in (r.body, r.returns) if t is not None and not isinstance(t, str)]
    schemas, found = _modern(
        msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    )
    by_type = dict(zip((id(t) for t in types), schemas, strict=True))
    ours: dict[str, dict[str, Any]] = {}
    for route in routes:
        if route.method != "OPTIONS":
            ours.setdefault(route.path, {})[route.method.lower()] = _operation(route, by_type)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Patron",
            "version": version,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": {**(paths or {}), **ours},
        "components": {
            "schemas": {**(components or {}), **found, "Error": _ERROR},
            "securitySchemes": {
                "key": {"type": "http", "scheme": "bearer"},
                "writeKey": {"type": "http", "scheme": "basic"},
            },
        },
    }


def route(
    routes: list[Route],
    version: str,
    paths: Mapping[str, Any] | None = None,
    components: Mapping[str, Any] | None = None,
) -> Route:
    """`GET /v1/openapi.json`."""
    made: list[dict[str, Any]] = []

    async def handle(_: Request) -> Reply:
        if not made:
            made.append(document(routes, version, paths, components))
        return Reply(made[0])

    return Route("GET", "/v1/openapi.json", "", "This document.", handle, returns=dict[str, Any])


def _modern(schema: Any) -> Any:
    """Tuples told in a way that every reader of OpenAPI understands: so many items, each of one of these types.

    An array of schemas under `items` is no longer JSON Schema 2020-12, and tools misread its successor `prefixItems`.
    """
    if isinstance(schema, dict):
        plain = {key: _modern(value) for key, value in schema.items()}
        ways = plain.pop("prefixItems", None) or plain.get("items")
        if isinstance(ways, list):
            plain["items"] = {"anyOf": [way for at, way in enumerate(ways) if way not in ways[:at]]}
        return plain
    return [_modern(one) for one in schema] if isinstance(schema, list | tuple) else schema


def _operation(route: Route, by_type: dict[int, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": route.summary,
        "operationId": re.sub(r"\W+", "_", f"{route.method.lower()}{route.path}").strip("_"),
        "parameters": [*_path_parameters(route.path), *(_parameter(q) for q in route.query)],
        "responses": {
            str(route.status): _done(route, by_type),
            **(_HELD if route.held else {}),
            **_errors(route),
        },
    }
    if route.scope:
        operation["security"] = [{"key": []}]
        operation["description"] = f"Needs a secret key with the scope `{route.scope}` (or `admin`)."
    if route.body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": by_type[id(route.body)]}},
        }
    return operation


def _done(route: Route, by_type: dict[int, Any]) -> dict[str, Any]:
    if isinstance(route.returns, str):
        return {"description": "Done.", "content": {route.returns: {"schema": {"type": "string"}}}}
    schema = {} if route.returns is None else by_type[id(route.returns)]
    return {"description": "Done.", "content": {"application/json": {"schema": schema}}}


def _errors(route: Route) -> dict[str, Any]:
    content = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    codes = {"400", "405", "503"}
    if route.scope or route.path in _BY_WRITE_KEY:
        codes |= {"401", "403"}
    if route.path in _RATED:
        codes.add("429")
    if "{" in route.path or route.may_miss:
        codes |= {"404", "410"}
    if route.method != "GET":
        codes |= {"404", "409", "410", "413"}
    return {
        code: {"description": text, "content": content} for code, text in _ERRORS.items() if code in codes
    }


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in re.findall(r"\{(\w+)\}", path)
    ]


def _parameter(query: Query) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": query.kind}
    if query.low is not None:
        schema["minimum"] = query.low
    if query.high is not None:
        schema["maximum"] = query.high
    if query.choices:
        schema["enum"] = list(query.choices)
    return {
        "name": query.name,
        "in": "query",
        "required": False,
        "description": query.about,
        "schema": schema,
    }
