"""Whatever is sent to whichever route, the sandbox answers with what the vendor could answer, and goes on."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from crm.sandbox import seed
from crm.sandbox.api.routes import ROUTES
from tests.integration.sandbox.client import Api

KNOWN = {
    "entity": "leads",
    "category": "sip",
    "uid": "ab",
    "event": "AB",
    "group": "default",
    "status": "142",
}
KNOWN |= {"id": str(seed.LEADS + 3), "entity_id": str(seed.LEADS + 3)}
GARBAGE: list[Any] = [
    None,
    [],
    {},
    [{}],
    [[]],
    [None],
    ["x", 1],
    {"x": None},
    7,
    "x",
    [{"id": {}, "name": []}],
    [{"rights": 1, "_embedded": 1, "metadata": 1, "params": 1, "enums": 1, "fields": 1, "link": 1}],
    [{"rights": [1], "_embedded": [1], "metadata": [1], "params": [1], "enums": [1], "fields": [{}]}],
    {"link": [], "fields": [None], "enums": [None], "_embedded": {"statuses": [None]}, "settings": {}},
    [{"_embedded": {"tags": [[]], "contacts": [[]], "companies": [1], "leads": [None], "statuses": [[]]}}],
    [{"custom_fields_values": [[]]}, {"custom_fields_values": [{"field_id": {}, "values": [[]]}]}],
    [{"custom_fields_values": {"a": 1}, "tags_to_add": [None], "created_at": 1.5, "price": "x"}],
    [{"note_type": [], "params": [], "entity_type": {}, "entity_id": [], "to_entity_type": {}}],
]


def path_of(pattern: str) -> str:
    path = re.sub(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)", lambda match: KNOWN[match[1]], pattern)
    return (
        f"/api/v4/{path}" if not path.startswith(("v0/", "v2/")) else f"/{path}".replace("/v2/", "/api/v2/")
    )


CHANGES = sorted(
    {(route.method, path_of(route.pattern.pattern)) for route in ROUTES if route.method != "GET"}
)
READS = sorted({path_of(route.pattern.pattern) for route in ROUTES if route.method == "GET"})


@pytest.mark.parametrize(("method", "path"), CHANGES, ids=[" ".join(change) for change in CHANGES])
async def test_no_body_breaks_a_route(method: str, path: str, api: Api) -> None:
    answers = [(json.dumps(body)[:60], (await api.call(method, path, body)).status) for body in GARBAGE]
    assert [answer for answer in answers if answer[1] >= 500] == []
    assert (await api.get("account")).status == 200


@pytest.mark.parametrize("path", READS)
async def test_no_query_breaks_a_list(path: str, api: Api) -> None:
    queries = (
        "page=-1&limit=x&with=&order[id]=&filter=x",
        "filter[id][]=x&filter[id][a][b]=1&filter[created_at]=x&filter[updated_at][from]=x",
        f"filter[id]={10**30}&query={10**30}&page={10**30}&limit=0",
        "filter[entity]=&filter[type][]=&filter[statuses][0]=1&filter[custom_fields_values][x][from]=y",
        "query[]=x&order[][x]=asc&with[]=contacts&filter[name][]=",
    )
    answers = [(query, (await api.get(f"{path}?{query}")).status) for query in queries]
    assert [answer for answer in answers if answer[1] >= 500] == []
