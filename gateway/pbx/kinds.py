"""Every kind of PBX that can be connected: a new vendor is a new folder and one line here."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.pbx.asterisk.adapter import AsteriskKind
from gateway.pbx.freeswitch.adapter import FreeswitchKind
from gateway.pbx.generic.adapter import GenericKind
from gateway.pbx.kamailio.adapter import KamailioKind
from gateway.pbx.kind import PbxKind
from gateway.pbx.mango.adapter import MangoKind
from gateway.pbx.ringostat.adapter import RingostatKind

KINDS: Mapping[str, PbxKind] = {
    kind.kind: kind
    for kind in (
        GenericKind(),
        RingostatKind(),
        MangoKind(),
        AsteriskKind(),
        KamailioKind(),
        FreeswitchKind(),
    )
}
