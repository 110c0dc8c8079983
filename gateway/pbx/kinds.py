"""Every kind of PBX that can be connected: a new vendor is a new folder and one line here."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.pbx.asterisk.adapter import AsteriskKind
from gateway.pbx.freeswitch.adapter import FreeswitchKind
from gateway.pbx.generic.adapter import GenericKind
from gateway.pbx.kamailio.adapter import KamailioKind
from gateway.pbx.mango.adapter import MangoKind
from gateway.pbx.port import PbxKind
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

# How a new connection's answers are written unless it says otherwise.
DEFAULT_DIALECTS: Mapping[str, str] = {
    "generic": "json",
    "ringostat": "json",
    "mango": "json",
    "asterisk": "json",
    "kamailio": "rtjson",
    "freeswitch": "freeswitch",
}

# The secrets by name that a connection of the kind has besides its token.
KEYS: Mapping[str, tuple[str, ...]] = {
    "mango": ("api_key", "api_salt"),
    "asterisk": ("ami_secret",),
    "ringostat": ("auth_key",),
}
