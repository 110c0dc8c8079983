"""Every kind of PBX that can be connected: a new vendor is a new folder and one line here."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.pbx.generic.adapter import GenericKind
from gateway.pbx.port import PbxKind

KINDS: Mapping[str, PbxKind] = {kind.kind: kind for kind in (GenericKind(),)}
