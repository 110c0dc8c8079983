"""The stages whose deals a template gives: attached, detached, and what stands there already given out now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from crm.port import Pipeline
from crm.store.metadata import pipelines_of
from gateway.admin.distribution import orders, templates
from gateway.admin.protection.grants import refuse_bound
from gateway.crm_accounts.secret_address import hook_address
from gateway.store.distribution import templates as store
from gateway.store.distribution.templates import Attachment
from gateway.store.worker.long_tasks import TooMuchWork
from gateway.web.distribution.tabs import tabs, template_path
from gateway.web.frame import (
    AnyPageCall,
    PageAnswer,
    PageCall,
    PageRefused,
    SeeOther,
    Shown,
    page_not_found,
)
from routing.texts.catalogue import phrase
from runtime.database.pool import Conn


@dataclass(frozen=True, slots=True, kw_only=True)
class AttachedStage:
    """colour: as the CRM has it. is_gone: the CRM has no such stage now."""

    pipeline_id: str
    stage_id: str
    pipeline: str
    stage: str
    colour: str
    is_gone: bool
    entered: bool
    created: bool
    since: datetime | None


def stage_seen(attachment: Attachment, pipelines: Sequence[Pipeline]) -> AttachedStage:
    pipeline = next((p for p in pipelines if p.id == attachment.pipeline_id), None)
    stages = pipeline.stages if pipeline else ()
    stage = next((s for s in stages if s.id == attachment.stage_id), None)
    return AttachedStage(
        pipeline_id=attachment.pipeline_id,
        stage_id=attachment.stage_id,
        pipeline=pipeline.name if pipeline else attachment.pipeline_id,
        stage=stage.name if stage else attachment.stage_id,
        colour=stage.colour if stage else "",
        is_gone=stage is None and bool(pipelines),
        entered=attachment.entered,
        created=attachment.created,
        since=attachment.since,
    )


async def stages_seen(conn: Conn, call: AnyPageCall, template: str) -> dict[str, Any]:
    """Return the stages of the template, and those that it can be attached to."""
    pipelines = await pipelines_of(conn, call.account.id)
    every = await store.attachments_of(conn, call.account.id)
    own = [stage_seen(one, pipelines) for one in every if one.template == template]
    return {"attached": own, "free_stages": free_stages(pipelines, every), "are_read": bool(pipelines)}


def free_stages(
    pipelines: Sequence[Pipeline], attached: Sequence[Attachment]
) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return those whose deals can be given and nobody gives yet, by pipeline."""
    taken = {(a.pipeline_id, a.stage_id) for a in attached}
    found = [
        (
            p.name,
            [
                (f"{p.id}:{s.id}", s.name)
                for s in p.stages
                if not (s.is_closed or s.is_unsorted) and (p.id, s.id) not in taken
            ],
        )
        for p in pipelines
        if not p.is_archived
    ]
    return [(name, stages) for name, stages in found if stages]


async def ask_to_detach(call: PageCall) -> Shown:
    values = {"stage": await _attached(call), "name": call.path["template"]}
    return Shown("distribution/detach_stage.html", {**values, "tabs_shown": tabs(call, "templates")})


async def detach_stage(call: PageCall) -> SeeOther:
    name, pipeline, stage = call.path["template"], call.path["pipeline"], call.path["stage"]
    async with call.connection() as conn:
        there = await store.attachment_at(conn, call.account.id, pipeline, stage)
        if there is None or there.template != name:
            raise page_not_found("attachment")
        await templates.detach(conn, call.account.id, pipeline, stage)
    return SeeOther(f"{call.here(template_path(name))}#stages", said=phrase("distribution.stages.detached"))


async def ask_to_give(call: PageCall) -> Shown:
    """Say how many deals stand in the stage and would be given now."""
    stage = await _attached(call)
    async with call.connection() as conn:
        deals = await orders.preview_stage(
            conn, call.account.id, call.path["template"], stage.pipeline_id, stage.stage_id
        )
    values = {"stage": stage, "deals": deals, "name": call.path["template"]}
    return Shown("distribution/give_stage.html", {**values, "tabs_shown": tabs(call, "templates")})


async def give_stage(call: PageCall) -> SeeOther:
    name, stage = call.path["template"], await _attached(call)
    async with call.connection() as conn:
        try:
            await orders.give_stage(
                conn, call.account.id, name, stage.pipeline_id, stage.stage_id, by=call.who.name
            )
        except TooMuchWork as err:
            raise PageRefused(409, "stage-is-given") from err
    return SeeOther(call.here("/distribution", template=name), said=phrase("distribution.stages.given"))


async def _attached(call: AnyPageCall) -> AttachedStage:
    async with call.connection() as conn:
        there = await store.attachment_at(conn, call.account.id, call.path["pipeline"], call.path["stage"])
        pipelines = await pipelines_of(conn, call.account.id)
    if there is None or there.template != call.path["template"]:
        raise page_not_found("attachment")
    return stage_seen(there, pipelines)


async def show_hook(call: PageCall) -> PageAnswer:
    """Show the address for the CRM's own digital pipeline: it holds a secret, so it stands on no other page."""
    name = call.path["template"]
    refuse_bound()
    async with call.connection() as conn:
        if await store.template_of(conn, call.account.id, name) is None:
            raise page_not_found("template")
    url = hook_address(call.services.settings.base_url, call.account, name)
    return Shown("distribution/hook.html", {"name": name, "url": url, "tabs_shown": tabs(call, "templates")})
