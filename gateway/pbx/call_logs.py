"""Which connections can be asked for their calls, and how: a visible table."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import aiohttp

from gateway.pbx.asking import NoteExchange
from gateway.pbx.asterisk.cdr_csv import CdrCsv
from gateway.pbx.call_log import CallLog
from gateway.pbx.connection import Connection
from gateway.pbx.mango.client import MangoClient
from gateway.pbx.ringostat.client import RingostatLog

Open = Callable[[aiohttp.ClientSession, Connection, NoteExchange | None], CallLog]

_OPEN: Mapping[str, Open] = {
    "ringostat": RingostatLog,
    "mango": MangoClient,
    "asterisk": lambda _session, connection, _note: CdrCsv(connection),
}


def can_be_asked(connection: Connection) -> bool:
    """What the kind needs to be asked is set, and nobody switched it off (setting `reconcile`)."""
    if not connection.is_on or not connection.switch("reconcile", True):
        return False
    match connection.kind:
        case "ringostat":
            return bool(connection.keys.get("auth_key"))
        case "mango":
            return bool(connection.keys.get("api_key") and connection.keys.get("api_salt"))
        case "asterisk":
            return bool(connection.settings.get("cdr_csv"))
    return False


def open_log(
    session: aiohttp.ClientSession, connection: Connection, on_exchange: NoteExchange | None = None
) -> CallLog:
    return _OPEN[connection.kind](session, connection, on_exchange)
