"""Kamailio as a PbxKind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.pbx import dialects
from gateway.pbx.connection import Connection
from gateway.pbx.kamailio.wire import generic_fields
from gateway.pbx.payload import canonical, has_valid_token, read_fields
from gateway.pbx.port import Inbound, LookupRequest, Parsed
from gateway.pbx.push_format import parse_event


class KamailioKind:
    """Plain JSON or an rtjson document, as the connection's dialect says; `format=rtjson` asks for the latter."""

    kind = "kamailio"
    has_plain_lookup = True

    def authenticate(self, request: Inbound, connection: Connection) -> bool:
        return has_valid_token(request, connection)

    def parse(self, request: Inbound, connection: Connection) -> Parsed:
        raw = read_fields(request)
        events = parse_event(generic_fields(raw, request.path), "", request.received_at, connection)
        told = {"path": request.path, **raw} if request.path else raw
        return Parsed(canonical=canonical(told), events=events)

    def lookup_request(self, request: Inbound, connection: Connection) -> LookupRequest:
        return dialects.read_lookup(request)

    def lookup_answer(
        self, answer: Mapping[str, Any], connection: Connection, format: str | None = None
    ) -> tuple[str, bytes]:
        return dialects.write(answer, connection, dialects.chosen(connection, format))
