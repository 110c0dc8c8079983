"""A client who has no number is forgotten by channel and chat."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gateway.admin.channels.channels import channel_of
from gateway.admin.protection.forget_client import ClientBusy
from gateway.admin.refused import InputRefused
from gateway.store.admin import personal_data as store
from gateway.store.admin.audit import AuditChange, record
from gateway.store.admin.personal_data import ClientData
from gateway.store.channels.dialogues import forget_chat_of
from gateway.store.channels.updates import keys_of_chats
from runtime.database import locks
from runtime.database.pool import Conn


async def forget_chat(conn: Conn, account_id: str, channel: str, chat: str) -> ClientData:
    """Return what was kept of the client until now. channel: its id or name; chat: the messenger's id of it. Raise InputRefused;
    nothing is changed then."""
    async with conn.transaction():
        saved = await channel_of(conn, account_id, channel)
        client = (await keys_of_chats(conn, {(saved.id, chat)})).get((saved.id, chat))
        if client is None:
            raise InputRefused("chat", f"there is no chat '{chat}' in '{saved.name}'", "see GET …/dialogues")
        if client.startswith("+"):
            raise InputRefused(
                "chat", "this client is known by a number", f"callmatrix client forget {client}"
            )
        await locks.take(conn, locks.client(account_id, client))
        kept = await store.client_data(conn, account_id, client)
        if kept.open_work:
            raise ClientBusy(kept.open_work)
        now = datetime.now(UTC) + timedelta(days=1)
        await store.drop_decisions(conn, account_id, now, client=client, limit=kept.decisions + 1)
        await store.empty_effects(conn, account_id, now, client=client, limit=kept.effects + 1)
        await forget_chat_of(conn, account_id, client)
        change = AuditChange(what="client", object=saved.name, action="forgotten", account_id=account_id)
        await record(conn, change)
        return kept
