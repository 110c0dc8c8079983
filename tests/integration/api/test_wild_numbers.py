"""Whatever stands where the API expects a number or an id is answered with what is described, and never with a failure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any
from urllib.parse import quote

import pytest

from tests.integration.api.client import ACCOUNT, Api

WILD = ("9" * 20, str(2**63), "-1", "１２", "1" * 3000)
REACHES_OUT = {"post /api/v1/accounts"}


def sample(schema: dict[str, Any], schemas: dict[str, Any]) -> Any:
    """A value that the schema asks for, its least."""
    if "$ref" in schema:
        return sample(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    for kind in ("anyOf", "oneOf"):
        if kind in schema:
            return sample(schema[kind][0], schemas)
    if "enum" in schema or "const" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    if schema.get("type") == "object":
        wanted = schema.get("required", ())
        return {
            name: sample(part, schemas)
            for name, part in schema.get("properties", {}).items()
            if name in wanted
        }
    if schema.get("type") == "array":
        return [sample(schema["items"], schemas)]
    return {"integer": max(1, schema.get("minimum", 1)), "boolean": False}.get(schema["type"], "1")


def holds(schema: dict[str, Any], kind: str) -> bool:
    return schema.get("type") == kind or any(holds(part, kind) for part in schema.get("anyOf", ()))


@dataclass(frozen=True)
class Question:
    method: str
    path: str
    query: Mapping[str, str]
    body: dict[str, Any] | None
    statuses: frozenset[str]


def questions(description: dict[str, Any]) -> Iterator[Question]:
    """One wild value at a time, in each place that may hold a number or an id."""
    schemas = description["components"]["schemas"]
    for path, methods in description["paths"].items():
        for method, said in methods.items():
            if f"{method} {path}" not in REACHES_OUT:
                yield from questions_of(method, path, said, schemas)


def questions_of(method: str, path: str, said: dict[str, Any], schemas: dict[str, Any]) -> Iterator[Question]:
    body, fields, statuses = None, dict[str, Any](), frozenset(said["responses"])
    if "requestBody" in said:
        schema = said["requestBody"]["content"]["application/json"]["schema"]
        body = sample(schema, schemas)
        fields = schemas.get(schema.get("$ref", "").rpartition("/")[2], {}).get("properties", {})
    named = {p["name"]: "999999" for p in said["parameters"] if p["in"] == "path"} | {"account": ACCOUNT}
    for place, wild in product(said["parameters"], WILD):
        if place["in"] == "query":
            yield Question(method, path.format_map(named), {place["name"]: wild}, body, statuses)
        elif place["name"] != "account":
            there = path.format_map({**named, place["name"]: quote(wild, safe="")})
            yield Question(method, there, {}, body, statuses)
    for field, part in fields.items():
        is_list, is_number = holds(part, "array"), holds(part, "integer")
        for value in (*WILD, 2**63 - 1, 2**31) if is_list or is_number else ():
            held = value if is_number else [value]
            yield Question(method, path.format_map(named), {}, {**(body or {}), field: held}, statuses)


@pytest.mark.timeout(120)
async def test_no_number_or_id_makes_the_api_fail(api: Api) -> None:
    async with api.http.get(f"{api.url}/api/openapi.json") as response:
        asked = list(questions(await response.json()))
    headers, failed = {"Authorization": f"Bearer {api.tokens['admin']}"}, []
    for one in asked:
        async with api.http.request(
            one.method, api.url + one.path, params=one.query, json=one.body, headers=headers
        ) as response:
            if str(response.status) not in one.statuses:
                failed.append((one.method, one.path[:100], response.status, (await response.text())[:300]))
    assert len(asked) > 300
    assert failed == []
