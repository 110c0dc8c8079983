"""`/pbx/{connection}/events[/{name}]` and `/pbx/{connection}/result/{command}`: what PBXs tell us.

200 is said only after the event is committed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta

import structlog
from aiohttp import web

from gateway.configuration import Configuration
from gateway.http.body import PBX_BODY, BodyRefused, read_body
from gateway.http.connection import vouch
from gateway.http.inbound import head_of
from gateway.http.problems import problem
from gateway.http.strangers import Strangers
from gateway.intake.inbox import Accepted, Inbox
from gateway.lookup.endpoint import Lookup
from gateway.pbx.connection import Connection
from gateway.pbx.kind import PbxKind, judged_again
from gateway.pbx.port import Inbound, InboxUnavailable, MessageUnstorable, Parsed, WireForbidden, WireInvalid
from runtime.metrics import Sample

log = structlog.get_logger(__name__)

_LONG_AGO = timedelta(minutes=15)


class Events:
    """noted: told of every authenticated message before it is stored; must return at once and never raise. texts: takes what a PBX
    that sends SMS too says of them, before it is thanked; raises InboxUnavailable."""

    def __init__(
        self,
        configuration: Configuration,
        inbox: Inbox,
        lookup: Lookup,
        noted: Callable[[Connection, Inbound], None] | None = None,
        strangers: Strangers | None = None,
        *,
        kinds: Mapping[str, PbxKind],
        texts: Callable[[Connection, Inbound], Awaitable[None]] | None = None,
    ) -> None:
        self._kinds, self._texts = kinds, texts
        self._configuration = configuration
        self._inbox = inbox
        self._lookup = lookup
        self._noted = noted
        self._strangers = strangers or Strangers()
        self.accepted = 0
        self.duplicates = 0
        self.refused = 0
        self.spoilt = 0

    async def handle(self, request: web.Request) -> web.Response:
        snapshot = self._configuration.now
        connection = snapshot.connections.get(request.match_info["connection"])
        if connection is None or not connection.is_on or connection.kind not in self._kinds:
            return await self._strangers.of_pbx(request)
        kind = self._kinds[connection.kind]
        inbound = head_of(request, _path(request))
        try:
            known = kind.authenticate_head(inbound, connection)
            if known is False:
                return await self._strangers.of_pbx(request, connection.name)
            body = await read_body(request, PBX_BODY, is_judged=known is not None)
            inbound = replace(inbound, body=body)
            snapshot = self._configuration.now
            now = snapshot.connections.get(connection.name)
            judged = judged_again(self._kinds, inbound, connection, now, is_known=known)
            if judged is None:
                return await self._strangers.of_pbx(request, connection.name)
            connection = judged
            vouch(request)
            parsed = self._kinds[connection.kind].parse(inbound, connection)
        except BodyRefused as err:
            self.refused += 1
            return err.answer()
        except WireForbidden:
            return await self._strangers.of_pbx(request, connection.name)
        except WireInvalid as err:
            self.refused += 1
            log.info("event-refused", connection=connection.name, field=err.field)
            return problem(400, err.code, "The event cannot be read.", detail=str(err), field=err.field)
        if parsed.signed_at is not None and inbound.received_at - parsed.signed_at > _LONG_AGO:
            self._strangers.signed_long_ago(request, connection.name)
        if self._noted is not None:
            self._noted(connection, inbound)
        try:
            if self._texts is not None:
                await self._texts(connection, inbound)
            accepted = await self._inbox.accept(
                connection, parsed, inbound.body, inbound.received_at, snapshot.policies[connection.name]
            )
        except MessageUnstorable as err:
            self.refused += 1
            return problem(400, err.code, "The event cannot be stored.", detail=str(err), field="body")
        except InboxUnavailable:
            response = problem(
                503,
                "inbox-unavailable",
                "The event could not be stored.",
                detail="Nothing was accepted. Send it again.",
            )
            response.headers["Retry-After"] = "1"
            return response
        return self._taken(connection, kind, parsed, accepted)

    def _taken(
        self, connection: Connection, kind: PbxKind, parsed: Parsed, accepted: Accepted
    ) -> web.Response:
        """Count it, and acknowledge it in the words that the PBX expects."""
        self.accepted += 1
        self.duplicates += accepted.duplicate
        if accepted.spoilt:
            self.spoilt += 1
            log.info("event-spoilt", connection=connection.name, fields=list(accepted.spoilt[:10]))
        answer = parsed.answer
        if parsed.asks is not None:  # the message is the question too: sipgate's newCall
            answer = kind.lookup_answer(self._lookup.ask(connection, parsed.asks), connection)
        if answer is not None:
            content_type, body = answer
            return web.Response(body=body, headers={"Content-Type": content_type})
        return web.json_response({"accepted": True, "duplicate": accepted.duplicate})

    def samples(self) -> Iterator[Sample]:
        """For the metrics."""
        yield "counter", "events_accepted", "PBX events accepted", {}, self.accepted
        yield "counter", "events_duplicate", "of them repeated", {}, self.duplicates
        yield "counter", "events_spoilt", "taken with fields left out or made legible", {}, self.spoilt
        yield "counter", "events_refused", "PBX events refused as unreadable", {}, self.refused


def _path(request: web.Request) -> str:
    """Return what follows `/pbx/{connection}/events`; results of commands keep their `result/`."""
    return request.match_info.get("name", "")
