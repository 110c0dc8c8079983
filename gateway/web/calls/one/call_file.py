"""All that is read for the page of one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from crm.store.clients import client_of
from gateway.decisions.names_then import NamesThen, names_now, names_then
from gateway.decisions.of_call import decisions_about
from gateway.pbx.connection import Connection
from gateway.store.calls.calls import NoSuchCall
from gateway.store.calls.calls import call as stored_call
from gateway.store.calls.journal import CallCounts, CallFilter, count_of, page_of, place_of
from gateway.store.decisions.decisions import Explained
from gateway.store.intake.inbox import InboxRow, rows_of_calls
from gateway.web.calls.one.entities_now import entities_now
from gateway.web.calls.seen import may_see_call, no_call_to_see
from gateway.web.frame import AnyPageCall
from routing.calls.generations import first_key
from routing.client import Client, ClientEntity
from routing.client_work.values import CallRow
from routing.settings import NumberPolicy
from runtime.database.pool import Conn

_HISTORY = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFile:
    """names: of the moment of each decision, as they stand in `decisions`; now: present ones. entities: of the decisions, as the
    directory has them now. client: None without a number. before: the client's call before this one; is_before_open: to who looks
    at this one. messages: what the PBX told."""

    row: CallRow
    decisions: Sequence[Explained]
    names: Sequence[NamesThen]
    now: NamesThen
    entities: Mapping[tuple[str, str], ClientEntity]
    client: Client | None
    history: CallCounts | None
    before: CallRow | None
    is_before_open: bool
    messages: Sequence[InboxRow]
    connection: Connection | None
    policy: NumberPolicy

    def of_kind(self, kind: str) -> list[tuple[Explained, NamesThen]]:
        pairs = zip(self.decisions, self.names, strict=True)
        return [(told, names) for told, names in pairs if told.decision.kind == kind]

    @property
    def lookup(self) -> tuple[Explained, NamesThen] | None:
        return next(iter(self.of_kind("lookup")), None)


async def call_file(call: AnyPageCall, conn: Conn, call_id: str) -> CallFile:
    """Raise PageRefused where there is no such call, or none that this person may see."""
    account_id, snapshot = call.account.id, call.services.configuration.now
    try:
        row = await stored_call(conn, account_id, call_id)
    except NoSuchCall as err:
        raise no_call_to_see(call) from err
    now = await names_now(conn, account_id)
    if not await may_see_call(call, conn, row, now.staff):
        raise no_call_to_see(call)
    mine = [c for c in snapshot.connections.values() if c.account_id == account_id]
    connection = next((c for c in mine if c.id == row.connection_id), None)
    policy = snapshot.policies[connection.name] if connection else snapshot.policy_of(account_id)
    decisions = await decisions_about(conn, row, policy)
    before = await _before(conn, row)
    return CallFile(
        row=row,
        decisions=decisions,
        names=await names_then(conn, [told.decision for told in decisions]),
        now=now,
        entities=await entities_now(conn, account_id, decisions),
        client=await client_of(conn, account_id, row.client) if row.client else None,
        history=await _history(conn, row),
        before=before,
        is_before_open=before is not None and await may_see_call(call, conn, before, now.staff),
        messages=await rows_of_calls(conn, account_id, [(row.connection_id, first_key(row.call_key))]),
        connection=connection,
        policy=policy,
    )


async def _history(conn: Conn, row: CallRow) -> CallCounts | None:
    if row.client is None:
        return None
    since = row.call.started_at - _HISTORY
    return await count_of(conn, row.account_id, CallFilter(clients=(row.client,), since=since), at_most=100)


async def _before(conn: Conn, row: CallRow) -> CallRow | None:
    if row.client is None:
        return None
    wanted = CallFilter(clients=(row.client,))
    found = await page_of(conn, row.account_id, wanted, place=place_of(row), limit=1)
    return found[0] if found else None
