"""What the pages of missed calls show, read from the database: of a manager only what is theirs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from crm.store.clients import entities_of, names_of_numbers
from gateway.decisions.names_then import NamesThen, names_now
from gateway.store.admin.accounts import connections
from gateway.store.calls.case_lists import CallOfCase, ClosedCase, calls_of_cases, closed_cases, created_by
from gateway.store.calls.missed_calls import open_cases
from gateway.store.outbound.of_clients import OpenCallBack, open_call_backs
from gateway.web.frame import AnyPageCall
from gateway.web.missed.whose import owner_of
from gateway.web.now.reading import Waiting, waited
from routing.client import ClientEntity, Ref
from routing.missed_calls import Case
from runtime.database.pool import Conn

MOST_OPEN = 500
"""So many of those that wait are read, the longest first."""


class BesideCases(NamedTuple):
    """What stands beside cases. names: of clients by number. cards: where their tasks stand, by case; entities: by (kind, id), as the
    CRM has them now. calls: by id, the first and the latest of each case. connections: names by id.
    call_backs: that wait or are under way, by client."""

    names: Mapping[str, str]
    people: NamesThen
    cards: Mapping[str, Ref]
    entities: Mapping[tuple[str, str], ClientEntity]
    calls: Mapping[str, CallOfCase]
    connections: Mapping[str, str]
    call_backs: Mapping[str, OpenCallBack]


async def waiting_cases(call: AnyPageCall, most: int = MOST_OPEN) -> list[Waiting]:
    """Return the longest first, by working time."""
    async with call.connection() as conn:
        found = await open_cases(conn, call.account.id, owner_id=owner_of(call), limit=most)
    return [Waiting(case, waited(case, call.account, call.now)) for case in found]


async def beside(conn: Conn, call: AnyPageCall, cases: Sequence[Case]) -> BesideCases:
    account_id = call.account.id
    cards = await _cards(conn, account_id, cases)
    return BesideCases(
        await names_of_numbers(conn, account_id, {case.client for case in cases if case.client}),
        await names_now(conn, account_id),
        cards,
        await entities_of(conn, account_id, {(ref.kind, ref.id) for ref in cards.values() if ref.id}),
        await calls_of_cases(
            conn, account_id, {id for case in cases for id in (case.id, case.missed_calls[-1])}
        ),
        {one.id: one.name for one in await connections(conn, account_id)},
        await open_call_backs(conn, account_id, {case.client for case in cases if case.client}),
    )


async def _cards(conn: Conn, account_id: str, cases: Sequence[Case]) -> dict[str, Ref]:
    """Return where the task of each case stands: of what the call itself created, the card it has become."""
    ordered = {case.target.effect for case in cases if case.target and case.target.effect}
    ids = await created_by(conn, account_id, ordered)
    return {case.id: _card(case.target, ids) for case in cases if case.target}


def _card(ref: Ref, ids: Mapping[str, str]) -> Ref:
    id = ids.get(ref.effect) if ref.effect else None
    return Ref(kind=ref.kind, id=id) if id else ref


async def closed_with_names(
    call: AnyPageCall, *, limit: int, before: datetime | None = None
) -> tuple[list[ClosedCase], Mapping[str, str], NamesThen]:
    """before: when the last that was shown was closed."""
    async with call.connection() as conn:
        found = await closed_cases(conn, call.account.id, before=before, owner_id=owner_of(call), limit=limit)
        names = await names_of_numbers(conn, call.account.id, {one.client for one in found if one.client})
        return found, names, await names_now(conn, call.account.id)
