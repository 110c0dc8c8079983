"""The generic kind as a PbxKind."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

from gateway.pbx import dialects
from gateway.pbx.capabilities import Originator, SettingType
from gateway.pbx.connection import Connection
from gateway.pbx.generic.orders import address_of
from gateway.pbx.generic.originator import HttpOriginator
from gateway.pbx.kind import PbxKind
from gateway.pbx.port import Inbound, Parsed
from gateway.pbx.push_format import parse_push
from gateway.pbx.reading.payload import read_fields
from routing.calls.model import EventKind


class GenericKind(PbxKind):
    """newCall, answer, hangup and recording as JSON, form or query. Answers in any dialect."""

    kind = "generic"
    keys = ("originate_token",)
    settings: ClassVar[Mapping[str, SettingType]] = {
        "originate_url": "text",
        **{name: type for settings in dialects.DIALECT_SETTINGS.values() for name, type in settings.items()},
    }
    has_plain_lookup = True

    def parse(self, request: Inbound, connection: Connection) -> Parsed:
        fields = read_fields(request)
        parsed = parse_push(request, fields, connection)
        if connection.dialect not in ("sipgate", "zammad"):
            return parsed
        # These have one URL: their newCall is the question too, and sipgate's answer decides about later pushes.
        is_new = any(event.kind is EventKind.STARTED for event in parsed.events)
        return replace(
            parsed,
            asks=dialects.lookup_of(fields) if is_new else None,
            answer=dialects.write({}, connection, connection.dialect),
        )

    def originator(self, connection: Connection) -> Originator | None:
        """Where it is told where to order."""
        return HttpOriginator() if address_of(connection) else None
