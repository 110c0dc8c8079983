"""Dialogues in the CRM's own chats: set up, switched, and how it fares."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from pydantic import Field

from gateway.admin.channels import crm_chats
from gateway.admin.channels.crm_chats import CrmChatsState
from gateway.admin.refused import NothingOfThatName
from gateway.api.frame import Answer, AnyCall, ApiCall, Body, NoQuery, Route, not_found
from runtime.database.pool import Conn

_Given = Annotated[str, Field(max_length=200)]


class CrmChatsChange(Body):
    """What is absent stays as it is. channel_id, secret, bot_id: as the CRM's support gave them; the secret is never shown again.
    amojo_id: the account's id in the chats, empty = the CRM is asked."""

    channel_id: _Given = ""
    secret: _Given = ""
    bot_id: _Given = ""
    amojo_id: _Given = ""
    is_on: bool = False


class CrmChatsAnswer(Answer):
    """hook_url: the address for the CRM's support, `:scope_id` as it stands. error: `code: words`, empty = none. waiting: messages that
    are not shown yet; dead: that could not be; refused: what was written in cards and not sent, of the last days."""

    state: CrmChatsState
    is_on: bool
    hook_url: str
    channel_id: str
    bot_id: str
    amojo_id: str
    has_secret: bool
    connected_at: datetime | None
    error: str
    error_at: datetime | None
    waiting: int
    dead: int
    refused: int


class CrmChatsRetried(Answer):
    """messages: how many are tried again."""

    messages: int


async def show_crm_chats(call: ApiCall) -> CrmChatsAnswer:
    async with call.services.pool.acquire() as conn:
        return await _view(conn, call)


async def change_crm_chats(call: ApiCall[NoQuery, CrmChatsChange]) -> CrmChatsAnswer:
    async with call.services.pool.acquire() as conn:
        changes = call.body.model_dump(exclude_unset=True)
        await crm_chats.change_crm_chats(conn, call.account.id, changes)
        return await _view(conn, call)


async def remove_crm_chats(call: ApiCall) -> None:
    async with call.services.pool.acquire() as conn:
        try:
            await crm_chats.remove_crm_chats(conn, call.account.id)
        except NothingOfThatName as err:
            raise not_found("connection with the CRM's chats", call.account.id) from err


async def retry_crm_chats(call: ApiCall) -> CrmChatsRetried:
    async with call.services.pool.acquire() as conn:
        return CrmChatsRetried(messages=await crm_chats.retry_crm_chats(conn, call.account.id))


async def _view(conn: Conn, call: AnyCall) -> CrmChatsAnswer:
    view = await crm_chats.crm_chats_view(conn, call.account.id, call.services.settings.base_url)
    return CrmChatsAnswer(**asdict(view))


_PATH = "/v1/accounts/{account}/crm-chats"
ROUTES = (
    Route(
        method="GET",
        path=_PATH,
        handler=show_crm_chats,
        summary="How dialogues show in the CRM's own chats",
        role="senior_manager",
    ),
    Route(
        method="PATCH",
        path=_PATH,
        handler=change_crm_chats,
        summary="Set up the CRM's own chats, or switch them; the secret is never shown again",
    ),
    Route(
        method="DELETE",
        path=_PATH,
        handler=remove_crm_chats,
        summary="Forget how the CRM's chats are reached; they must be off",
    ),
    Route(
        method="POST",
        path=_PATH + "/retry",
        handler=retry_crm_chats,
        summary="Show what could not be shown in the CRM's chats after all",
    ),
)
