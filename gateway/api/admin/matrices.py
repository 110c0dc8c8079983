"""The matrices of an account: draft, checks, published versions, differences, roll-back."""

from __future__ import annotations

import asyncio

from gateway.admin import matrices
from gateway.admin.input_words import LONGEST_VERSION, is_counted
from gateway.admin.matrices import refusals
from gateway.api.admin.matrix_views import (
    ChangeView,
    ChecksView,
    DifferenceQuery,
    DraftChange,
    DraftSeen,
    DraftView,
    LanguageQuery,
    LastChecks,
    MatrixToCheck,
    NamedView,
    PresetView,
    Publication,
    PublishedLine,
    PublishedView,
    Restoration,
    VariableView,
    Vocabulary,
)
from gateway.api.frame import AnyCall, ApiCall, Items, NoQuery, Route, not_found
from gateway.store.admin import matrices as store
from gateway.store.admin.matrix_catalogue import catalogue_of
from gateway.store.crm_accounts.exchanges import reports
from gateway.texts.sentences import TEXTS
from routing.matrix.checks.check import Problem, can_be_published, check
from routing.matrix.model import CELLS, Matrix
from routing.matrix.presets import PRESETS
from routing.matrix.texts import ACTIONS, cell_in_words
from routing.matrix.variables import VARIABLES, sample_of
from routing.matrix.versions.diff import difference
from routing.templates import FILTERS
from runtime.database.pool import Conn


async def draft_view(conn: Conn, account_id: str, draft: store.Draft) -> DraftView:
    catalogue = await catalogue_of(conn, account_id)
    problems = await asyncio.to_thread(check, draft.matrix, catalogue)
    return DraftView(
        revision=draft.revision,
        based_on=draft.based_on,
        current_version=await store.current_version(conn, account_id),
        is_changed=draft.is_changed,
        saved_at=draft.saved_at,
        saved_by=draft.saved_by,
        matrix=draft.matrix,
        problems=problems,
        can_be_published=can_be_published(problems),
    )


def line_of(published: store.Published) -> PublishedLine:
    return PublishedLine.model_validate(published)


async def list_presets(call: ApiCall[LanguageQuery, None]) -> Items[PresetView]:
    return Items[PresetView](
        items=[PresetView(id=name, matrix=make(call.query.lang)) for name, make in PRESETS.items()]
    )


async def vocabulary(call: ApiCall[LanguageQuery, None]) -> Vocabulary:
    texts = TEXTS[call.query.lang]
    return Vocabulary(
        cells=[NamedView(name=cell, message=cell_in_words(cell, texts)) for cell in CELLS],
        actions=[NamedView(name=do, message=texts.word("matrix.action", do)) for do in ACTIONS],
        variables=[
            VariableView(name=n, message=texts.word("variable", n), sample=sample_of(n, texts))
            for n in VARIABLES
        ],
        filters=[NamedView(name=name, message=texts.word("filter", name)) for name in FILTERS],
    )


async def show_draft(call: ApiCall) -> DraftView:
    async with call.services.pool.acquire() as conn:
        return await draft_view(conn, call.account.id, await store.draft(conn, call.account.id))


async def save_draft(call: ApiCall[NoQuery, DraftChange]) -> DraftView:
    body = call.body
    account_id = call.account.id
    async with call.services.pool.acquire() as conn:
        saved = await matrices.save_draft(
            conn, account_id, body.matrix, revision=body.revision, by=call.who.name
        )
        return await draft_view(conn, account_id, saved)


async def reset_draft(call: ApiCall[NoQuery, DraftSeen]) -> DraftView:
    account_id = call.account.id
    async with call.services.pool.acquire() as conn:
        draft = await matrices.reset_draft(conn, account_id, revision=call.body.revision, by=call.who.name)
        return await draft_view(conn, account_id, draft)


async def rebase_draft(call: ApiCall[NoQuery, DraftSeen]) -> DraftView:
    account_id = call.account.id
    async with call.services.pool.acquire() as conn, refusals(conn, account_id):
        draft = await store.rebase_draft(conn, account_id, revision=call.body.revision, by=call.who.name)
        return await draft_view(conn, account_id, draft)


async def check_draft(call: ApiCall) -> ChecksView:
    async with call.services.pool.acquire() as conn:
        draft = await store.draft(conn, call.account.id)
        return await _checked(conn, call.account.id, draft.matrix)


async def check_matrix(call: ApiCall[NoQuery, MatrixToCheck]) -> ChecksView:
    async with call.services.pool.acquire() as conn:
        return await _checked(conn, call.account.id, call.body.matrix)


async def _checked(conn: Conn, account_id: str, matrix: Matrix) -> ChecksView:
    problems = await asyncio.to_thread(check, matrix, await catalogue_of(conn, account_id))
    return ChecksView(can_be_published=can_be_published(problems), problems=problems)


async def last_checks(call: ApiCall) -> LastChecks:
    async with call.services.pool.acquire() as conn:
        rows = [r for r in await reports(conn, call.account.id) if r["report"] == "matrix_checks"]
    if not rows:
        return LastChecks(can_be_published=True, problems=[], version=None, checked_at=None)
    body = rows[0]["body"]
    return LastChecks(
        can_be_published=not body["errors"],
        problems=[Problem.model_validate(p) for p in body["problems"]],
        version=body["version"],
        checked_at=rows[0]["at"],
    )


async def publish(call: ApiCall[NoQuery, Publication]) -> PublishedLine:
    body = call.body
    account_id = call.account.id
    async with call.services.pool.acquire() as conn:
        return line_of(
            await matrices.publish_draft(
                conn, account_id, revision=body.revision, by=call.who.name, why=body.why
            )
        )


async def list_versions(call: ApiCall) -> Items[PublishedLine]:
    async with call.services.pool.acquire() as conn:
        await store.current_version(conn, call.account.id)
        found = await store.versions(conn, call.account.id)
    return Items[PublishedLine](items=[line_of(p) for p in found])


async def show_version(call: ApiCall) -> PublishedView:
    asked = call.path["version"]
    async with call.services.pool.acquire() as conn, refusals(conn, call.account.id):
        version = await number_of(conn, call, asked)
        matrix = await store.matrix_at(conn, call.account.id, version)
        line = next(p for p in await store.versions(conn, call.account.id) if p.version == version)
    return PublishedView(**line_of(line).model_dump(), matrix=matrix)


async def number_of(conn: Conn, call: AnyCall, name: str) -> int:
    """Return the number of a version, `current` being the latest. Raises ApiError 404."""
    current = await store.current_version(conn, call.account.id)
    if name == "current":
        return current
    if not is_counted(name, LONGEST_VERSION):
        raise not_found("matrix-version", name)
    return int(name)


async def show_difference(call: ApiCall[DifferenceQuery, None]) -> Items[ChangeView]:
    query = call.query
    async with call.services.pool.acquire() as conn, refusals(conn, call.account.id):
        old, new = [await _body_of(conn, call, name) for name in (query.old, query.new)]
        catalogue = await catalogue_of(conn, call.account.id)
    changes = difference(old, new, call.texts(), catalogue)
    return Items[ChangeView](items=[ChangeView(kind=c.kind, where=c.where, text=c.text) for c in changes])


async def _body_of(conn: Conn, call: AnyCall, name: str) -> Matrix:
    if name == "draft":
        return (await store.draft(conn, call.account.id)).matrix
    return await store.matrix_at(conn, call.account.id, await number_of(conn, call, name))


async def restore(call: ApiCall[NoQuery, Restoration]) -> PublishedLine:
    account_id = call.account.id
    async with call.services.pool.acquire() as conn:
        version = await number_of(conn, call, call.path["version"])
        return line_of(
            await matrices.roll_back(conn, account_id, to=version, by=call.who.name, why=call.body.why)
        )


MATRIX = "/v1/accounts/{account}/matrix"
_DRAFT = MATRIX + "/draft"
_VERSION = MATRIX + "/versions/{version}"
ROUTES = (
    Route(
        method="GET",
        path=MATRIX + "/presets",
        handler=list_presets,
        summary="Matrices to begin with",
        role="read_only",
    ),
    Route(
        method="GET",
        path=MATRIX + "/vocabulary",
        handler=vocabulary,
        summary="Cells, actions, and the variables and filters of templates, in words",
        role="read_only",
    ),
    Route(
        method="GET",
        path=_DRAFT,
        handler=show_draft,
        summary="The draft with what its checks found",
        role="read_only",
    ),
    Route(
        method="PUT",
        path=_DRAFT,
        handler=save_draft,
        summary="Save the draft",
        description="409 when somebody else saved or published since `revision`: nothing is overwritten then.",
        role="senior_manager",
        errors=(409,),
    ),
    Route(
        method="POST",
        path=_DRAFT + "/reset",
        handler=reset_draft,
        summary="Forget all unpublished changes",
        role="senior_manager",
        errors=(409,),
    ),
    Route(
        method="POST",
        path=_DRAFT + "/rebase",
        handler=rebase_draft,
        summary="Keep the draft although another version was published after it was begun",
        role="senior_manager",
        errors=(409,),
    ),
    Route(
        method="GET",
        path=_DRAFT + "/checks",
        handler=check_draft,
        summary="What is wrong with the draft: cell, message, remedy",
        role="read_only",
    ),
    Route(
        method="POST",
        path=MATRIX + "/check",
        handler=check_matrix,
        summary="Check a matrix without saving it",
        role="read_only",
    ),
    Route(
        method="GET",
        path=MATRIX + "/checks",
        handler=last_checks,
        summary="What the last daily check of the published matrix found",
        role="read_only",
    ),
    Route(
        method="POST",
        path=MATRIX + "/publish",
        handler=publish,
        summary="Publish the draft as the next version",
        description="422 with all problems when its checks find errors; warnings do not keep it back. 409 when it decides like the published one.",
        status=201,
        errors=(409, 422),
    ),
    Route(
        method="GET",
        path=MATRIX + "/versions",
        handler=list_versions,
        summary="Published versions, newest first",
        role="read_only",
    ),
    Route(
        method="GET",
        path=_VERSION,
        handler=show_version,
        summary="One published version, by its number or `current`",
        role="read_only",
    ),
    Route(
        method="POST",
        path=_VERSION + "/restore",
        handler=restore,
        summary="Roll back: publish the body of this version as the next one",
        status=201,
        errors=(409,),
    ),
    Route(
        method="GET",
        path=MATRIX + "/difference",
        handler=show_difference,
        summary="The difference between any two versions, in words",
        role="read_only",
    ),
)
