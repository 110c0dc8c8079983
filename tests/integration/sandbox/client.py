"""A sandbox of its own and a client with a token for each test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import aiohttp
import orjson

from crm.sandbox.server import Sandbox

FAST = {"requests_per_second": 100_000, "account_requests_per_second": 100_000}


@dataclass
class Answer:
    status: int
    content_type: str
    body: Any
    headers: Any


class Api:
    """The API as a client sees it, and the control surface beside it."""

    def __init__(self, sandbox: Sandbox, session: aiohttp.ClientSession) -> None:
        self.sandbox, self.session = sandbox, session
        self.token = sandbox.token()

    async def call(self, method: str, path: str, body: Any = None, **options: Any) -> Answer:
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        data = orjson.dumps(body) if body is not None else None
        url = path if path.startswith("/") else f"/api/v4/{path}"
        async with self.session.request(
            method, self.sandbox.url + url, data=data, headers=headers, allow_redirects=False, **options
        ) as response:
            raw = await response.read()
            is_json = "json" in response.content_type and raw
            value = orjson.loads(raw) if is_json else raw.decode()
            return Answer(response.status, response.content_type, value, response.headers)

    async def get(self, path: str, **options: Any) -> Answer:
        return await self.call("GET", path, **options)

    async def post(self, path: str, body: Any = None, **options: Any) -> Answer:
        return await self.call("POST", path, body, **options)

    async def patch(self, path: str, body: Any) -> Answer:
        return await self.call("PATCH", path, body)

    async def control(self, path: str, body: Any = None) -> Any:
        answer = await self.call("GET" if body is None else "POST", f"/_sandbox/{path}", body)
        assert answer.status == 200, answer.body
        return answer.body

    async def rows(self, kind: str, **filters: Any) -> list[dict[str, Any]]:
        query = "".join(f"&{name}={value}" for name, value in filters.items())
        found: list[dict[str, Any]] = (await self.control(f"state?kind={kind}{query}"))["rows"]
        return found

    async def make(self, plural: str, **values: Any) -> int:
        answer = await self.post(plural, [values])
        assert answer.status == 200, answer.body
        made: int = answer.body["_embedded"][plural][0]["id"]
        return made


def a_phone(value: str) -> list[dict[str, Any]]:
    return [{"field_code": "PHONE", "values": [{"value": value}]}]
