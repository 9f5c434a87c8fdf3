"""The OpenAPI 3.1 document, made from the same routes that dispatch requests."""

import re
from typing import Any

import msgspec

from patron.serve.router import Query, Reply, Request, Route

_ERROR = {
    "type": "object",
    "required": ["code", "message"],
    "properties": {
        "code": {"type": "string"},
        "message": {"type": "string"},
        "faults": {"type": "array", "items": {"type": "object"}},
    },
}
_ERRORS = {
    "400": "The request is not understood.",
    "401": "The key is missing, unknown or revoked.",
    "403": "The key may not do this.",
    "404": "There is no such thing.",
    "405": "Another method is needed.",
    "409": "It stands in the way of what is there.",
    "410": "It was erased.",
    "413": "Too large.",
    "503": "Busy: try again after `Retry-After` seconds.",
}


def document(routes: list[Route], version: str) -> dict[str, Any]:
    """The document as plain data."""
    bodies = [r.body for r in routes if r.body is not None]
    schemas, components = msgspec.json.schema_components(bodies, ref_template="#/components/schemas/{name}")
    by_body = dict(zip((id(b) for b in bodies), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        if route.method != "OPTIONS":
            paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, by_body)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Patron",
            "version": version,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": {**components, "Error": _ERROR},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def route(routes: list[Route], version: str) -> Route:
    """`GET /v1/openapi.json`."""

    async def handle(_: Request) -> Reply:
        return Reply(document(routes, version))

    return Route("GET", "/v1/openapi.json", "", "This document.", handle)


def _operation(route: Route, by_body: dict[int, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": route.summary,
        "operationId": re.sub(r"\W+", "_", f"{route.method.lower()}{route.path}").strip("_"),
        "parameters": [*_path_parameters(route.path), *(_parameter(q) for q in route.query)],
        "responses": {
            str(route.status): {"description": "Done."},
            **{
                code: {
                    "description": text,
                    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
                }
                for code, text in _ERRORS.items()
            },
        },
    }
    if route.scope:
        operation["security"] = [{"key": []}]
        operation["description"] = f"Needs a secret key with the scope `{route.scope}` (or `admin`)."
    if route.body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": by_body[id(route.body)]}},
        }
    return operation


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
