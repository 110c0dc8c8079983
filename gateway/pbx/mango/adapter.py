"""MANGO OFFICE as a PbxKind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from gateway.pbx import dialects
from gateway.pbx.capabilities import (
    CampaignEngine,
    OpenCallLog,
    Originator,
    RefusedByPbx,
    Router,
    SettingType,
    TopicsSource,
)
from gateway.pbx.connection import Connection
from gateway.pbx.kind import PbxKind
from gateway.pbx.mango.callback import refused_with
from gateway.pbx.mango.campaigns import MangoCampaigns
from gateway.pbx.mango.client import MangoClient
from gateway.pbx.mango.freshness import refuse_too_old, signing_time
from gateway.pbx.mango.originator import MangoOriginator
from gateway.pbx.mango.paths import event_name
from gateway.pbx.mango.router import MangoRouter
from gateway.pbx.mango.signing import is_signed_by, read_signed
from gateway.pbx.mango.topics import MangoTopics
from gateway.pbx.mango.wire import notification_events, parse_result
from gateway.pbx.port import Inbound, Parsed, WireInvalid
from gateway.pbx.reading.payload import canonical, json_object
from gateway.pbx.reading.spoilt import read_without_spoilt
from gateway.pbx.reading.text import legible
from gateway.pbx.secret import has_valid_token


class MangoKind(PbxKind):
    """Signed notifications. There is no question before the answer: a call is sent on by `commands/route` while it dwells
    in a voice menu; the lookup endpoint serves whoever else asks for this connection, by its token."""

    kind = "mango"
    has_plain_lookup = True
    keys = ("api_key", "api_salt")
    vendor_hosts = ("app.mango-office.ru",)
    settings: ClassVar[Mapping[str, SettingType]] = {
        "base_url": "text",
        "oldest_notification_minutes": "whole",
        "routes_calls": "switch",
        "shows_client_name": "switch",
    }

    def __init__(self) -> None:
        self._topics = MangoTopics()

    def authenticate_head(self, request: Inbound, connection: Connection) -> bool | None:
        """Judge what is asked by GET, and every lookup; what is posted otherwise may be signed.

        A signature covers neither the number that is asked for nor the time: whoever overheard one would ask for ever.
        """
        may_be_signed = request.method == "POST" and request.path != "lookup"
        return None if may_be_signed else has_valid_token(request, connection)

    def authenticate(self, request: Inbound, connection: Connection) -> bool:
        """Judge the signature; a request without a signed form by the connection's token."""
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
        told = canonical({"name": name, "json": legible(form.json)})
        if name.startswith("result/"):
            if name != "result/stat":
                parse_result(name.removeprefix("result/"), form.json)
            return Parsed(canonical=told, events=())
        fields = json_object(form.json, "json") if name != "ping" or form.json.strip() else {}
        signed_at = signing_time(fields)
        refuse_too_old(signed_at, request.received_at, connection)
        events, spoilt = read_without_spoilt(
            lambda fields: notification_events(name, fields, request.received_at, connection), fields
        )
        return Parsed(canonical=told, events=events, spoilt=spoilt, signed_at=signed_at)

    def instructions(self, name: str, secret: str, url: str) -> str:
        return f"""API connector: address of the external system
  {url}
MANGO appends /events/… and /result/… itself. Key and salt of the connector go to the gateway, unless it has them already:
without them every notification is refused.
  callmatrix connection set {name} --key api_key=… --key api_salt=…
Leave a reserve in the IVR scheme: a route command may come at most once in 2 seconds."""

    def lookup_answer(
        self, answer: Mapping[str, Any], connection: Connection, format: str | None = None
    ) -> tuple[str, bytes]:
        connection = dialects.in_digits(connection)
        return dialects.write(answer, connection, dialects.chosen(connection, format))

    def call_log(self, connection: Connection) -> OpenCallLog | None:
        """Read from the vendor's statistics, with key and salt."""
        if not _is_able(connection):
            return None
        return lambda session, on_exchange: MangoClient(session, connection, on_exchange)

    def router(self) -> Router:
        return MangoRouter()

    def originator(self, connection: Connection) -> Originator | None:
        """With key and salt."""
        return MangoOriginator() if _is_able(connection) else None

    def topics(self, connection: Connection) -> TopicsSource | None:
        """With key and salt; whether the contract has a contact centre is told when it is asked."""
        return self._topics if _is_able(connection) else None

    def campaigns(self, connection: Connection) -> CampaignEngine | None:
        """As `topics`."""
        return MangoCampaigns() if _is_able(connection) else None

    def order_refused(self, code: int) -> RefusedByPbx | None:
        return refused_with(code)


def _is_able(connection: Connection) -> bool:
    return bool(connection.keys.get("api_key") and connection.keys.get("api_salt"))
