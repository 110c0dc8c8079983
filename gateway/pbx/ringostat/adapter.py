"""Ringostat as a PbxKind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import orjson

from gateway.pbx import dialects
from gateway.pbx.capabilities import OpenCallLog, Originator, SettingType
from gateway.pbx.connection import Connection
from gateway.pbx.kind import PbxKind
from gateway.pbx.port import Inbound, LookupRequest, Parsed, WireInvalid
from gateway.pbx.reading.payload import header, read_fields
from gateway.pbx.reading.spoilt import canonical_of, read_without_spoilt
from gateway.pbx.ringostat.callback import project_of
from gateway.pbx.ringostat.client import RingostatLog
from gateway.pbx.ringostat.originator import RingostatOriginator
from gateway.pbx.ringostat.wire import ALIASES, Fields, moment_of, webhook_events
from gateway.pbx.secret import has_valid_token


class RingostatKind(PbxKind):
    """Webhooks are sent once and never again: what is lost is fetched from the call log."""

    kind = "ringostat"
    orders_carry_ids = False
    keys = ("auth_key",)
    vendor_hosts = ("api.ringostat.net",)
    settings: ClassVar[Mapping[str, SettingType]] = {
        "base_url": "text",
        "calls_list_fields": "text",
        "call_id_field": "text",
        "project_id": "text",
        **dialects.DIALECT_SETTINGS["ringostat"],
    }

    def authenticate_head(self, request: Inbound, connection: Connection) -> bool | None:
        """`?token=` in the URL, Bearer, or an `Auth-Key` header (seen in use, not documented)."""
        return has_valid_token(request, connection) or connection.knows(header(request, "Auth-Key") or "")

    def parse(self, request: Inbound, connection: Connection) -> Parsed:
        fields = read_fields(request)
        flat, of_data = read_without_spoilt(lambda told: Fields(told).raw, fields)
        kind, of_moment = read_without_spoilt(lambda told: moment_of(told, request.path), flat)
        events, of_rest = read_without_spoilt(
            lambda told: webhook_events(kind, told, request.received_at, connection), flat
        )
        spoilt = tuple(dict.fromkeys([*of_data, *of_moment, *of_rest]))
        return Parsed(canonical=canonical_of(request, fields), events=events, spoilt=spoilt)

    def lookup_request(self, request: Inbound, connection: Connection) -> LookupRequest:
        """Read the three ways of submitting data: query (`http`), JSON object, JSON-RPC (fields under `params`)."""
        try:
            raw = read_fields(request)
        except WireInvalid:
            raw = dict(request.query)
        params = raw.get("params")
        if isinstance(params, list) and params and isinstance(params[0], Mapping):
            params = params[0]
        try:
            fields = Fields({**raw, **params} if isinstance(params, Mapping) else raw).raw
        except WireInvalid:
            fields = raw
        phone = next((fields[name] for name in ("phone", *ALIASES["caller"]) if fields.get(name)), None)
        did = next((fields[name] for name in ("did", *ALIASES["called"]) if fields.get(name)), None)
        return dialects.lookup_of({**fields, "phone": phone, "did": did})

    def lookup_answer(
        self, answer: Mapping[str, Any], connection: Connection, format: str | None = None
    ) -> tuple[str, bytes]:
        """Write the bare address (import type `http`) or one key (import type `json`); plain JSON carries that key as well."""
        connection = dialects.in_digits(connection)
        dialect = dialects.chosen(connection, format)
        if dialect == "json":
            keyed = orjson.loads(dialects.write(answer, connection, "ringostat")[1])
            return dialects.write({**keyed, **answer}, connection, "json")
        return dialects.write(answer, connection, dialect)

    def instructions(self, name: str, secret: str, url: str) -> str:
        return f"""Webhooks (integrations → webhooks; moments: before call, on answer, after call; method POST, JSON or form):
  {url}/events/before?token={secret}
  {url}/events/answer?token={secret}
  {url}/events/after?token={secret}
Webhook number (forwarding scheme → step before the reserve direction; import type http):
  {url}/lookup?token={secret}      parameter: phone = caller number
Keep a reserve direction after this step: it is used when the answer is empty or late."""

    def call_log(self, connection: Connection) -> OpenCallLog | None:
        """Read with the key of the API."""
        if not connection.keys.get("auth_key"):
            return None
        return lambda session, on_exchange: RingostatLog(session, connection, on_exchange)

    def originator(self, connection: Connection) -> Originator | None:
        """With the key of the API and the project's number."""
        is_able = connection.keys.get("auth_key") and project_of(connection)
        return RingostatOriginator() if is_able else None
