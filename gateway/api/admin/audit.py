"""Who changed what."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from gateway.admin.input_words import COUNTED
from gateway.admin.refused import InputRefused
from gateway.api.frame import Answer, ApiCall, Body, Items, Route, not_found
from gateway.api.sent_time import SentTime
from gateway.store.admin.audit import (
    AUDIT_KINDS,
    AuditFilter,
    Door,
    WhoKind,
    audit_entries,
    is_audit_kind,
)

Name = Annotated[str, Field(min_length=1, max_length=200)]


class AuditQuery(Body):
    """account: only of this one; a token that is for one account sees that one alone."""

    account: Name | None = None
    what: (
        Annotated[str, Field(description="account, settings, connection, employee, token, user, matrix, …")]
        | None
    ) = None
    object: Name | None = None
    who: Name | None = None
    since: SentTime | None = None
    until: SentTime | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50
    after: Annotated[str, Field(pattern=COUNTED, description="`next` of the page before")] | None = None


class AuditEntryView(Answer):
    """who: the token's or user's name, or who was at the command line. before, after: what differs, by dotted names;
    secrets only as set or changed."""

    id: str
    at: datetime
    account: str | None
    who_kind: WhoKind
    who: str
    door: Door
    address: str
    what: str
    object: str
    action: str
    before: dict[str, Any] | None
    after: dict[str, Any] | None


async def list_changes(call: ApiCall[AuditQuery, None]) -> Items[AuditEntryView]:
    query = call.query
    if call.who.account_id is not None and query.account not in (None, call.who.account_id):
        raise not_found("account", query.account or "")
    wanted = AuditFilter(
        account_id=call.who.account_id or query.account,
        what=query.what,
        object=query.object,
        who=query.who,
        since=query.since,
        until=query.until,
        before=int(query.after) if query.after is not None else None,
    )
    async with call.services.pool.acquire() as conn:
        if query.what is not None and not await is_audit_kind(conn, query.what):
            remedy = f"name one of {', '.join(AUDIT_KINDS)}"
            raise InputRefused("what", f"nothing is kept about such a thing as '{query.what}'", remedy)
        found = await audit_entries(conn, wanted, limit=query.limit)
    items = [
        AuditEntryView(
            id=str(e.seq),
            account=e.account_id,
            **{n: getattr(e, n) for n in AuditEntryView.model_fields if n not in ("id", "account")},
        )
        for e in found
    ]
    return Items[AuditEntryView](items=items, next=items[-1].id if len(items) == query.limit else None)


ROUTES = (
    Route(
        method="GET",
        path="/v1/audit",
        handler=list_changes,
        summary="Who changed what, newest first",
    ),
)
