"""The settings that a connection may have: of any kind how numbers are read and calls read back; those of one kind stand in its
adapter.py, those of one form of answer in dialects.py."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.pbx.capabilities import SettingType
from gateway.pbx.dialects import DIALECT_SETTINGS
from gateway.pbx.kind import PbxKind

COMMON_SETTINGS: Mapping[str, SettingType] = {
    # reading
    "time_zone": "time zone",
    "extension_digits": "whole",
    "machines": "list",
    "recording_hosts": "list",
    "refuses_query_token": "switch",
    # answering
    "number_spelling": "number spelling",
    # reading back
    "reconcile": "switch",
    "reconcile_overlap_minutes": "whole",
}


def settings_of(kind: PbxKind, dialect: str | None) -> Mapping[str, SettingType]:
    """Return all that a connection reads which is of this kind and answers so. dialect: None = the kind's own."""
    spoken = DIALECT_SETTINGS.get(dialect or kind.default_dialect, {})
    return {**COMMON_SETTINGS, **spoken, **kind.settings}
