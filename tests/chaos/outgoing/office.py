"""An account whose deals ring and write: what an administrator sets up for it, and its clients' deals as they move."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import Any

from crm.sandbox.seed import LEADS, OPEN_STAGES, PIPELINE
from gateway.store.sms.connections import add_sms_connection
from gateway.store.triggers.triggers import save_trigger
from routing.outbound.retries import RetryRule, RetryTable
from routing.outbound.settings import OutboundSettings
from routing.outbound.windows import CallingHours
from routing.settings import AccountSettings, CallPolicy
from routing.triggers.model import (
    CallBack,
    SendSms,
    StagePlace,
    ToGroup,
    ToResponsible,
    Trigger,
    TriggerEvent,
)
from runtime.database.pool import Conn
from sms.port import SmsConnection
from tests.chaos.outgoing.calling_pbx import GROUP, LINE
from tests.chaos.outgoing.texting_provider import ANSWER_SECONDS

PBX, PROVIDER = "dialled", "texts"
REPORT_SECRET = "report-address-of-the-test"
SIGNED_WITH = "report-signature-of-the-test"
START, RINGS, WRITES = OPEN_STAGES
_SECOND_PIPELINE = 5000002
RINGS_GROUP, REACHED, NOT_REACHED = 5000022, 5000023, 5000024
"""Of the second pipeline."""
_NONE, _ONCE = RetryRule(minutes=0, most=0), RetryRule(minutes=0, most=1)

Act = Callable[[dict[str, Any]], Awaitable[Any]]


def outbound_settings(rate: int) -> OutboundSettings:
    """Retries at once, so that a run sees them."""
    return OutboundSettings(
        rate=rate,
        queue_most=10_000,
        hours=CallingHours(opens="00:00", closes="24:00"),
        ring_seconds=5,
        client_ring_seconds=5,
        retries=RetryTable(
            client_busy=_ONCE, client_no_answer=_NONE, client_declined=_NONE, client_unreachable=_NONE,
            operator=RetryRule(minutes=0, most=2), operator_hung_up=_ONCE,
        ),
    )  # fmt: skip


def account_settings(rate: int, calls: CallPolicy) -> AccountSettings:
    return AccountSettings(calls=calls, outbound=outbound_settings(rate))


def report_path(account: str) -> str:
    return f"/sms/{account}/{PROVIDER}/{REPORT_SECRET}"


async def set_up(conn: Conn, account: str, pbx_url: str, provider_url: str) -> None:
    """Say where the telephone system takes orders, connect the provider, and save the triggers."""
    async with conn.transaction():
        await conn.execute(
            "UPDATE connection SET settings = $3 WHERE account_id = $1 AND name = $2",
            account, PBX, {"originate_url": f"{pbx_url}/calls"},
        )  # fmt: skip
        provider = SmsConnection(
            account_id=account, id=f"{account}/{PROVIDER}", name=PROVIDER, kind="smsc",
            keys={"password": "hush", "report_secret": SIGNED_WITH},
            settings={"login": "demo", "base_url": provider_url, "answer_seconds": str(ANSWER_SECONDS)},
        )  # fmt: skip
        await add_sms_connection(conn, provider, sender=None, report_secret=REPORT_SECRET)
        for trigger in (
            _trigger("ring-responsible", PIPELINE, RINGS, _call_back(ToResponsible())),
            _trigger("ring-group", _SECOND_PIPELINE, RINGS_GROUP, _call_back(ToGroup(group=GROUP))),
            _trigger(
                "write", PIPELINE, WRITES, SendSms(template="Сделка {{deal.id}}: ждём вас", provider=PROVIDER)
            ),
        ):
            await save_trigger(conn, account, trigger, "chaos")


def _call_back(target: ToResponsible | ToGroup) -> CallBack:
    return CallBack(
        target=target, connection=PBX, line=LINE, failed_stage=_place(NOT_REACHED), succeeded_stage=_place(REACHED),
    )  # fmt: skip


def _place(stage: int) -> StagePlace:
    return StagePlace(pipeline_id=str(_SECOND_PIPELINE), stage_id=str(stage))


def _trigger(name: str, pipeline: int, stage: int, action: CallBack | SendSms) -> Trigger:
    return Trigger(
        name=name, pipeline_id=str(pipeline), stage_id=str(stage), events=(TriggerEvent(on="entered"),), action=action,
        is_on=True,
    )  # fmt: skip


class Deals:
    """The deals that the sandbox is seeded with, one of each client, moved one after the other to where their trigger waits.
    rung, written: ids of those that were moved to be rung or written to."""

    def __init__(self, seed: int, act: Act) -> None:
        self._random, self._act = random.Random(f"deals {seed}"), act
        self.rung: list[int] = []
        self.written: list[int] = []

    @property
    def moved(self) -> int:
        return len(self.rung) + len(self.written)

    async def move(self, rings: bool) -> None:
        """The next deal that stands untouched at the start."""
        deal = LEADS + 3 * (self.moved + 1)
        if not rings:
            pipeline, stage = PIPELINE, WRITES
            self.written.append(deal)
        elif self._random.random() < 0.5:
            pipeline, stage = PIPELINE, RINGS
            self.rung.append(deal)
        else:
            pipeline, stage = _SECOND_PIPELINE, RINGS_GROUP
            self.rung.append(deal)
        await self._act(
            {"do": "set_status", "kind": "deal", "id": deal, "status": stage, "pipeline": pipeline}
        )

    async def keep_moving(
        self, every: float, most: int, is_enough: Callable[[], bool], is_too_much: Callable[[], bool]
    ) -> None:
        """Two to be rung, then one to be written to, and so on. every: seconds between two. is_too_much: whether so many wait
        already that another one would only wait too."""
        while not is_enough() and self.moved < most:
            began = time.monotonic()
            if not is_too_much():
                await self.move(rings=self.moved % 3 != 2)
            await asyncio.sleep(max(0.0, began + every - time.monotonic()))
