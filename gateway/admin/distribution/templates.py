"""Templates of distribution as people save them: checked, published in one step, attached to stages, removed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from crm.port import Pipeline
from crm.store.metadata import pipelines_of
from gateway.admin.input_words import refuse_no_crm_number, refuse_odd_name
from gateway.admin.protection.grants import refuse_other_schedule, refuse_other_template
from gateway.admin.refused import InputRefused, InUse, NothingOfThatName
from gateway.distribution.template_checks import surroundings_of
from gateway.store.admin.accounts import account, lock_account
from gateway.store.distribution import templates as store
from gateway.store.distribution.items import look_again
from gateway.store.distribution.templates import Attachment, SavedTemplate, TemplateUse
from routing.distribution.problems import TemplateProblem, can_be_used, problems
from routing.distribution.template import DistributionTemplate
from routing.texts.catalogue import Language
from runtime.database.pool import Conn


class TemplateNotUsable(InputRefused):
    """The checks found errors in the template, so that it was not saved. problems: all that was found. language: of the first
    one's words."""

    code = "template-not-usable"

    def __init__(self, found: Sequence[TemplateProblem], language: Language) -> None:
        self.found = list(found)
        first = self.errors[0]
        super().__init__(first.field, *first.in_words(language), problems=[p.model_dump() for p in found])

    @property
    def errors(self) -> list[TemplateProblem]:
        return [p for p in self.found if p.severity == "error"]


class StageTaken(InputRefused):
    """Another template gives the deals of this stage: two of them would contradict each other."""

    code = "stage-has-template"

    def __init__(self, stage: str, template: str) -> None:
        self.template = template
        super().__init__(
            "stage",
            f"the deals of stage {stage} are given by template '{template}'",
            "detach that one first, or change it",
        )


class TemplateMoved(InputRefused):
    """Somebody else saved the template meanwhile; nothing was overwritten. before: what they saved, None = it was removed."""

    code = "template-conflict"

    def __init__(self, name: str, before: SavedTemplate | None) -> None:
        self.before = before
        said = (
            f"{before.saved_by} saved version {before.version} of template '{name}' meanwhile"
            if before
            else f"there is no template '{name}'"
        )
        super().__init__("version", said, "read it again and repeat your change; nothing was overwritten")


class TemplateInUse(InUse):
    """Others name the template: without it calls, phones and hand-overs would do something else, or nothing."""

    code = "template-in-use"

    def __init__(self, name: str, uses: list[str]) -> None:
        super().__init__(
            "name",
            f"template '{name}' is named by",
            uses,
            "name another one there first, or say that it goes all the same",
        )


class Saved(NamedTuple):
    """warnings: what a person should look at."""

    saved: SavedTemplate
    warnings: list[TemplateProblem]


async def save_template(
    conn: Conn, account_id: str, template: DistributionTemplate, *, by: str, version: int | None = None
) -> Saved:
    """Publish it as its next version. version: that was seen, 0 = there is none of this name, None = whichever there is. Raise
    TemplateMoved, TemplateNotUsable, NotBoundTo, InputRefused, NoSuchAccount; nothing is stored then."""
    language = (await account(conn, account_id)).settings.language
    found = await check_template(conn, account_id, template)
    if not can_be_used(found):
        raise TemplateNotUsable(found, language)
    async with conn.transaction():
        await lock_account(conn, account_id)
        before = await store.template_of(conn, account_id, template.name)
        if version is not None and version != (before.version if before else 0):
            raise TemplateMoved(template.name, before)
        if before is None or before.template != template:
            _refuse_others(before.template if before else None, template)
        saved = await store.save_template(conn, account_id, template, by)
        await look_again(conn, [account_id], template.name)
        return Saved(saved, found)


def _refuse_others(before: DistributionTemplate | None, wanted: DistributionTemplate) -> None:
    """Raise NotBoundTo where it is another's template, or goes by another's schedule from now on."""
    refuse_other_template(wanted.name)
    stood_on = before.working_time.schedule if before else None
    if wanted.working_time.schedule != stood_on:
        refuse_other_schedule(wanted.working_time.schedule, stood_on)


async def check_template(
    conn: Conn, account_id: str, template: DistributionTemplate
) -> list[TemplateProblem]:
    """Return what is wrong with it. Raise InputRefused for a new name that cannot be one."""
    if await store.template_of(conn, account_id, template.name) is None:
        refuse_odd_name("template", template.name)
    return problems(template, await surroundings_of(conn, account_id, template.name))


async def use_of(conn: Conn, account_id: str, name: str) -> TemplateUse:
    """Say what hangs on it. Raise NothingOfThatName."""
    await the_template(conn, account_id, name)
    return await store.use_of(conn, account_id, name)


async def the_template(conn: Conn, account_id: str, name: str) -> SavedTemplate:
    """Raise NothingOfThatName."""
    found = await store.template_of(conn, account_id, name)
    if found is None:
        raise NothingOfThatName("template", name)
    return found


async def remove_template(conn: Conn, account_id: str, name: str, *, even_if_used: bool = False) -> None:
    """Remove it with its attachments; what waits for it is given up. Raise NothingOfThatName, TemplateInUse."""
    refuse_other_template(name)
    async with conn.transaction():
        await the_template(conn, account_id, name)
        uses = await store.uses_of_template(conn, account_id, name)
        if uses and not even_if_used:
            raise TemplateInUse(name, uses)
        if not await store.remove_template(conn, account_id, name):
            raise NothingOfThatName("template", name)


async def attach(conn: Conn, account_id: str, wanted: Attachment, *, by: str) -> Attachment:
    """Let a template give the deals of a stage. Raise InputRefused, NothingOfThatName; nothing is stored then."""
    await the_template(conn, account_id, wanted.template)
    if not (wanted.entered or wanted.created):
        raise InputRefused(
            "entered",
            "neither deals that come into the stage nor those that are made in it",
            "choose one of them, or both",
        )
    await refuse_wrong_stage(conn, account_id, wanted.pipeline_id, wanted.stage_id)
    async with conn.transaction():
        there = await store.attachment_at(conn, account_id, wanted.pipeline_id, wanted.stage_id)
        if there is not None and there.template != wanted.template:
            raise StageTaken(f"{wanted.pipeline_id}/{wanted.stage_id}", there.template)
        refuse_other_template(wanted.template)
        return await store.attach(conn, account_id, wanted, by)


async def refuse_wrong_stage(conn: Conn, account_id: str, pipeline_id: str, stage_id: str) -> None:
    """Raise InputRefused for a stage whose deals cannot be given. Where the CRM's pipelines were never read, any number may
    be right."""
    if pipelines := await pipelines_of(conn, account_id):
        _refuse_unknown_stage(pipelines, pipeline_id, stage_id)
        return
    refuse_no_crm_number("pipeline", pipeline_id)
    refuse_no_crm_number("stage", stage_id)


def _refuse_unknown_stage(pipelines: Sequence[Pipeline], pipeline_id: str, stage_id: str) -> None:
    pipeline = next((p for p in pipelines if p.id == pipeline_id), None)
    if pipeline is None:
        known = ", ".join(f"{p.id} «{p.name}»" for p in pipelines)
        raise InputRefused("pipeline", f"the CRM has no pipeline {pipeline_id}", f"one of: {known}")
    stage = next((s for s in pipeline.stages if s.id == stage_id), None)
    if stage is None or stage.is_closed or stage.is_unsorted:
        fit = ", ".join(f"{s.id} «{s.name}»" for s in pipeline.stages if not (s.is_closed or s.is_unsorted))
        why = "is none of this pipeline" if stage is None else "holds no open deals"
        raise InputRefused("stage", f"stage {stage_id} {why}", f"one of: {fit}")


async def detach(conn: Conn, account_id: str, pipeline_id: str, stage_id: str) -> None:
    """Raise NothingOfThatName."""
    async with conn.transaction():
        there = await store.attachment_at(conn, account_id, pipeline_id, stage_id)
        refuse_other_template(there.template if there else None)
        if not await store.detach(conn, account_id, pipeline_id, stage_id):
            raise NothingOfThatName("attached stage", f"{pipeline_id}/{stage_id}", "template list")
