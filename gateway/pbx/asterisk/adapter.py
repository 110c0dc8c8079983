"""Asterisk as a PbxKind: the dialplan asks by CURL(); call events come over AMI, or in the generic format from the dialplan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.pbx import dialects
from gateway.pbx.connection import Connection
from gateway.pbx.payload import canonical, has_valid_token, read_fields
from gateway.pbx.port import Inbound, LookupRequest, Parsed
from gateway.pbx.push_format import parse_event


class AsteriskKind:
    """`format=text` suits CURL() best: the address, or nothing, which is also what every failure of CURL() gives."""

    kind = "asterisk"
    has_plain_lookup = True

    def authenticate(self, request: Inbound, connection: Connection) -> bool:
        return has_valid_token(request, connection)

    def parse(self, request: Inbound, connection: Connection) -> Parsed:
        fields = read_fields(request)
        events = parse_event(fields, request.path, request.received_at, connection)
        told = {"path": request.path, **fields} if request.path else fields
        return Parsed(canonical=canonical(told), events=events)

    def lookup_request(self, request: Inbound, connection: Connection) -> LookupRequest:
        return dialects.read_lookup(request)

    def lookup_answer(
        self, answer: Mapping[str, Any], connection: Connection, format: str | None = None
    ) -> tuple[str, bytes]:
        return dialects.write(answer, connection, dialects.chosen(connection, format))
