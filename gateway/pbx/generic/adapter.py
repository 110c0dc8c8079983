"""The generic kind as a PbxKind."""

from __future__ import annotations

from gateway.pbx import dialects
from gateway.pbx.connection import Connection
from gateway.pbx.kind import PbxKind
from gateway.pbx.payload import canonical, read_fields
from gateway.pbx.port import Inbound, Parsed
from gateway.pbx.push_format import parse_event
from routing.calls.model import EventKind


class GenericKind(PbxKind):
    """newCall, answer, hangup and recording as JSON, form or query. Answers in any dialect."""

    kind = "generic"
    has_plain_lookup = True

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
