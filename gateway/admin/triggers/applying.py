"""What a person orders of a whole stage: a trigger applied to the deals that stand there now."""

from __future__ import annotations

import secrets
from datetime import timedelta

from gateway.admin.refused import InputRefused
from gateway.admin.triggers.saved import refuse_others, the_trigger
from gateway.store.admin.accounts import lock_account
from gateway.store.triggers.triggers import SavedTrigger
from gateway.store.worker import long_tasks
from gateway.store.worker.long_tasks import LongTask
from gateway.triggers.applying import WORK, ApplyPreview, preview
from runtime.database.pool import Conn, database_now

_ONE_PRESS = timedelta(minutes=10)
"""Whoever presses again within it means the same: a hand that slipped, or another admin with the same thought."""


class TriggerIsOff(InputRefused):
    """A trigger that is off fires for nothing, and so cannot be applied."""

    code = "trigger-off"

    def __init__(self, name: str) -> None:
        super().__init__("trigger", f"trigger '{name}' is off", "switch it on first")


async def preview_apply(conn: Conn, account_id: str, name: str, *, show: int = 0) -> ApplyPreview:
    """Say what would come of it, and of the first deals one by one. Raise NothingOfThatName."""
    return await preview(conn, account_id, (await the_trigger(conn, account_id, name)).trigger, show=show)


async def apply_trigger(conn: Conn, account_id: str, name: str, *, by: str) -> LongTask:
    """Fire for every deal that stands there, as long work; one that was asked for a moment ago is that one. Raise
    NothingOfThatName, TriggerIsOff, TooMuchWork."""
    async with conn.transaction():
        await lock_account(conn, account_id)
        saved = await the_trigger(conn, account_id, name)
        await refuse_others(conn, account_id, saved.trigger)
        if not saved.trigger.is_on:
            raise TriggerIsOff(name)
        now = await database_now(conn)
        for task in await long_tasks.all_work(conn, account_id, WORK):
            is_same = _is_of(task, saved) and task.state not in ("failed", "cancelled")
            if is_same and task.created_at > now - _ONE_PRESS:
                return task
        asked = {"trigger": name, "version": saved.version, "press": secrets.token_hex(8)}
        return await long_tasks.ask(conn, account_id, WORK, asked, by)


def _is_of(task: LongTask, saved: SavedTrigger) -> bool:
    """Whether it applies this very version: whoever changed the trigger since means another thing."""
    return task.asked["trigger"] == saved.name and task.asked.get("version") == saved.version
