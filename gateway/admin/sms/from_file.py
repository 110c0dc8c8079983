"""SMS providers as a configuration file brings them: without keys, which nobody writes into a file."""

from __future__ import annotations

from typing import Any

from gateway.admin.config_document import (
    ConfigDocument,
    ConfigRefused,
    DocumentProblem,
    SmsPart,
    refuse_twice,
)
from gateway.admin.connections import sends_keys_elsewhere
from gateway.admin.distribution.from_file import Warn
from gateway.admin.protection.allowed import Allowed
from gateway.admin.protection.shown_settings import told_settings
from gateway.admin.refused import InputRefused
from gateway.admin.sms.connections import (
    SmsConnectionOrder,
    add_sms_connection,
    change_sms_connection,
    remove_sms_connection,
)
from gateway.store.sms.connections import SavedSmsConnection, sms_connections
from runtime.database.pool import Conn
from sms.kinds import SMS_KINDS


async def take_sms(
    conn: Conn, account_id: str, document: ConfigDocument, allowed: Allowed, warn: Warn
) -> None:
    """Add and change as the API would, in the caller's transaction; what the file does not name stays, and is told of. Raises
    ConfigRefused."""
    if document.sms is None:
        return
    refuse_twice("sms", [part.name for part in document.sms])
    stored = {saved.name: saved for saved in await sms_connections(conn, account_id)}
    for position, part in enumerate(document.sms):
        try:
            saved = await _take(conn, account_id, part, stored.pop(part.name, None), allowed)
        except InputRefused as err:
            where = f"sms.{position} «{part.name}».{err.field}"
            raise ConfigRefused([DocumentProblem(where, err.message, err.remedy, err.code)]) from err
        if lacks := SMS_KINDS[part.kind].missing(saved.connection):
            warn("sms-lacks", name=part.name, names=", ".join(lacks))
    for name in stored:
        warn("sms-stays", name=name)


async def _take(
    conn: Conn, account_id: str, part: SmsPart, now: SavedSmsConnection | None, allowed: Allowed
) -> SavedSmsConnection:
    if (
        now is not None and now.connection.kind != part.kind
    ):  # another provider, whose keys and address are others
        await remove_sms_connection(conn, account_id, part.name, even_if_used=True)
        now = None
    if now is None:
        order = SmsConnectionOrder(name=part.name, kind=part.kind, sender=part.sender, settings=part.settings)
        now = await add_sms_connection(conn, account_id, order, allowed)
    changes: dict[str, Any] = {"sender": part.sender, "settings": part.settings, "is_on": part.is_on}
    settings = told_settings(part.settings, now.connection.settings)
    if (now.sender, now.connection.settings, now.is_on) == (part.sender, settings, part.is_on):
        return now
    if sends_keys_elsewhere(now.connection, settings):
        changes["keys"] = {}  # a file holds none: they are given anew for the new address
    return await change_sms_connection(conn, account_id, part.name, changes, allowed)
