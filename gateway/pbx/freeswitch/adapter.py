"""FreeSWITCH as a PbxKind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from gateway.pbx import dialects
from gateway.pbx.capabilities import Originator, SettingType
from gateway.pbx.connection import Connection
from gateway.pbx.freeswitch.originate.esl_link import address_of
from gateway.pbx.freeswitch.originate.orders import gateway_of
from gateway.pbx.freeswitch.originate.originator import EslOriginator
from gateway.pbx.freeswitch.wire import parse_cdr, read_cdr
from gateway.pbx.kind import PbxKind
from gateway.pbx.port import Inbound, LookupRequest, Parsed, WireInvalid
from gateway.pbx.push_format import parse_push
from gateway.pbx.reading.payload import canonical, read_fields
from gateway.pbx.reading.spoilt import read_without_spoilt
from gateway.pbx.secret import has_valid_token


class FreeswitchKind(PbxKind):
    """Final reports by mod_json_cdr; what happens before them in the generic format by the recipe's `curl` actions."""

    kind = "freeswitch"
    keys = ("esl_password",)
    settings: ClassVar[Mapping[str, SettingType]] = {
        "esl_host": "text",
        "esl_port": "port",
        "originate_gateway": "text",
        "originate_domain": "text",
        **dialects.DIALECT_SETTINGS["freeswitch"],
    }
    default_dialect = "freeswitch"

    def authenticate_head(self, request: Inbound, connection: Connection) -> bool | None:
        """mod_xml_curl's `gateway-credentials` arrive as Basic; `?token=` works in every URL."""
        return has_valid_token(request, connection)

    def parse(self, request: Inbound, connection: Connection) -> Parsed:
        cdr = read_cdr(request)
        if cdr is not None:
            events, spoilt = read_without_spoilt(
                lambda told: parse_cdr(told, request.received_at, connection), cdr
            )
            return Parsed(canonical=canonical(cdr), events=events, spoilt=spoilt)
        return parse_push(request, read_fields(request), connection)

    def lookup_request(self, request: Inbound, connection: Connection) -> LookupRequest:
        """mod_xml_curl asks for directory and configuration too: those are questions about nobody, answered "not found"."""
        try:
            section = str(read_fields(request).get("section") or "dialplan")
        except WireInvalid:
            section = "dialplan"
        asked = dialects.read_lookup(request)
        return asked if section == "dialplan" else LookupRequest(format=asked.format)

    def lookup_answer(
        self, answer: Mapping[str, Any], connection: Connection, format: str | None = None
    ) -> tuple[str, bytes]:
        return dialects.write(answer, connection, dialects.chosen(connection, format, xml="freeswitch"))

    def instructions(self, name: str, secret: str, url: str) -> str:
        return f"""xml_curl.conf.xml (whole recipe: deploy/pbx/freeswitch):
  <param name="gateway-url" value="{url}/lookup?format=xml&amp;token={secret}" bindings="dialplan"/>
  <param name="timeout" value="1"/>
json_cdr.conf.xml:
  <param name="url" value="{url}/events?token={secret}"/>
  <param name="encode-values" value="false"/>"""

    def originator(self, connection: Connection) -> Originator | None:
        """Return the event socket, where its address is set and the gateway that reaches the client."""
        is_able = address_of(connection) is not None and gateway_of(connection)
        return EslOriginator() if is_able else None
