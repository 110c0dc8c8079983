"""The configuration of an account as one document, the same as `callmatrix config export|import` in JSON."""

from __future__ import annotations

from pydantic import Field

from gateway.admin.config_document import ConfigDocument, ConfigRefused
from gateway.admin.config_import import Imported, export_config, import_config
from gateway.api.frame import Answer, AnyCall, ApiCall, ApiError, Body, Route, may_see


class ImportQuery(Body):
    dry_run: bool = Field(False, description="check and tell the difference, change nothing")


class NewSecretView(Answer):
    connection: str
    kind: str
    secret: str


class ImportedView(Answer):
    """changes: in words. new_secrets: of connections that were created; shown once. version: of the matrix if published."""

    changes: list[str]
    warnings: list[str]
    new_secrets: list[NewSecretView]
    version: int | None
    tests: int
    is_dry_run: bool


async def export(call: ApiCall) -> ConfigDocument:
    async with call.services.pool.acquire() as conn:
        return _as_bound(await export_config(conn, call.account.id), call)


def _as_bound(document: ConfigDocument, call: AnyCall) -> ConfigDocument:
    """Leave out templates and schedules that the token is not bound to. What a document does not name stays when it is
    taken over again."""
    seen = {
        "templates": [t for t in document.templates or () if may_see(call, t.name)],
        "attachments": [a for a in document.attachments or () if may_see(call, a.template)],
        "schedules": {n: s for n, s in (document.schedules or {}).items() if may_see(call, schedule=n)},
    }
    return document.model_copy(update={name: of or None for name, of in seen.items()})


async def take_over(call: ApiCall[ImportQuery, ConfigDocument]) -> ImportedView:
    document = call.body
    query = call.query
    if document.account not in (None, call.account.id):
        raise ApiError(
            422,
            "config-refused",
            f"The document is of account '{document.account}'.",
            detail="Remove 'account' from it to give its configuration to this one.",
            field="account",
        )
    async with call.services.pool.acquire() as conn:
        try:
            done: Imported = await import_config(
                conn,
                call.account.id,
                document,
                by=call.who.name,
                kinds=call.services.kinds,
                allowed=call.services.allowed_to(call.who),
                is_dry_run=query.dry_run,
            )
        except ConfigRefused as err:
            first = err.problems[0]
            raise ApiError(
                422,
                err.code,
                "The configuration was not taken; nothing has changed.",
                detail=first.in_words(),
                field=first.path,
                problems=[
                    {"field": p.path, "message": p.message, "remedy": p.remedy, "code": p.code}
                    for p in err.problems
                ],
            ) from err
    return ImportedView.model_validate(done)


_PATH = "/v1/accounts/{account}/config"
ROUTES = (
    Route(
        method="GET",
        path=_PATH,
        handler=export,
        summary="The whole configuration of an account, without secrets",
    ),
    Route(
        method="PUT",
        path=_PATH,
        handler=take_over,
        summary="Take over a configuration: all or nothing",
        description="Sections that are absent stay. Repeating it changes nothing.",
        errors=(422,),
    ),
)
