"""PBX connections as a person orders them."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.pbx.kind import PbxKind
from gateway.pbx.kinds import KINDS


def pbx_instructions(
    kind: str, name: str, secret: str, base_url: str, kinds: Mapping[str, PbxKind] = KINDS
) -> str:
    """base_url: how the PBX reaches the gateway. The secret stands in the text: show it once, never log it."""
    return kinds[kind].instructions(name, secret, f"{base_url.rstrip('/')}/pbx/{name}")
