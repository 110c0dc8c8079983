"""What of a connection's settings is shown: an address in them may carry a token or a password, and those are write-only."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.admin.refused import InputRefused
from runtime.masking import HIDDEN, mask_secrets


def shown_settings(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _shown(value) for name, value in settings.items()}


def told_settings(told: Mapping[str, Any], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return what is to be stored: a value that comes back as it was shown is the one that stands there.

    Raise InputRefused for one that holds the mask and is no such value: the secret itself would be lost.
    """
    return {name: _told(name, value, stored.get(name)) for name, value in told.items()}


def _shown(value: Any) -> Any:
    if isinstance(value, list):
        return [_shown(part) for part in value]
    return mask_secrets(value) if isinstance(value, str) else value


def _told(name: str, value: Any, stored: Any) -> Any:
    if stored is not None and value == _shown(stored):
        return stored
    if f"{HIDDEN}" in str(value) and _shown(value) == value and value != stored:
        remedy = "write the value out, with its secret"
        raise InputRefused("settings", f"{name} holds {HIDDEN} where a secret stands", remedy)
    return value
