"""Kamailio as a PbxKind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from gateway.pbx.capabilities import SettingType
from gateway.pbx.connection import Connection
from gateway.pbx.dialects import DIALECT_SETTINGS
from gateway.pbx.kamailio.wire import generic_fields
from gateway.pbx.kind import PbxKind
from gateway.pbx.port import Inbound, Parsed
from gateway.pbx.push_format import parse_event
from gateway.pbx.reading.payload import read_fields
from gateway.pbx.reading.spoilt import parsed_of


class KamailioKind(PbxKind):
    """Plain JSON or an rtjson document, as the connection's dialect says; `format=rtjson` asks for the latter."""

    kind = "kamailio"
    settings: ClassVar[Mapping[str, SettingType]] = DIALECT_SETTINGS["rtjson"]
    has_plain_lookup = True
    default_dialect = "rtjson"

    def parse(self, request: Inbound, connection: Connection) -> Parsed:
        return parsed_of(
            request,
            read_fields(request),
            lambda told: parse_event(generic_fields(told, request.path), "", request.received_at, connection),
        )

    def instructions(self, name: str, secret: str, url: str) -> str:
        return f"""kamailio.cfg (whole recipe: deploy/pbx/kamailio):
  http_client_query("{url}/lookup?format=rtjson&phone=$(fU{{s.escape.param}})&did=$rU&call_id=$ci",
                    "", "Authorization: Bearer {secret}", "$var(answer)")"""
