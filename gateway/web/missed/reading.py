"""What the pages of missed calls show, read from the database: of a manager only what is theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from crm.store.clients import entities_of, names_of_numbers
from gateway.decisions.names_then import NamesThen, names_now
from gateway.store.admin.accounts import connections
from gateway.store.calls.case_lists import ClosedCase, LineOfCall, closed_cases, lines_of_calls
from gateway.store.calls.missed_calls import open_cases
from gateway.web.frame import AnyPageCall
from gateway.web.missed.whose import owner_of
from gateway.web.now.reading import Waiting, waited
from routing.client import ClientEntity
from routing.missed_calls import Case
from runtime.database.pool import Conn

MOST_OPEN = 500
"""So many of those that wait are read, the longest first."""


class BesideCases(NamedTuple):
    """What stands beside cases. names: of clients by number. deals: by (kind, id). lines: of calls by id; connections: names by id."""

    names: Mapping[str, str]
    people: NamesThen
    deals: Mapping[tuple[str, str], ClientEntity]
    lines: Mapping[str, LineOfCall]
    connections: Mapping[str, str]


async def waiting_cases(call: AnyPageCall, most: int = MOST_OPEN) -> list[Waiting]:
    """Return the longest first, by working time."""
    async with call.connection() as conn:
        found = await open_cases(conn, call.account.id, owner_id=owner_of(call), limit=most)
    return [Waiting(case, waited(case, call.account, call.now)) for case in found]


async def beside(conn: Conn, call: AnyPageCall, cases: Sequence[Case]) -> BesideCases:
    account_id = call.account.id
    targets = {(c.target.kind, c.target.id) for c in cases if c.target and c.target.id}
    return BesideCases(
        await names_of_numbers(conn, account_id, {case.client for case in cases if case.client}),
        await names_now(conn, account_id),
        await entities_of(conn, account_id, [(kind, id) for kind, id in targets if id]),
        await lines_of_calls(conn, account_id, {case.missed_calls[-1] for case in cases}),
        {one.id: one.name for one in await connections(conn, account_id)},
    )


async def closed_with_names(
    call: AnyPageCall, *, limit: int, before: datetime | None = None
) -> tuple[list[ClosedCase], Mapping[str, str], NamesThen]:
    """before: when the last that was shown was closed."""
    async with call.connection() as conn:
        found = await closed_cases(conn, call.account.id, before=before, owner_id=owner_of(call), limit=limit)
        names = await names_of_numbers(conn, call.account.id, {one.client for one in found if one.client})
        return found, names, await names_now(conn, call.account.id)
