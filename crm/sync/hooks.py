"""Looking after our webhook: the CRM switches one off after too many failures, and people delete what they do not know."""

from __future__ import annotations

from typing import Any

import structlog

from crm.errors import CrmForbidden, CrmRefused, CrmUnpaid
from crm.lane import Lane
from crm.port import CrmWebhook
from crm.store.cursors import read_cursor, write_cursor
from crm.sync.source import Source, as_text

FEED = "webhook_registration"

log = structlog.get_logger(__name__)


async def look_after_webhook(source: Source, destination: str, lane: Lane) -> str | None:
    """Register it again where it does not work any more. What was wrong, None = nothing.

    Where the key or the plan does not allow webhooks nothing is done: polls bring what they would tell.
    """
    try:
        wrong = _wrong(await source.crm.webhooks(lane), destination)
        if wrong is not None:
            await source.crm.register_webhook(destination, lane)
            if (still := _wrong(await source.crm.webhooks(lane), destination)) is not None:
                raise CrmRefused(f"the webhook was registered again and is {still} all the same")
    except (CrmForbidden, CrmUnpaid):
        return None
    async with source.transaction() as conn:
        cursor: dict[str, Any] = await read_cursor(conn, source.account_id, FEED)
        if wrong is not None:
            cursor = {"was": wrong, "at": as_text(source.now())}
            log.warning("webhook-registered-again", account=source.account_id, was=wrong)
        await write_cursor(conn, source.account_id, FEED, cursor)
    return wrong


def _wrong(hooks: list[CrmWebhook], destination: str) -> str | None:
    ours = next((hook for hook in hooks if hook.destination == destination), None)
    if ours is None:
        return "deleted"
    if ours.is_disabled:
        return "disabled"
    return "narrowed" if ours.lacks else None
