"""Delivers queued webhooks as the vendor does: at once, then its retries, and switched off after too many failures."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from time import monotonic, time
from typing import Any

import aiohttp
from aiohttp import web

from crm.sandbox.state import State
from crm.sandbox.store import SandboxRow

_AT_ONCE = 10  # deliveries under way together
_SHOWN = 1000  # bytes of an answer


def running(state: State) -> Callable[[web.Application], AsyncIterator[None]]:
    """Return a cleanup context that delivers as long as the application runs."""

    async def context(app: web.Application) -> AsyncIterator[None]:
        async with aiohttp.ClientSession() as session:
            task = asyncio.create_task(_deliver_forever(state, session))
            yield
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    return context


async def _deliver_forever(state: State, session: aiohttp.ClientSession) -> None:
    """Start what is due; a slow receiver holds up nobody else."""
    table, under_way = state.table("deliveries"), dict[int, asyncio.Task[None]]()

    def done(id: int) -> None:
        del under_way[id]
        state.deliveries_due.set()

    try:
        while True:
            state.deliveries_due.clear()
            rows = table.select(
                [("state", "=", "waiting")], order=("due_at", "asc"), limit=_AT_ONCE + len(under_way)
            )
            resting = [row for row in rows if row["id"] not in under_way]
            due = [row for row in resting if row["due_at"] <= time()][: _AT_ONCE - len(under_way)]
            for row in due:
                task = under_way[row["id"]] = asyncio.create_task(_attempt(state, session, row))
                task.add_done_callback(lambda _, id=row["id"]: done(id))  # type: ignore[misc]
            following = [row["due_at"] for row in resting if row not in due]
            wait = max(0.01, min(following) - time()) if following and len(under_way) < _AT_ONCE else None
            with suppress(asyncio.TimeoutError):
                async with asyncio.timeout(wait):
                    await state.deliveries_due.wait()
    finally:
        for task in list(under_way.values()):
            task.cancel()
        await asyncio.gather(*under_way.values(), return_exceptions=True)


async def _attempt(state: State, session: aiohttp.ClientSession, row: SandboxRow) -> None:
    id = row["webhook_id"]
    if id is not None and not _is_on(state.table("webhooks").get(id)):
        row["state"] = "dropped"
        state.table("deliveries").put(row)
        return
    started = monotonic()
    status, answer = await _post(session, row, state.profile.webhook_timeout)
    attempt = {"at": time(), "status": status, "seconds": round(monotonic() - started, 3)}
    # The action of a stage shows what it was answered in the lead's log.
    row["attempts"] = [*row["attempts"], attempt if id is not None else {**attempt, "answer": answer}]
    _schedule(state, row, status)
    state.table("deliveries").put(row)
    if id is not None:
        _count(state, id, row, attempt)


def _is_on(hook: SandboxRow | None) -> bool:
    return hook is not None and not hook["disabled"]


async def _post(session: aiohttp.ClientSession, row: SandboxRow, timeout: float) -> tuple[int, str]:
    """Return the HTTP status, 0 when there was no answer in time, and how the answer begins."""
    headers = {"Content-Type": "application/x-www-form-urlencoded", "User-Agent": "amoCRM-Webhooks/3.0"}
    try:
        async with session.post(
            row["destination"],
            data=row["form"].encode(),
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=timeout),
            allow_redirects=False,
        ) as response:
            return response.status, (await response.content.read(_SHOWN)).decode("utf-8", "replace")
    except (aiohttp.ClientError, TimeoutError, ValueError):
        return 0, ""


def _schedule(state: State, row: SandboxRow, status: int) -> None:
    """Plan the next attempt: 2 and 3 follow any failure, 4 and 5 only 499 and 5xx; a stage's action has one."""
    delays = () if row["webhook_id"] is None else state.profile.webhook_delays
    done = len(row["attempts"])
    if 100 <= status < 300:
        row["state"] = "delivered"
    elif done > len(delays) or (done >= 3 and not (status == 499 or status >= 500)):
        row["state"] = "failed"
    else:
        row["due_at"] = time() + delays[done - 1]


def _count(state: State, webhook_id: int, row: SandboxRow, attempt: dict[str, Any]) -> None:
    """Keep the last delivery visible; more than the allowed failures within the window switch the webhook off."""
    hook = state.table("webhooks").get(webhook_id)
    if hook is None:
        return
    hook["last_delivery"] = {**attempt, "setting": row["setting"], "form": row["form"]}
    if not 100 <= attempt["status"] < 300:
        since = attempt["at"] - state.profile.webhook_disable_window
        failures = [at for at in hook.get("failures", []) if at > since] + [attempt["at"]]
        hook["failures"] = failures[-1000:]
        hook["disabled"] = int(len(failures) > state.profile.webhook_disable_after)
    state.table("webhooks").put(hook)
