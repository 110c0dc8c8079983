"""A dialogue that we begin: with a number, or with a chat that has told nothing yet. The client's answer comes into the same."""

from __future__ import annotations

from gateway.calls.context import JobContext
from gateway.channels.intake import client_key_of
from gateway.channels.places import known_place
from gateway.store.calls.calls import lock_client
from gateway.store.channels.beginning import dialogue_with
from gateway.store.channels.channels import SavedChannel
from gateway.store.channels.dialogues import Dialogue, chat_of_number, dialogue_of_chat
from sms.channels.model import ChatTold


async def begun_dialogue(
    context: JobContext, saved: SavedChannel, *, number: str = "", chat: str = ""
) -> Dialogue:
    """Return the dialogue with this client, begun where there is none, in the caller's transaction. number: E.164; chat: the
    vendor's id of one. Until the messenger has told in which chat it is, one with a number stands under that number."""
    conn, account_id = context.conn, context.account.id
    told = ChatTold(id=chat or chat_of_number(number), phone=number)
    client_key = client_key_of(saved.id, told)
    await lock_client(conn, account_id, client_key)
    known = await dialogue_with(conn, saved.id, number=number, chat=chat)
    if known is not None:
        return known
    begun = await dialogue_of_chat(conn, account_id, saved.id, told, client_key)
    return await known_place(context, saved, begun)
