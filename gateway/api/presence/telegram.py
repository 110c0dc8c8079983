"""An employee's Telegram chat, in which the question "are you there?" is asked and answered."""

from __future__ import annotations

from datetime import UTC, datetime

from gateway.admin.presence import chats
from gateway.api.frame import Answer, ApiCall, Route


class TelegramView(Answer):
    """code_until: until then a code that was given out can be used; null = none is open."""

    is_linked: bool
    linked_at: datetime | None
    code_until: datetime | None


class TelegramCode(TelegramView):
    """code: shown this once. The employee sends `/start <code>` to the bot, from their own chat with it."""

    code: str


async def show_telegram(call: ApiCall) -> TelegramView:
    async with call.services.pool.acquire() as conn:
        found = await chats.chat_link(conn, call.account, call.path["employee"], datetime.now(UTC))
    return TelegramView(is_linked=found.is_linked, linked_at=found.linked_at, code_until=found.code_until)


async def make_telegram_code(call: ApiCall) -> TelegramCode:
    async with call.services.pool.acquire() as conn:
        found = await chats.new_code(
            conn, call.services.settings, call.account, call.path["employee"], datetime.now(UTC)
        )
    return TelegramCode(
        is_linked=found.is_linked, linked_at=found.linked_at, code_until=found.code_until, code=found.code
    )


async def unlink_telegram(call: ApiCall) -> None:
    async with call.services.pool.acquire() as conn:
        await chats.unlink(conn, call.account, call.path["employee"])


_PATH = "/v1/accounts/{account}/employees/{employee}/presence/telegram"
ROUTES = (
    Route(
        method="GET",
        path=_PATH,
        handler=show_telegram,
        summary="Whether an employee is asked by Telegram",
        role="senior_manager",
        is_ones_own=True,
    ),
    Route(
        method="POST",
        path=_PATH,
        handler=make_telegram_code,
        summary="Make a code with which an employee links their Telegram chat; it is valid for 15 minutes, once",
        role="senior_manager",
        is_ones_own=True,
        status=201,
        errors=(409,),
    ),
    Route(
        method="DELETE",
        path=_PATH,
        handler=unlink_telegram,
        summary="Ask an employee by Telegram no more",
        role="senior_manager",
        is_ones_own=True,
        status=204,
    ),
)
