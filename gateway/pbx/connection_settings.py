"""The settings that a connection of any kind may have: of how numbers are read, answers written and calls read back."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.pbx.capabilities import SettingType

COMMON_SETTINGS: Mapping[str, SettingType] = {
    # reading
    "time_zone": "time zone",
    "extension_digits": "whole",
    "machines": "list",
    "call_id_field": "text",
    # answering
    "number_spelling": "number spelling",
    "events_url": "text",
    "context": "text",
    "bridge": "text",
    "phone_bridge": "text",
    "fallback": "text",
    "sip_uri": "text",
    "domain": "text",
    "answer_key": "text",
    # reading back
    "reconcile": "switch",
    "reconcile_overlap_minutes": "whole",
}
