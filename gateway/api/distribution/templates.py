"""Templates of distribution: saved and published in one step, attached to stages, tried."""

from __future__ import annotations

from gateway.admin.distribution import orders, results, templates
from gateway.admin.protection.grants import refuse_bound
from gateway.admin.refused import InputRefused, NothingOfThatName
from gateway.api.distribution.template_views import (
    AttachmentBody,
    AttachmentView,
    DayShareView,
    PersonShareView,
    SharesQuery,
    SharesView,
    SimulationBody,
    StageBody,
    StagePreview,
    TemplateChecks,
    TemplateHookView,
    TemplateRemovalQuery,
    TemplateSaveQuery,
    TemplateUseView,
    TemplateVersionView,
    TemplateView,
)
from gateway.api.frame import ApiCall, ApiError, Items, NoQuery, Route, may_see, not_found
from gateway.api.worker.long_tasks import WorkView, view_of
from gateway.crm_accounts.secret_address import hook_address
from gateway.store.distribution import templates as store
from gateway.store.distribution.templates import Attachment, SavedTemplate
from gateway.store.worker.long_tasks import LongTask, TooMuchWork
from routing.distribution.problems import TemplateProblem, can_be_used
from routing.distribution.template import DistributionTemplate
from runtime.database.pool import Conn


def _view(saved: SavedTemplate, warnings: list[TemplateProblem] | None = None) -> TemplateView:
    return TemplateView(
        name=saved.name,
        version=saved.version,
        template=saved.template,
        saved_at=saved.saved_at,
        saved_by=saved.saved_by,
        problems=warnings or [],
    )


async def list_templates(call: ApiCall) -> Items[TemplateView]:
    async with call.services.pool.acquire() as conn:
        found = await store.templates_of(conn, call.account.id)
    return Items[TemplateView](items=[_view(t) for t in found if may_see(call, t.name)])


async def show_template(call: ApiCall) -> TemplateUseView:
    name = call.path["template"]
    async with call.services.pool.acquire() as conn:
        saved = await _the_template(conn, call.account.id, name)
        use = await store.use_of(conn, call.account.id, name)
    return TemplateUseView(
        **_view(saved).model_dump(), stages=list(use.stages), waiting=use.waiting, given=use.given
    )


async def _the_template(conn: Conn, account_id: str, name: str) -> SavedTemplate:
    try:
        return await templates.the_template(conn, account_id, name)
    except NothingOfThatName as err:
        raise not_found("template", name) from err


async def show_hook(call: ApiCall) -> TemplateHookView:
    name = call.path["template"]
    refuse_bound()
    async with call.services.pool.acquire() as conn:
        await _the_template(conn, call.account.id, name)
    return TemplateHookView(url=hook_address(call.services.settings.base_url, call.account, name))


async def save_template(call: ApiCall[TemplateSaveQuery, DistributionTemplate]) -> TemplateView:
    if call.body.name != call.path["template"]:
        raise InputRefused(
            "name", f"the address names '{call.path['template']}'", "write the same name in both places"
        )
    async with call.services.pool.acquire() as conn:
        saved = await templates.save_template(
            conn, call.account.id, call.body, by=call.who.name, version=call.query.version
        )
    return _view(saved.saved, saved.warnings)


async def remove_template(call: ApiCall[TemplateRemovalQuery, None]) -> None:
    name = call.path["template"]
    async with call.services.pool.acquire() as conn:
        await _the_template(conn, call.account.id, name)
        await templates.remove_template(conn, call.account.id, name, even_if_used=call.query.even_if_used)


async def list_versions(call: ApiCall) -> Items[TemplateVersionView]:
    name = call.path["template"]
    async with call.services.pool.acquire() as conn:
        found = await store.template_versions(conn, call.account.id, name)
    if not found:
        raise not_found("template", name)
    return Items[TemplateVersionView](items=[TemplateVersionView.model_validate(v) for v in found])


async def show_version(call: ApiCall) -> DistributionTemplate:
    name, asked = call.path["template"], call.path["version"]
    if not asked.isascii() or not asked.isdigit() or len(asked) > 9:
        raise not_found("template-version", asked)
    async with call.services.pool.acquire() as conn:
        found = await store.template_at(conn, call.account.id, name, int(asked))
    if found is None:
        raise not_found("template-version", asked)
    return found


async def check_template(call: ApiCall[NoQuery, DistributionTemplate]) -> TemplateChecks:
    async with call.services.pool.acquire() as conn:
        found = await templates.check_template(conn, call.account.id, call.body)
    return TemplateChecks(can_be_used=can_be_used(found), problems=found)


async def list_attachments(call: ApiCall) -> Items[AttachmentView]:
    async with call.services.pool.acquire() as conn:
        found = await store.attachments_of(conn, call.account.id)
    shown = [AttachmentView.model_validate(a) for a in found if may_see(call, a.template)]
    return Items[AttachmentView](items=shown)


async def attach(call: ApiCall[NoQuery, AttachmentBody]) -> AttachmentView:
    wanted = Attachment(
        pipeline_id=call.path["pipeline"],
        stage_id=call.path["stage"],
        template=call.path["template"],
        entered=call.body.entered,
        created=call.body.created,
    )
    async with call.services.pool.acquire() as conn:
        await _the_template(conn, call.account.id, wanted.template)
        done = await templates.attach(conn, call.account.id, wanted, by=call.who.name)
    return AttachmentView.model_validate(done)


async def detach(call: ApiCall) -> None:
    stage = call.path["pipeline"], call.path["stage"]
    async with call.services.pool.acquire() as conn:
        there = await store.attachment_at(conn, call.account.id, *stage)
        if there is None or there.template != call.path["template"]:
            raise not_found("attachment", "/".join(stage))
        await templates.detach(conn, call.account.id, *stage)


async def preview_stage(call: ApiCall[NoQuery, StageBody]) -> StagePreview:
    name = call.path["template"]
    async with call.services.pool.acquire() as conn:
        await _the_template(conn, call.account.id, name)
        deals = await orders.preview_stage(conn, call.account.id, name, call.body.pipeline, call.body.stage)
    return StagePreview(deals=deals)


async def give_stage(call: ApiCall[NoQuery, StageBody]) -> WorkView:
    name = call.path["template"]
    async with call.services.pool.acquire() as conn:
        await _the_template(conn, call.account.id, name)
        try:
            task = await orders.give_stage(
                conn, call.account.id, name, call.body.pipeline, call.body.stage, by=call.who.name
            )
        except TooMuchWork as err:
            raise too_much(err) from err
    return view_of(task)


def too_much(err: TooMuchWork) -> ApiError:
    return ApiError(409, err.code, "So much of this kind waits already.", detail=f"{err}. Wait, or stop it.")


async def simulate(call: ApiCall[NoQuery, SimulationBody]) -> WorkView:
    name, body = call.path["template"], call.body
    if body.days and body.made_up:
        raise InputRefused("made_up", "days and made-up deals exclude each other", "leave one of them out")
    async with call.services.pool.acquire() as conn:
        if body.draft is None:
            await _the_template(conn, call.account.id, name)
        task = await _asked(conn, call, name)
    return view_of(task)


async def _asked(conn: Conn, call: ApiCall[NoQuery, SimulationBody], name: str) -> LongTask:
    body = call.body
    try:
        return await orders.simulate(
            conn,
            call.account.id,
            name,
            body.draft,
            days=body.days,
            made_up=body.made_up,
            by=call.who.name,
        )
    except TooMuchWork as err:
        raise too_much(err) from err


async def show_shares(call: ApiCall[SharesQuery, None]) -> Items[SharesView]:
    name = call.path["template"]
    language = call.query.lang or call.account.settings.language
    async with call.services.pool.acquire() as conn:
        await _the_template(conn, call.account.id, name)
        found = await results.shares_of(conn, call.account, name, call.query.days, language)
    return Items[SharesView](items=[_shares_view(r) for r in found])


def _shares_view(report: results.SharesReport) -> SharesView:
    return SharesView(
        scope=report.scope,
        words=list(report.words),
        people=[
            PersonShareView(
                employee=p.employee,
                name=p.name,
                meant=p.meant,
                given=p.given,
                credit=p.credit,
                days=[DayShareView(day=d, meant=m, given=g) for d, (m, g) in sorted(p.by_day.items())],
            )
            for p in report.people
        ],
    )


_ALL = "/v1/accounts/{account}/templates"
_ONE = _ALL + "/{template}"
_STAGE = _ONE + "/stages/{pipeline}/{stage}"
ROUTES = (
    Route(
        method="GET",
        path=_ALL,
        handler=list_templates,
        summary="Templates of distribution, of a bound token those that it is bound to",
        role="read_only",
    ),
    Route(
        method="POST",
        path="/v1/accounts/{account}/template-checks",
        handler=check_template,
        summary="What is wrong with a template, without saving it",
        role="read_only",
    ),
    Route(
        method="GET",
        path=_ONE,
        handler=show_template,
        summary="One template, and what hangs on it",
        role="read_only",
    ),
    Route(
        method="PUT",
        path=_ONE,
        handler=save_template,
        summary="Save a template: it is published as its next version at once",
        description="422 with all problems when its checks find errors, a wrong sum among them; 409 when somebody else saved "
        "since `version`: nothing is stored then.",
        role="senior_manager",
        errors=(409, 422),
    ),
    Route(
        method="DELETE",
        path=_ONE,
        handler=remove_template,
        summary="Remove a template with its attachments; what waits for it is given up",
        description="409 with what names it, unless `even_if_used`.",
        errors=(409,),
    ),
    Route(
        method="GET",
        path=_ONE + "/versions",
        handler=list_versions,
        summary="Its versions, newest first",
        role="read_only",
    ),
    Route(
        method="GET",
        path=_ONE + "/versions/{version}",
        handler=show_version,
        summary="One version of a template",
        role="read_only",
    ),
    Route(
        method="GET",
        path=_ONE + "/hook",
        handler=show_hook,
        summary="The address for the action “send webhook” of the CRM's digital pipeline; it holds the account's secret",
    ),
    Route(
        method="GET",
        path="/v1/accounts/{account}/attachments",
        handler=list_attachments,
        summary="Stages whose deals are given, and by which template",
        role="read_only",
    ),
    Route(
        method="PUT",
        path=_STAGE,
        handler=attach,
        summary="Give the deals that come into a stage by this template",
        role="senior_manager",
        errors=(409,),
    ),
    Route(
        method="DELETE",
        path=_STAGE,
        handler=detach,
        summary="Give the deals of this stage no more",
        role="senior_manager",
    ),
    Route(
        method="POST",
        path=_ONE + "/stage-preview",
        handler=preview_stage,
        summary="How many deals stand in a stage and would be given",
        role="read_only",
    ),
    Route(
        method="POST",
        path=_ONE + "/stage-runs",
        handler=give_stage,
        summary="Give the deals that stand in a stage now, as long work that can be stopped",
        role="senior_manager",
        status=202,
        errors=(409,),
    ),
    Route(
        method="POST",
        path=_ONE + "/simulations",
        handler=simulate,
        summary="Try a template or a draft on past or made-up deals, as long work; changes nothing",
        role="manager",
        status=202,
        errors=(409,),
    ),
    Route(
        method="GET",
        path=_ONE + "/shares",
        handler=show_shares,
        summary="What each was meant to get and what they got, by day, and why it is uneven",
        role="read_only",
    ),
)
