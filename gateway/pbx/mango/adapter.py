"""MANGO OFFICE as a PbxKind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.pbx import dialects
from gateway.pbx.connection import Connection
from gateway.pbx.mango.signing import is_signed_by, read_signed
from gateway.pbx.mango.wire import parse_notification, parse_result
from gateway.pbx.payload import canonical, has_valid_token
from gateway.pbx.port import Inbound, LookupRequest, Parsed, WireInvalid


class MangoKind:
    """Signed notifications. There is no question before the answer: a call is sent on by `commands/route` while it dwells
    in a voice menu; the lookup endpoint serves whoever else asks for this connection, by its token."""

    kind = "mango"
    has_plain_lookup = True

    def authenticate(self, request: Inbound, connection: Connection) -> bool:
        """The signature; a request without a signed form (a lookup) by the connection's token."""
        if b"vpbx_api_key" not in request.body:
            return has_valid_token(request, connection)
        try:
            return is_signed_by(read_signed(request.body), connection)
        except WireInvalid:
            return False

    def parse(self, request: Inbound, connection: Connection) -> Parsed:
        name = event_name(request.path)
        if name == "ping" and not request.body.strip():
            return Parsed(canonical="ping", events=())
        form = read_signed(request.body)
        told = canonical({"name": name, "json": form.json})
        if name.startswith("result/"):
            if name != "result/stat":
                parse_result(name.removeprefix("result/"), form.json)
            return Parsed(canonical=told, events=())
        return Parsed(canonical=told, events=parse_notification(name, form.json, connection))

    def lookup_request(self, request: Inbound, connection: Connection) -> LookupRequest:
        return dialects.read_lookup(request)

    def lookup_answer(
        self, answer: Mapping[str, Any], connection: Connection, format: str | None = None
    ) -> tuple[str, bytes]:
        return dialects.write(answer, connection, dialects.chosen(connection, format))


def event_name(path: str) -> str:
    """`events/call`, `vpbx/events/call/` and `call` are the same; so are `result/route` and `vpbx/result/route`."""
    return path.strip("/").removeprefix("vpbx/").removeprefix("events/").strip("/")
