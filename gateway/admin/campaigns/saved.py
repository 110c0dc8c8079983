"""Campaigns as people save them: refused where what they name is not there."""

from __future__ import annotations

from typing import NoReturn

from campaigns.model import CampaignSettings, TopicRules
from crm.store.metadata import fields_of, pipelines_of
from gateway.admin.campaigns.engines import refuse_engine
from gateway.admin.campaigns.refused import CampaignMoved, CampaignNotUsable, CampaignStateForbids
from gateway.admin.input_words import refuse_odd_name
from gateway.admin.protection.behind import behind_campaign
from gateway.admin.protection.grants import refuse_other_template
from gateway.admin.refused import NameTaken, NothingOfThatName
from gateway.store.admin.accounts import connections, lock_account
from gateway.store.admin.staff import staff_of
from gateway.store.campaigns import campaigns as store
from gateway.store.campaigns.campaigns import CampaignRow
from gateway.store.distribution.templates import template_names
from routing.triggers.model import StagePlace, ToEmployee, ToTemplate
from runtime.database.pool import Conn


async def the_campaign(conn: Conn, account_id: str, name: str, *, lock: bool = False) -> CampaignRow:
    """Raise NothingOfThatName."""
    row = await (store.lock_campaign if lock else store.campaign_of)(conn, account_id, name)
    if row is None:
        raise NothingOfThatName("campaign", name)
    return row


async def make_campaign(
    conn: Conn, account_id: str, name: str, settings: CampaignSettings, *, by: str
) -> CampaignRow:
    """Make it as a draft. Raise NameTaken, CampaignNotUsable, InputRefused."""
    refuse_odd_name("campaign", name)
    refuse_others(settings)
    await refuse_unusable(conn, account_id, settings, name)
    async with conn.transaction():
        await lock_account(conn, account_id)
        made = await store.add_campaign(conn, account_id, name, settings, by)
        if made is None:
            raise NameTaken("campaign", name)
        return made


async def change_campaign(
    conn: Conn, account_id: str, name: str, settings: CampaignSettings, *, version: int | None = None
) -> CampaignRow:
    """Let it be so from now on; who waits is called by it. version: that was seen. Raise NothingOfThatName, CampaignMoved,
    CampaignNotUsable, CampaignStateForbids."""
    refuse_others(settings)
    await refuse_unusable(conn, account_id, settings, name)
    async with conn.transaction():
        row = await the_campaign(conn, account_id, name, lock=True)
        refuse_others(row.settings)
        if version is not None and version != row.version:
            raise CampaignMoved(row)
        if row.state == "finished":
            raise CampaignStateForbids(row, "nothing of it is changed any more")
        if row.state != "draft" and _dialled_by(settings) != _dialled_by(row.settings):
            raise CampaignStateForbids(
                row, "whoever dials for it stays the same once it is no draft any more"
            )
        return await store.change_settings(conn, row, settings)


def _dialled_by(settings: CampaignSettings) -> tuple[str, ...]:
    is_there = settings.engine == "pbx"
    return (settings.engine, settings.connection, settings.engine_ref or "") if is_there else ("own",)


def refuse_others(settings: CampaignSettings) -> None:
    """Raise NotBoundTo where its calls go by a template, and who acts is bound to others."""
    refuse_other_template(behind_campaign(settings))


async def refuse_unusable(conn: Conn, account_id: str, settings: CampaignSettings, name: str = "") -> None:
    """Raise CampaignNotUsable for the first thing that is not there."""
    known = {c.name: c for c in await connections(conn, account_id)}
    connection = known.get(settings.connection)
    if connection is None:
        _refuse(
            "connection",
            f"there is no connection '{settings.connection}'",
            "see 'callmatrix connection list'",
        )
    if settings.engine == "pbx":
        await refuse_engine(conn, account_id, name, settings, connection)
    await _refuse_target(conn, account_id, settings)
    await _refuse_fields(conn, account_id, settings)
    for field, place in _stages(settings):
        await _refuse_stage(conn, account_id, field, place)


async def _refuse_target(conn: Conn, account_id: str, settings: CampaignSettings) -> None:
    target = settings.target
    if isinstance(target, ToEmployee):
        person = (await staff_of(conn, account_id)).by_id.get(target.employee_id)
        if person is None:
            _refuse(
                "target.employee_id",
                f"there is no employee '{target.employee_id}'",
                "see 'callmatrix employees list'",
            )
        if not person.extensions or not person.crm_user_id:
            what = "extension" if not person.extensions else "user of the CRM"
            _refuse(
                "target.employee_id",
                f"{person.name} has no {what}",
                "give them one, or choose somebody who has",
            )
    if isinstance(target, ToTemplate):
        known = await template_names(conn, [account_id])
        if target.name not in known:
            _refuse("target.name", f"there is no template '{target.name}'", "see 'callmatrix template list'")


async def _refuse_fields(conn: Conn, account_id: str, settings: CampaignSettings) -> None:
    known = {field.id for field in await fields_of(conn, account_id, "contact")}
    for name, id in settings.contact_fields.model_dump().items():
        if id is not None and known and id not in known:
            _refuse(f"contact_fields.{name}", f"contacts have no field {id}", "choose one that the CRM has")


def _stages(settings: CampaignSettings) -> list[tuple[str, StagePlace]]:
    topics: TopicRules = settings.topics
    if topics.is_on and (topics.deal_there is None or topics.no_deal is None):
        _refuse(
            "topics",
            "the stages for new deals are not named",
            "name deal_there and no_deal, or leave topics off",
        )
    found = [
        ("unreached.stage", settings.unreached.stage),
        ("topics.deal_there", topics.deal_there),
        ("topics.no_deal", topics.no_deal),
    ]
    return [(field, place) for field, place in found if place is not None]


async def _refuse_stage(conn: Conn, account_id: str, field: str, place: StagePlace) -> None:
    pipelines = await pipelines_of(conn, account_id)
    known = {(p.id, s.id) for p in pipelines for s in p.stages}
    if known and (place.pipeline_id, place.stage_id) not in known:
        where = f"{place.pipeline_id}/{place.stage_id}"
        _refuse(field, f"the CRM has no stage {where}", "choose one that it has")


def _refuse(field: str, message: str, remedy: str) -> NoReturn:
    raise CampaignNotUsable(field, message, remedy)
