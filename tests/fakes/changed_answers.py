"""A CRM whose answers are not what they should be: stands between the client and a CRM that is well.

transport = ChangedAnswers(session)
transport.change = lambda path, body: body["_embedded"]["leads"][0].update(name=None)
crm = AmoCrm(url, tokens, budget, session, transport=transport)
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import aiohttp

from crm.amocrm.transport import Transport
from crm.amocrm.wire import Reply, Request


def unchanged(path: str, body: Any) -> Any:
    return None


class ChangedAnswers(Transport):
    """change: (path with query, decoded answer or None) changes it in place, or returns another one."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        super().__init__(session)
        self.change: Callable[[str, Any], Any] = unchanged
        self.asked: list[str] = []

    async def exchange(self, base_url: str, request: Request, headers: Mapping[str, str]) -> Reply:
        reply = await super().exchange(base_url, request, headers)
        self.asked.append(f"{request.method} {request.target}")
        if reply.status >= 300:
            return reply
        body = json.loads(reply.body) if reply.body else None
        other = self.change(request.target, body)
        changed = body if other is None else other
        if changed is None:
            return reply
        return replace(
            reply, status=200, content_type="application/hal+json", body=json.dumps(changed).encode()
        )
