"""What one running sandbox holds, and one request from arrival to ledger."""

from __future__ import annotations

import asyncio
import secrets
import time
from typing import Any

import orjson
from aiohttp import web

from crm.sandbox import seed
from crm.sandbox.amojo import chats
from crm.sandbox.api.exchange import SandboxExchange
from crm.sandbox.api.replies import Refusal, SandboxReply, html, problem, refuse
from crm.sandbox.api.routes import find
from crm.sandbox.api.tolerance import tolerated
from crm.sandbox.auth import oauth, tokens
from crm.sandbox.faults import FaultRule
from crm.sandbox.limits import Limits, too_many
from crm.sandbox.php import parse
from crm.sandbox.state import State
from crm.sandbox.store.ledger import Ledger

_OF_THE_API = ("/api", "/oauth", "/private", "/v0", "/v3", "/ajax", chats.ROOT)
"""What limits count and programs ask. Everything else is for browsers: there is a page, and nothing is written down."""


class World:
    """What one running sandbox holds besides the account's rows."""

    def __init__(self, state: State, contacts: int, users: int) -> None:
        self.state = state
        self.contacts, self.users = contacts, users
        self.ledger = Ledger(state.db.connection)
        self.limits = Limits()
        self.faults: list[FaultRule] = []
        self._wall = time.time() - time.monotonic()

    def arrival(self) -> float:
        """Unix seconds that never jump back."""
        return self._wall + time.monotonic()

    def prepare(self) -> None:
        """Fill an empty account; a file that holds one is left as it is."""
        if not self.state.db.setting("seeded"):
            with self.state.db.transaction():
                seed.seed_all(self.state, self.contacts, self.users)
                self.state.db.set_setting("seeded", True)
                self.state.db.set_setting("contacts", self.contacts)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        at = self.arrival()
        body = await request.read()
        if not request.path.startswith(_OF_THE_API):
            return web.Response(text="amoCRM", content_type="text/html")
        integration = _integration_of(self.state, request, body)
        rule = self._fault(request.method, request.path, integration)
        reply = self._spoiled(rule) or self._answered(request, body, integration, at)
        status = 0 if rule and rule.fault in ("hang", "reset") else reply.status
        entities = reply.entities if reply.entities is not None else _sent(body)
        self.ledger.add(at, integration, request.method, request.path, status, entities)
        return await _deliver(request, reply, rule)

    def _fault(self, method: str, path: str, integration: str) -> FaultRule | None:
        fired = [rule for rule in self.faults if rule.fires(method, path, integration)]
        return fired[0] if fired else None

    def _spoiled(self, rule: FaultRule | None) -> SandboxReply | None:
        """Return the reply of a fault that keeps the request from being carried out."""
        if rule is None or rule.fault in ("latency", "truncate", "answer_lost"):
            return None
        if rule.fault in ("hang", "reset"):
            return SandboxReply(0, entities=0)
        if rule.fault == "429":
            return too_many(self.state.profile)
        if rule.fault == "html":
            return SandboxReply(200, html(502).body, "text/html", entities=0)
        if rule.fault in ("401", "402", "500"):
            return problem(int(rule.fault), "Injected by the fault plan")
        return html(int(rule.fault))

    def _answered(self, request: web.Request, body: bytes, integration: str, at: float) -> SandboxReply:
        try:
            if request.path.startswith("/oauth"):
                return self._oauth(request, body)
            if request.path.startswith(chats.ROOT):
                with self.state.db.transaction():
                    return chats.handle(self.state, request, body)
            if (refused := self._limited(integration, at)) is not None:
                return refused
            with self.state.db.transaction():
                return self._api(request, body, integration)
        except Refusal as refusal:
            return refusal.reply

    def _oauth(self, request: web.Request, body: bytes) -> SandboxReply:
        if self.limits.blocked:
            return html(403)
        with self.state.db.transaction():
            return oauth.handle(self.state, request, body)

    def _limited(self, integration: str, at: float) -> SandboxReply | None:
        verdict = self.limits.judge(integration, at, self.state.profile)
        if verdict == "blocked":
            return html(403)
        return too_many(self.state.profile) if verdict == "too_many" else None

    def _api(self, request: web.Request, body: bytes, integration: str) -> SandboxReply:
        user = oauth.speaker(self.state, request.headers)
        if self.state.profile.subscription == "ended":
            raise refuse(402, "Payment Required")
        path, version = _api_path(request.path)
        if self.state.profile.subscription == "trial_ended" and _writes_leads(request.method, path):
            raise refuse(
                400, "Код ошибки 244. В случае повторного возникновения ошибки обратитесь в поддержку."
            )
        handler, args, known = find(request.method, path if version == 4 else f"v{version}/{path}")
        if handler is None:
            if known:
                raise refuse(405, f"Method {request.method} is not allowed")
            raise refuse(404, f"Cannot {request.method} {request.path}")
        exchange = SandboxExchange(
            state=self.state,
            method=request.method,
            path=request.path,
            raw_query=request.query_string,
            query=parse(request.query_string),
            body=tolerated(_parsed(request, body), request.method, path, self.state.profile),
            base=f"{request.scheme}://{request.host}",
            user=user,
            integration=integration,
            args=args,
        )
        return handler(exchange)


def _writes_leads(method: str, path: str) -> bool:
    """Say whether a request writes a lead, on whichever way: by itself, with a contact, into Unsorted. Notes on leads are none."""
    first, _, rest = path.partition("/")
    kinds = ("", "complex", "unsorted")
    return method != "GET" and first == "leads" and (rest.split("/")[0] in kinds or rest.isdigit())


def _api_path(path: str) -> tuple[str, int]:
    for version in (4, 2):
        prefix = f"/api/v{version}/"
        if path.startswith(prefix):
            return path[len(prefix) :].rstrip("/"), version
    return path.lstrip("/"), 0


def _parsed(request: web.Request, body: bytes) -> Any:
    if not body.strip():
        return None
    if request.content_type == "application/x-www-form-urlencoded":
        return parse(body.decode("utf-8", "replace"))
    try:
        return orjson.loads(body)
    except ValueError:
        raise refuse(400, "Request body is not valid JSON") from None


def _integration_of(state: State, request: web.Request, body: bytes) -> str:
    """Name of the integration that the token (or the client_id of a token request) belongs to; "" = unknown."""
    client_id = None
    if request.path == "/oauth2/access_token":
        client_id = (oauth.proof_of(request.content_type, body) or {}).get("client_id")
    elif request.headers.get("Authorization", "").startswith("Bearer "):
        claims = tokens.claims_of(request.headers["Authorization"][7:].strip())
        client_id = claims["aud"] if claims else None
    if not isinstance(client_id, str):
        return ""
    row = state.table("integrations").first([("client_id", "=", client_id)])
    return str(row["name"]) if row else ""


def _sent(body: bytes) -> int:
    try:
        value = orjson.loads(body) if body else []
    except ValueError:
        return 0
    return len(value) if isinstance(value, list) else 1


async def _deliver(request: web.Request, reply: SandboxReply, rule: FaultRule | None) -> web.StreamResponse:
    """Return the answer as the fault plan wants it to arrive."""
    fault = rule.fault if rule else None
    if rule is not None and fault in ("latency", "hang"):
        await asyncio.sleep(rule.ms / 1000)
    if fault in ("hang", "reset", "answer_lost"):
        return _cut(request)
    headers = {**reply.headers, "X-Request-Id": secrets.token_hex(16)}
    if fault == "truncate" and reply.body:
        response = web.StreamResponse(status=reply.status, headers=headers)
        response.content_type, response.content_length = reply.content_type, len(reply.body)
        await response.prepare(request)
        await response.write(reply.body[: len(reply.body) // 2])
        _cut(request)
        return response
    if reply.body:
        headers["Content-Type"] = reply.content_type
    return web.Response(status=reply.status, body=reply.body or None, headers=headers)


def _cut(request: web.Request) -> web.StreamResponse:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=204)
