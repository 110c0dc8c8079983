"""The last step of `init`: one lookup, or the first call of the PBX, seen to arrive."""

from __future__ import annotations

import asyncio
import socket
import time
from datetime import datetime
from typing import Any

import asyncpg

from gateway.cli.first_use.guide import FirstUse, InitOutcome
from gateway.cli.output import local
from gateway.cli.running import ask_gateway, gateway_address
from gateway.settings import Settings
from gateway.store.intake.inbox import latest_of_connection
from runtime.failure import Failure
from runtime.masking import mask_numbers

_WAIT_SECONDS = 300.0
_LOOK_SECONDS = 0.5
_ANSWER_SECONDS = 2.0


def first_call(guide: FirstUse) -> InitOutcome:
    """Look up a number, else wait for a first event."""
    talk, given = guide.talk, guide.answers
    if guide.connection is None:
        talk.say("call.no-pbx")
        return "left"
    if came_at := _latest(guide):
        assert guide.account is not None
        talk.say("call.found", at=local(came_at, guide.account.time_zone))
        return "found"
    if not talk.is_person and given.number is None and not given.wait_seconds:
        talk.say("call.left")
        return "left"
    number = given.number if given.number is not None else talk.ask("call.ask") if talk.is_person else ""
    if number:
        return _look_up(guide, number)
    if not _gateway_answers(guide) and not given.wait_seconds:
        return "left"
    return _wait(guide, given.wait_seconds or _WAIT_SECONDS)


def _gateway_answers(guide: FirstUse) -> bool:
    """Say so at once where none does: no event can arrive here. Who gave --wait may run it on another machine."""
    settings = Settings()
    host = "127.0.0.1" if settings.host == "0.0.0.0" else settings.host  # noqa: S104
    try:
        socket.create_connection((host, settings.port), _ANSWER_SECONDS).close()
    except OSError:
        guide.talk.say("call.no-gateway", address=gateway_address(settings))
        return False
    return True


def _look_up(guide: FirstUse, number: str) -> InitOutcome:
    try:
        answer = ask_gateway("/api/v1/lookup", {"phone": number, "connection": guide.connection})
    except Failure as failure:
        guide.talk.refused(failure)
        return "left"
    guide.talk.say("call.answer", caller=answer["caller"] or number, message=answer["message"])
    for target in answer.get("targets", []):
        who: dict[str, Any] = answer.get("responsible") or {}
        guide.talk.say("call.rings", address=target["address"], name=str(who.get("name", "")))
    return "done"


def _wait(guide: FirstUse, seconds: float) -> InitOutcome:
    guide.talk.say("call.wait", name=guide.connection or "", seconds=round(seconds))
    deadline = time.monotonic() + seconds

    async def wait(pool: asyncpg.Pool) -> str | None:
        while time.monotonic() < deadline:
            async with pool.acquire() as conn:
                if latest := await latest_of_connection(conn, *_whose(guide)):
                    return latest.client or "?"
            await asyncio.sleep(_LOOK_SECONDS)
        return None

    client = guide.on_pool(wait)
    if client is None:
        guide.talk.say("call.none", name=guide.connection or "")
        return "left"
    guide.talk.say("call.came", client=mask_numbers(client))
    return "done"


def _latest(guide: FirstUse) -> datetime | None:
    latest = guide.on_database(lambda conn: latest_of_connection(conn, *_whose(guide)))
    return latest.received_at if latest else None


def _whose(guide: FirstUse) -> tuple[str, str]:
    assert guide.account is not None
    assert guide.connection is not None
    return guide.account.id, guide.connection
