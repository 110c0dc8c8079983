"""What the demo shows of what goes out: a stage that calls the client back, by a PBX that rings nobody, and one that writes to
them, by a provider that sends nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import aiohttp
import asyncpg

from gateway.admin.accounts import save_settings
from gateway.admin.sms.connections import SmsConnectionOrder, add_sms_connection
from gateway.demo.data import ACCOUNT, ORDERS_AT, SECRET
from gateway.demo.pipelines import headers_of, pipeline_of, stage_ids
from gateway.store.admin.accounts import account as account_of
from gateway.store.admin.accounts import change_connection, connections
from gateway.store.sms.connections import sms_connection
from gateway.store.triggers.triggers import save_trigger, trigger_of
from routing.outbound.settings import OutboundSettings
from routing.outbound.windows import CallingHours
from routing.triggers.model import CallBack, SendSms, StagePlace, Trigger, TriggerEvent
from runtime.database.pool import Conn

PIPELINE = "Перезвоны"
NEW, CALL, TALKED, FAILED = STAGES = ("Заявки", "Перезвонить", "Поговорили", "Не дозвонились")
TRIGGER, TEXT_TRIGGER = "перезвонить", "написать"
TEXTS_BY = "texts"
OWNER = "manager107@demo.example"
CLIENTS = {"возьмёт трубку": "+79005550121", "занято": "+79005550127", "не ответит": "+79005550128"}

_BY = "demo"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoCallBacks:
    """Ids in the CRM. deals: by what their client does."""

    pipeline: int
    call: int
    talked: int
    failed: int
    deals: dict[str, int]


async def prepare_calls(session: aiohttp.ClientSession, sandbox_url: str) -> DemoCallBacks:
    """Make the pipeline in the CRM, with deals whose clients can be called; one that is there stays as it is."""
    pipeline, is_new = await pipeline_of(session, sandbox_url, PIPELINE, STAGES)
    ids = stage_ids(pipeline)
    if is_new:
        async with session.get(f"{sandbox_url}/_sandbox/state?kind=user") as response:
            owner = {row["email"]: row["id"] for row in (await response.json())["rows"]}[OWNER]
        await _add_deals(session, sandbox_url, pipeline["id"], ids[NEW], owner)
    async with session.get(f"{sandbox_url}/_sandbox/state?kind=deal") as response:
        rows = (await response.json())["rows"]
    deals = {row["name"]: row["id"] for row in rows if row["pipeline_id"] == pipeline["id"]}
    return DemoCallBacks(
        pipeline=pipeline["id"], call=ids[CALL], talked=ids[TALKED], failed=ids[FAILED], deals=deals
    )


async def _add_deals(
    session: aiohttp.ClientSession, sandbox_url: str, pipeline: int, stage: int, owner: int
) -> None:
    """In two requests, since the CRM takes few in a second."""
    contacts = [
        {
            "name": f"Клиент: {does}",
            "custom_fields_values": [
                {"field_code": "PHONE", "values": [{"value": number, "enum_code": "WORK"}]}
            ],
        }
        for does, number in CLIENTS.items()
    ]
    made = await _posted(session, sandbox_url, "contacts", contacts)
    where = {"pipeline_id": pipeline, "status_id": stage, "responsible_user_id": owner}
    deals = [
        {"name": does, **where, "_embedded": {"contacts": [{"id": contact["id"], "is_main": True}]}}
        for does, contact in zip(CLIENTS, made, strict=True)
    ]
    await _posted(session, sandbox_url, "leads", deals)


async def _posted(
    session: aiohttp.ClientSession, sandbox_url: str, kind: str, rows: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    headers = await headers_of(session, sandbox_url)
    async with session.post(f"{sandbox_url}/api/v4/{kind}", headers=headers, json=rows) as response:
        response.raise_for_status()
        made: list[dict[str, Any]] = (await response.json())["_embedded"][kind]
        return made


async def prepare_trigger(pool: asyncpg.Pool, made: DemoCallBacks, pbx_url: str) -> None:
    """Make the trigger at the first start only: later it is as whoever tries it has left it. pbx_url: where the PBX takes orders
    now."""
    async with pool.acquire() as conn, conn.transaction():
        (now,) = (one for one in await connections(conn, ACCOUNT) if one.name == ORDERS_AT)
        settings, keys = {**now.settings, "originate_url": pbx_url}, {**now.keys, "originate_token": SECRET}
        await change_connection(conn, ORDERS_AT, settings=settings, keys=keys)
        if await trigger_of(conn, ACCOUNT, TRIGGER) is None:
            await _prepare(conn, made)
        if await trigger_of(conn, ACCOUNT, TEXT_TRIGGER) is None:
            await _prepare_texts(conn, made)


async def _prepare(conn: Conn, made: DemoCallBacks) -> None:
    settings = (await account_of(conn, ACCOUNT)).settings
    outbound = OutboundSettings(
        rate=60, recall_gap_minutes=0, hours=CallingHours(opens="00:00", closes="24:00")
    )
    await save_settings(conn, ACCOUNT, settings.model_copy(update={"outbound": outbound}))
    pipeline = str(made.pipeline)
    action = CallBack(
        connection=ORDERS_AT,
        succeeded_stage=StagePlace(pipeline_id=pipeline, stage_id=str(made.talked)),
        failed_stage=StagePlace(pipeline_id=pipeline, stage_id=str(made.failed)),
    )
    trigger = Trigger(
        name=TRIGGER,
        pipeline_id=pipeline,
        stage_id=str(made.call),
        events=(TriggerEvent(on="entered"),),
        action=action,
        is_on=True,
    )
    await save_trigger(conn, ACCOUNT, trigger, _BY)


async def _prepare_texts(conn: Conn, made: DemoCallBacks) -> None:
    if await sms_connection(conn, ACCOUNT, TEXTS_BY) is None:
        await add_sms_connection(conn, ACCOUNT, SmsConnectionOrder(name=TEXTS_BY, kind="sandbox"))
    text = "{{maincontact.name}}, спасибо за разговор! Ваш менеджер {{user.name}}, доб. {{user.phone}}"
    trigger = Trigger(
        name=TEXT_TRIGGER,
        pipeline_id=str(made.pipeline),
        stage_id=str(made.talked),
        events=(TriggerEvent(on="entered"),),
        action=SendSms(template=text, provider=TEXTS_BY, any_hour=True),
        is_on=True,
    )
    await save_trigger(conn, ACCOUNT, trigger, _BY)


def things_to_try(url: str, sandbox_url: str, token: str, made: DemoCallBacks) -> str:
    """Return lines to paste, each as it stands."""
    api = f"curl -s -H 'Authorization: Bearer {token}' '{url}/api/v1/accounts/demo"
    items = f"{api}/outbound/items'"

    def moved(deal: int, stage: int = made.call) -> str:
        act = f'{{"do":"set_status","id":{deal},"pipeline":{made.pipeline},"status":{stage}}}'
        return f"curl -s {sandbox_url}/_sandbox/act -d '{act}'"

    answers, busy, silent = (made.deals.get(does, 0) for does in CLIENTS)
    return f"""\
  a deal comes into the stage "{CALL}", and its client is called back: manager 107 first, then the client, who answers; the
  deal goes on. The demo's PBX rings nobody: a client's number that ends with 7 is busy, with 8 does not answer, with 9 the
  manager does not pick up, any other answers
    {moved(answers)} && sleep 12 && {items}
  the same with a client whose phone is busy: the item waits for another try
    {moved(busy)} && sleep 25 && {items}
  a deal comes into the stage "{TALKED}", and its client gets a text, by a provider that sends nothing
    {moved(silent, made.talked)} && sleep 12 && {api}/sms'"""
