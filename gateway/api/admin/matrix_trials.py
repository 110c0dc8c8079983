"""A version of the matrix on trial, and a draft that several people change."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from gateway.admin.matrix import trials
from gateway.admin.matrix.merging import save_together
from gateway.admin.matrix.trials import ComparedTrial
from gateway.api.admin.matrices import MATRIX, draft_view, line_of
from gateway.api.admin.matrix_views import DraftView, PublishedLine, Revision, Why
from gateway.api.frame import Answer, ApiCall, Body, Items, NoQuery, Route, not_found
from gateway.store.admin.matrix import editing
from gateway.store.admin.matrix.trials import StoredTrial
from gateway.store.admin.matrix.trials import trials as stored_trials
from routing.matrix.model import Matrix
from routing.matrix.versions.merge import Side


class TrialBegin(Body):
    """One of percent (of the clients, 1 to 99) and line (one of the account's, in any spelling)."""

    revision: Revision
    why: Why
    percent: Annotated[int, Field(ge=1, le=99)] | None = None
    line: str | None = Field(default=None, max_length=100)


class TrialEnd(Body):
    """publish: its version becomes the published one. take_back: the published one decides about all calls again."""

    outcome: Literal["publish", "take_back"]
    why: Why


class TrialView(Answer):
    """against: the version that was published meanwhile. outcome null: it runs."""

    version: int
    percent: int | None
    line: str | None
    against: int
    begun_at: datetime
    begun_by: str
    why: str
    ended_at: datetime | None
    ended_by: str | None
    ended_why: str | None
    outcome: Literal["published", "taken_back"] | None


class SideView(Answer):
    """missed: of those who called us; not_reached: of those whom we called. done, failed, waiting: changes in the CRM by
    kind of order."""

    calls: int
    clients: int
    answered: int
    missed: int
    not_reached: int
    done: dict[str, int]
    failed: dict[str, int]
    waiting: dict[str, int]


class ComparedView(TrialView):
    on_trial: SideView
    published: SideView


class DraftMerge(Body):
    """matrix: made from `revision`. choices: `mine` or `theirs`, by the `where` of what both changed."""

    revision: Revision
    matrix: Matrix
    choices: dict[str, Side] = Field(default={}, max_length=1000)


class EditorView(Answer):
    """place: the cell that they have open, "" = none."""

    who: str
    place: str
    opened_at: datetime
    seen_at: datetime


def _view(ran: StoredTrial) -> TrialView:
    names = ("against", "begun_at", "begun_by", "why", "ended_at", "ended_by", "ended_why", "outcome")
    return TrialView(**ran.trial._asdict(), **{name: getattr(ran, name) for name in names})


def _compared(found: ComparedTrial) -> ComparedView:
    sides = {
        name: SideView.model_validate(getattr(found.figures, name)) for name in ("on_trial", "published")
    }
    return ComparedView(**_view(found.trial).model_dump(), **sides)


async def begin_trial(call: ApiCall[NoQuery, TrialBegin]) -> PublishedLine:
    async with call.services.pool.acquire() as conn:
        begun = await trials.begin(conn, call.account.id, **call.body.model_dump(), by=call.who.name)
    return line_of(begun)


async def end_trial(call: ApiCall[NoQuery, TrialEnd]) -> ComparedView:
    outcome: Literal["published", "taken_back"]
    outcome = "published" if call.body.outcome == "publish" else "taken_back"
    async with call.services.pool.acquire() as conn:
        ended = await trials.end(conn, call.account.id, outcome=outcome, by=call.who.name, why=call.body.why)
        found = await trials.compared(conn, call.account.id, ended.version)
    if found is None:
        raise not_found("trial", str(ended.version))
    return _compared(found)


async def show_trial(call: ApiCall) -> ComparedView:
    async with call.services.pool.acquire() as conn:
        found = await trials.compared(conn, call.account.id)
    if found is None:
        raise not_found("trial", "latest")
    return _compared(found)


async def list_trials(call: ApiCall) -> Items[TrialView]:
    async with call.services.pool.acquire() as conn:
        return Items[TrialView](items=[_view(ran) for ran in await stored_trials(conn, call.account.id)])


async def merge_draft(call: ApiCall[NoQuery, DraftMerge]) -> DraftView:
    body, account_id = call.body, call.account.id
    async with call.services.pool.acquire() as conn:
        saved = await save_together(
            conn, account_id, body.matrix, revision=body.revision, by=call.who.name, choices=body.choices
        )
        return await draft_view(conn, account_id, saved.draft)


async def list_editors(call: ApiCall) -> Items[EditorView]:
    async with call.services.pool.acquire() as conn:
        found = await editing.editors(conn, call.account.id)
    return Items[EditorView](items=[EditorView.model_validate(one) for one in found])


ROUTES = (
    Route(
        method="POST",
        path=MATRIX + "/trial",
        handler=begin_trial,
        summary="Make the draft a version on trial: it decides about part of the calls",
        description="The same client always meets the same of both versions. While it runs nothing else is published (409).",
        status=201,
        errors=(409, 422),
    ),
    Route(
        method="GET",
        path=MATRIX + "/trial",
        handler=show_trial,
        summary="The trial that runs, else the latest: what the calls of both sides came to",
        role="read_only",
        errors=(404,),
    ),
    Route(
        method="POST",
        path=MATRIX + "/trial/end",
        handler=end_trial,
        summary="End the trial: publish its version, or take it back",
        errors=(409,),
    ),
    Route(
        method="GET",
        path=MATRIX + "/trials",
        handler=list_trials,
        summary="Trials, newest first",
        role="read_only",
    ),
    Route(
        method="POST",
        path=MATRIX + "/draft/merge",
        handler=merge_draft,
        summary="Save a draft together with what others saved since it was read",
        description="409 with the parts that both changed, and for which `choices` says nothing; nothing is saved then.",
        role="senior_manager",
        errors=(409,),
    ),
    Route(
        method="GET",
        path=MATRIX + "/draft/editors",
        handler=list_editors,
        summary="Who has the draft open in a page",
        role="read_only",
    ),
)
