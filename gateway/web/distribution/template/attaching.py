"""Attaches a template to a stage; what was chosen and cannot be is said at its field."""

from __future__ import annotations

from gateway.admin.distribution import templates
from gateway.admin.distribution.templates import StageTaken
from gateway.admin.refused import InputRefused, NothingOfThatName
from gateway.store.distribution.templates import Attachment
from gateway.web.distribution.tabs import template_path
from gateway.web.distribution.template.form import form_of
from gateway.web.distribution.template.page import template_page, the_saved
from gateway.web.frame import Form, NoPageQuery, PageCall, SeeOther, Shown, page_not_found
from routing.texts.catalogue import phrase


class AttachForm(Form):
    """stage: as pipeline:stage."""

    stage: str = ""
    entered: bool = False
    created: bool = False


async def attach_stage(call: PageCall[NoPageQuery, AttachForm]) -> SeeOther | Shown:
    name, form = call.path["template"], call.form
    pipeline, _, stage = form.stage.partition(":")
    if not stage:
        return await _refused(call, "stage", "no-stage")
    wanted = Attachment(
        pipeline_id=pipeline, stage_id=stage, template=name, entered=form.entered, created=form.created
    )
    try:
        async with call.connection() as conn:
            await templates.attach(conn, call.account.id, wanted, by=call.who.name)
    except NothingOfThatName as err:
        raise page_not_found("template") from err
    except StageTaken as err:
        return await _refused(call, "stage", "stage-taken", 409, template=err.template)
    except InputRefused as err:
        is_occasion = err.field == "entered"
        return await _refused(
            call, err.field if is_occasion else "stage", "no-occasion" if is_occasion else "no-stage"
        )
    return SeeOther(f"{call.here(template_path(name))}#stages", said=phrase("distribution.stages.attached"))


async def _refused(
    call: PageCall[NoPageQuery, AttachForm], field: str, why: str, status: int = 422, **values: str
) -> Shown:
    """Show the template again, with the stage that was chosen and what is wrong with it."""
    async with call.connection() as conn:
        saved = await the_saved(conn, call)
        page = await template_page(conn, call, form_of(saved.template, saved.version), saved, status=status)
    said = call.texts.say(f"distribution.stages.refused.{why}", **values)
    return Shown(page.template, {**page.values, "attach": call.form, "attach_errors": {field: said}}, status)
