"""The generic kind as a PbxKind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.pbx import dialects
from gateway.pbx.connection import Connection
from gateway.pbx.payload import canonical, has_valid_token, read_fields
from gateway.pbx.port import Inbound, LookupRequest, Parsed
from gateway.pbx.push_format import parse_event
from routing.calls.model import EventKind


class GenericKind:
    """newCall, answer, hangup and recording as JSON, form or query. Answers in any dialect."""

    kind = "generic"
    has_plain_lookup = True

    def authenticate(self, request: Inbound, connection: Connection) -> bool:
        return has_valid_token(request, connection)

    def parse(self, request: Inbound, connection: Connection) -> Parsed:
        fields = read_fields(request)
        events = parse_event(fields, request.path, request.received_at, connection)
        is_new = any(event.kind is EventKind.STARTED for event in events)
        told = {"path": request.path, **fields} if request.path else fields
        answer, asks = None, None
        if connection.dialect in ("sipgate", "zammad"):
            # These have one URL: their newCall is the question too, and sipgate's answer decides about later pushes.
            asks = dialects.lookup_of(fields) if is_new else None
            answer = dialects.write({}, connection, connection.dialect)
        return Parsed(canonical=canonical(told), events=events, answer=answer, asks=asks)

    def lookup_request(self, request: Inbound, connection: Connection) -> LookupRequest:
        return dialects.read_lookup(request)

    def lookup_answer(
        self, answer: Mapping[str, Any], connection: Connection, format: str | None = None
    ) -> tuple[str, bytes]:
        return dialects.write(answer, connection, dialects.chosen(connection, format))
