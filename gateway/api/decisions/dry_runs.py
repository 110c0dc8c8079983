"""A matrix tried before it is live: previews of templates, one made-up call, the calls of the last days; and stored
decisions computed again."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import Field

from gateway.admin.matrices import refusals
from gateway.api.admin.matrices import MATRIX, number_of
from gateway.api.admin.matrix_views import VersionInPath
from gateway.api.decisions.decisions import DecisionView, StepView, template_of
from gateway.api.frame import Answer, AnyCall, ApiCall, ApiError, Body, NoQuery, Route, may_see, not_found
from gateway.api.sent_time import SentTime
from gateway.api.worker.long_tasks import WorkView, view_of
from gateway.decisions.dry_run import SampleCall, dry_run, sample_situation
from gateway.decisions.explain import step_in_full
from gateway.decisions.recompute import NotRecomputable, recompute
from gateway.decisions.replay import matrix_named
from gateway.store.admin import matrices
from gateway.store.admin.staff import NoSuchStaffVersion, staff_of
from gateway.store.decisions import decisions
from gateway.store.decisions.lookup_inputs import NoSuchRules
from gateway.store.worker import long_tasks
from gateway.texts.sentences import TEXTS
from routing.matrix.model import Matrix
from routing.matrix.variables import compiled, preview
from routing.settings import NumberPolicy
from routing.templates import TemplateRefused
from runtime.database.pool import Conn

ParameterText = Annotated[str, Field(max_length=200)]


class CallBody(Body):
    """at: now, where it is not given. answered_by: extension, SIP login or number; without it nobody knows who answered.
    connection: the first of the account, where it is not given."""

    number: ParameterText
    line: ParameterText | None = None
    connection: ParameterText | None = None
    at: SentTime | None = None
    direction: Literal["inbound", "outbound"] = "inbound"
    outcome: Literal["answered", "missed"] = "answered"
    answered_by: ParameterText | None = None
    rung: Annotated[list[ParameterText], Field(max_length=100)] = []
    wait_seconds: Annotated[int, Field(ge=0, le=86_400)] = 10
    talk_seconds: Annotated[int, Field(ge=0, le=86_400)] = 60
    params: Annotated[dict[ParameterText, Annotated[str, Field(max_length=2000)]], Field(max_length=100)] = {}


class DryRunBody(CallBody):
    version: VersionInPath = "draft"


class PreviewBody(Body):
    template: Annotated[str, Field(max_length=2000)]
    call: CallBody | None = None


class ReplayBody(Body):
    """days: of calls, back from now. against: what `version` is compared with."""

    days: Annotated[int, Field(ge=1, le=31)] = 3
    version: VersionInPath = "draft"
    against: VersionInPath = "current"


class PreviewView(Answer):
    text: str
    variables: list[str]


class DryRunView(Answer):
    """decisions: as `explanation` shows those of a real call; the state of every effect is `dry_run`.
    would: what it would leave in the CRM, in words."""

    version: str
    decisions: list[DecisionView]
    would: list[str]


class RecomputedView(Answer):
    is_same: bool
    reason: str
    outcome: dict[str, Any]
    steps: list[StepView]


async def show_preview(call: ApiCall[NoQuery, PreviewBody]) -> PreviewView:
    body, texts = call.body, call.texts()
    try:
        template = compiled(body.template)
        if body.call is None:
            text = preview(body.template, texts=texts)
        else:
            async with call.services.pool.acquire() as conn:
                made_up, policy = _made_up(call, body.call)
                staff = await staff_of(conn, call.account.id)
                situation = await sample_situation(conn, call.account, policy, staff, made_up)
            text = preview(body.template, situation)
    except TemplateRefused as err:
        raise ApiError(
            400,
            "template-refused",
            "The template cannot be used.",
            detail=texts.render(err.said),
            field="template",
        ) from err
    return PreviewView(text=text, variables=list(dict.fromkeys(template.variables)))


def _made_up(call: AnyCall, body: CallBody) -> tuple[SampleCall, NumberPolicy]:
    snapshot = call.services.configuration.now
    mine = [c for c in snapshot.connections.values() if c.account_id == call.account.id]
    if body.connection is not None:
        mine = [c for c in mine if c.name == body.connection]
        if not mine:
            raise ApiError(400, "invalid-input", "There is no such connection.", field="connection")
    policy = snapshot.policies[mine[0].name] if mine else snapshot.policy_of(call.account.id)
    line = body.line if body.line is not None else next((n for c in mine for n in c.lines), None)
    made_up = SampleCall(
        number=body.number,
        line=line,
        connection=mine[0].id if mine else "",
        at=(body.at or datetime.now(UTC)).astimezone(UTC),
        direction=body.direction,
        is_answered=body.outcome == "answered",
        answered_by=body.answered_by if body.outcome == "answered" else None,
        rung=tuple(body.rung),
        wait_seconds=body.wait_seconds,
        talk_seconds=body.talk_seconds,
        params=body.params,
    )
    return made_up, policy


async def _matrix(conn: Conn, call: AnyCall, name: str) -> Matrix:
    asked = name if name == "draft" else await number_of(conn, call, name)
    return (await matrix_named(conn, call.account.id, "draft" if asked == "draft" else int(asked))).matrix


async def try_call(call: ApiCall[NoQuery, DryRunBody]) -> DryRunView:
    body = call.body
    made_up, policy = _made_up(call, body)
    async with call.services.pool.acquire() as conn, refusals(conn, call.account.id):
        matrix = await _matrix(conn, call, body.version)
        found = await dry_run(
            conn, call.account, policy, matrix, made_up, call.services.url_of, call.services.at_work
        )
    return DryRunView(
        version=body.version if body.version == "draft" else str(matrix.version),
        decisions=[DecisionView.model_validate(item) for item in found],
        would=[effect["message"] for item in found for effect in item["effects"]],
    )


async def ask_for_replay(call: ApiCall[NoQuery, ReplayBody]) -> WorkView:
    body = call.body
    account_id = call.account.id
    async with call.services.pool.acquire() as conn, refusals(conn, account_id):
        names = []
        for name in (body.version, body.against):
            version = "draft" if name == "draft" else await number_of(conn, call, name)
            if isinstance(version, int):
                await matrices.matrix_at(conn, account_id, version)
            names.append(version)
        asked = {"days": body.days, "version": names[0], "against": names[1]}
        try:
            work = await long_tasks.ask(conn, account_id, "replay", asked, call.who.name)
        except long_tasks.TooMuchWork as err:
            raise ApiError(
                409,
                "too-much-work",
                "Enough replays are waiting already.",
                detail="Wait, or stop one of them.",
            ) from err
    return view_of(work)


async def recomputed(call: ApiCall) -> RecomputedView:
    decision_id = call.path["decision"]
    async with call.services.pool.acquire() as conn:
        try:
            row = await decisions.decision(conn, call.who.account_id, decision_id)
        except decisions.NoSuchDecision as err:
            raise not_found("decision", decision_id) from err
        if not may_see(call, template_of(row)):
            raise not_found("decision", decision_id)
        try:
            again = await recompute(conn, matrices.MatrixStore(), row)
        except (NotRecomputable, NoSuchRules, NoSuchStaffVersion, matrices.NoSuchMatrixVersion) as err:
            raise ApiError(
                422,
                "not-recomputable",
                "This decision cannot be computed again.",
                detail=str(err) or type(err).__name__,
            ) from err
    whose = call.services.configuration.now.accounts[row.account_id]
    texts, zone = TEXTS[whose.settings.language], ZoneInfo(whose.time_zone)
    steps = [step_in_full(row.kind, step, texts, zone) for step in again.steps]
    return RecomputedView.model_validate(
        {"is_same": again.is_same, "reason": again.reason, "outcome": again.outcome, "steps": steps}
    )


ROUTES = (
    Route(
        method="POST",
        path=MATRIX + "/preview",
        handler=show_preview,
        summary="What a template gives, for a made-up call or for sample values",
        role="read_only",
    ),
    Route(
        method="POST",
        path=MATRIX + "/dry-run",
        handler=try_call,
        summary="One made-up call through the draft or any version; writes nothing",
        role="senior_manager",
    ),
    Route(
        method="POST",
        path=MATRIX + "/replays",
        handler=ask_for_replay,
        summary="The calls of the last days through the draft or any version; writes nothing",
        description="Long work: follow it at `/work/{id}`, where its result is the table published / draft / difference.",
        role="senior_manager",
        status=202,
        errors=(409,),
    ),
    Route(
        method="GET",
        path="/v1/decisions/{decision}/recomputed",
        handler=recomputed,
        summary="A stored decision computed again from its stored inputs",
        role="read_only",
        errors=(422,),
    ),
)
