"""The HTTP server of a gateway process: which path goes where."""

from __future__ import annotations

import hmac
import time
import warnings
from collections.abc import Awaitable, Callable
from typing import Protocol

import structlog
from aiohttp import web
from aiohttp.web_urldispatcher import UrlMappingMatchInfo
from prometheus_client import generate_latest

from gateway.channels.door import ChannelDoor
from gateway.channels.files.door import FileDoor
from gateway.crm_accounts.endpoints import CrmHooks
from gateway.crm_chats.door import CrmChatDoor
from gateway.distribution.hook_door import HookDoor
from gateway.http.body import API_BODY, BodyRefused
from gateway.http.pages import OwnHosts
from gateway.http.peers import is_from_this_machine
from gateway.http.problems import problem
from gateway.http.strangers import Strangers
from gateway.intake.endpoint import Events
from gateway.lookup.endpoint import Lookup
from gateway.sms.door import SmsDoor
from runtime.metrics import Metrics

log = structlog.get_logger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_OTHER_PATHS = r"/{path:(?!(?:pbx|crm|sms|channels|api)(?:/|$))[\s\S]*}"
"""What is no program's: the pages are asked, who say what they do not know to a person."""


class Readiness(Protocol):
    async def missing(self) -> list[str]:
        """Return what this process still lacks before it can answer well; empty when ready."""
        ...


class _Match(UrlMappingMatchInfo):
    """One for all lookups: it holds nothing of a request."""

    def add_app(self, app: web.Application) -> None:
        if not self.apps:
            super().add_app(app)


class _Dispatcher(web.UrlDispatcher):
    """aiohttp's router with a short cut for the one path that is asked while a phone rings."""

    lookup_match: _Match

    async def resolve(self, request: web.Request) -> web.UrlMappingMatchInfo:
        raw = request.raw_path
        if raw.startswith("/pbx/"):
            path = raw.partition("?")[0]
            is_plain = path.endswith("/lookup") and path.count("/") == 3 and "%" not in path
            if is_plain and request.method in ("GET", "POST"):
                return self.lookup_match
        return await super().resolve(request)


def build_web_app(
    *,
    lookup: Lookup,
    events: Events,
    hooks: CrmHooks,
    stage_hooks: HookDoor,
    sms: SmsDoor,
    channels: ChannelDoor,
    crm_chats: CrmChatDoor,
    files: FileDoor,
    readiness: Readiness,
    metrics: Metrics,
    metrics_token: str | None,
    strangers: Strangers,
    own_hosts: OwnHosts,
    add_api: Callable[[web.Application], None],
    pages: Handler | None = None,
) -> web.Application:
    dispatcher = _Dispatcher()
    with warnings.catch_warnings():  # aiohttp asks for its own router; ours is that one with a short cut
        warnings.simplefilter("ignore", DeprecationWarning)
        app = web.Application(router=dispatcher, client_max_size=API_BODY.bytes)
    router = app.router
    dispatcher.lookup_match = _Match({}, router.add_route("*", "/pbx/{connection}/lookup", lookup.handle))
    for path in ("/pbx/{connection}/events", "/pbx/{connection}/events/{name:.*}"):
        router.add_route("GET", path, _guarded(events.handle))
        router.add_route("POST", path, _guarded(events.handle))
    router.add_post("/pbx/{connection}/{name:result/.+}", _guarded(events.handle))
    router.add_post("/crm/{account}/webhooks/{secret}", _guarded(hooks.webhook))
    router.add_post("/crm/{account}/hooks/{secret}", _guarded(stage_hooks.handle))
    for method in ("GET", "POST"):
        router.add_route(method, "/sms/{account}/{connection}/{secret}", _guarded(sms.handle))
        router.add_route(method, "/channels/{channel}/{secret}", _guarded(channels.handle))
    router.add_post("/crm/chats/{scope_id}", _guarded(crm_chats.handle))
    router.add_get("/channels/files/{secret}/{name}", _guarded(files.handle))
    router.add_get("/crm/oauth", _guarded(own_hosts.only(hooks.oauth)))
    router.add_get("/healthz", _healthz)
    router.add_get("/readyz", _readyz(readiness))
    router.add_get("/metrics", _metrics(metrics, metrics_token, strangers))
    add_api(app)
    if pages is not None:
        router.add_route("*", _OTHER_PATHS, _guarded(pages))
    return app


async def _healthz(_request: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})


def _readyz(readiness: Readiness) -> Handler:
    async def handle(_request: web.Request) -> web.Response:
        missing = await readiness.missing()
        return web.json_response(
            {"status": "not ready" if missing else "ready", "missing": missing},
            status=503 if missing else 200,
        )

    return handle


def _metrics(metrics: Metrics, token: str | None, strangers: Strangers) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        sent = request.headers.get("Authorization", "").removeprefix("Bearer ")
        is_known = token is not None and hmac.compare_digest(sent.encode(), token.encode())
        if not (is_known or is_from_this_machine(request)):
            closed = problem(
                403,
                "metrics-closed",
                "Metrics are read from loopback, directly, or with CALLMATRIX_METRICS_TOKEN.",
            )
            if sent:
                return strangers.of("metrics", request, closed)
            strangers.nameless("metrics", request)
            return closed
        body = generate_latest(metrics.registry)
        return web.Response(body=body, headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    return handle


def _guarded(handler: Handler) -> Handler:
    """Any failure of ours becomes a problem body; the log line carries no query, where numbers and tokens stand."""

    async def handle(request: web.Request) -> web.StreamResponse:
        began = time.perf_counter()
        try:
            return await handler(request)
        except BodyRefused as err:
            return err.answer()
        except (web.HTTPException, ConnectionError):
            raise
        except TimeoutError:
            log.warning("request-timed-out", path=_route_of(request))
            return problem(503, "busy", "The gateway could not answer in time.", detail="Send it again.")
        except Exception:
            log.exception("request-failed", path=_route_of(request), seconds=time.perf_counter() - began)
            return problem(500, "internal", "The gateway failed.", detail="Its log tells why.")

    return handle


def _route_of(request: web.Request) -> str:
    """Return the route, not the path: webhook secrets stand in paths."""
    resource = request.match_info.route.resource
    return resource.canonical if resource is not None else "?"
