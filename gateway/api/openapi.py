"""The description of the admin API (OpenAPI 3.1), made from the routes that are served."""

from __future__ import annotations

import re
from collections.abc import Sequence
from importlib import metadata
from typing import Any, cast

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from gateway.api.frame import CsvAnswer, FileAnswer, NoQuery, Route

_REF = "#/components/schemas/{model}"
_PARAMETER = re.compile(r"\{(\w+)(?::((?:[^{}]|\{[^{}]*\})*))?\}")
_ERRORS = {
    400: "the input is not valid",
    401: "no valid token",
    403: "the token's role may not do that",
    404: "no such thing",
    409: "it was changed meanwhile, or it exists already",
    413: "the body is too large",
    429: "too many wrong tokens came from this address",
    422: "understood, but it cannot be done",
    502: "the CRM did not answer as it should",
    503: "the database or the CRM cannot be reached",
}
_PROBLEM_NAME = "ProblemDetails"  # no model of a route may be called so
_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string"},
        "detail": {"type": "string"},
        "field": {"type": "string"},
        "problems": {"type": "array", "items": {"type": "object"}},
    },
}


def describe(routes: Sequence[Route]) -> dict[str, Any]:
    """Return the whole document. Statuses that any route may answer with are named at each."""
    models: set[tuple[type[BaseModel], JsonSchemaMode]] = set()
    for route in routes:
        if route.body is not None:
            models.add((route.body, "validation"))
        if route.returns not in (None, CsvAnswer, FileAnswer):
            models.add((cast("type[BaseModel]", route.returns), "serialization"))
    ordered = sorted(models, key=lambda m: (m[0].__name__, m[1]))
    refs, definitions = models_json_schema(ordered, ref_template=_REF)
    schemas = {**definitions.get("$defs", {}), _PROBLEM_NAME: _PROBLEM}
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        path = "/api" + _PARAMETER.sub(r"{\1}", route.path)
        paths.setdefault(path, {})[route.method.lower()] = _operation(route, refs)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Callmatrix admin API", "version": metadata.version("callmatrix")},
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}],
    }


def _operation(route: Route, refs: dict[Any, Any]) -> dict[str, Any]:
    own = ", or whoever is bound to this employee" if route.is_ones_own else ""
    described = f"{route.description} Role: {route.role} or above{own}.".strip()
    operation: dict[str, Any] = {
        "operationId": f"{route.method.lower()}_{re.sub(r'[^a-z0-9]+', '_', route.path.lower()).strip('_')}",
        "summary": route.summary,
        "x-role": route.role,
        "description": described,
        "tags": list(route.tags),
        "parameters": _parameters(route),
        "responses": _responses(route, refs),
    }
    if route.body is not None:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": refs[(route.body, "validation")]}},
        }
    return operation


def _parameters(route: Route) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": _path_schema(pattern)}
        for name, pattern in _PARAMETER.findall(route.path)
    ]
    if route.query is not NoQuery:
        schema = route.query.model_json_schema(ref_template=_REF)
        required = set(schema.get("required", ()))
        for name, value in schema.get("properties", {}).items():
            found.append({"name": name, "in": "query", "required": name in required, "schema": _plain(value)})
    return found


def _path_schema(pattern: str) -> dict[str, Any]:
    """pattern: as the route's path has it, empty = any segment. Names joined by | are the only values."""
    if re.fullmatch(r"[a-z_|]+", pattern):
        return {"type": "string", "enum": pattern.split("|")}
    return {"type": "string", "pattern": f"^{pattern}$"} if pattern else {"type": "string", "minLength": 1}


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema without null: a query value is absent instead."""
    options = [o for o in schema.get("anyOf", ()) if o.get("type") != "null"]
    return {**options[0], "description": schema.get("description", "")} if len(options) == 1 else schema


def _responses(route: Route, refs: dict[Any, Any]) -> dict[str, Any]:
    answers: dict[str, Any] = {}
    if route.returns is None:
        answers["204"] = {"description": "done"}
    elif route.returns is FileAnswer:
        answers[str(route.status)] = {
            "description": "the file; what a browser would run is only saved",
            "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}},
        }
    elif route.returns is CsvAnswer:
        answers[str(route.status)] = {
            "description": 'a table with a line of headings; the header `Link` (rel="next") leads to the next page',
            "content": {"text/csv": {"schema": {"type": "string"}}},
        }
    else:
        schema = refs[(route.returns, "serialization")]
        answers[str(route.status)] = {
            "description": "done",
            "content": {"application/json": {"schema": schema}},
        }
    statuses = {400, 401, 403, 429, 503, *route.errors}
    if "{" in route.path:
        statuses.add(404)
    if route.body is not None:
        statuses.add(413)
    problem = {"application/problem+json": {"schema": {"$ref": _REF.format(model=_PROBLEM_NAME)}}}
    for status in sorted(statuses):
        answers[str(status)] = {"description": _ERRORS[status], "content": problem}
    return answers
