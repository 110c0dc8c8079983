"""By distribution template, inside a client's job: asked without holding anything, and booked under the template's lock.

A decision is taken from what the ledgers said; where somebody else picked meanwhile, it is taken anew with what they say now.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from gateway.at_work import AtWork
from gateway.calls.context import JobContext
from gateway.store.admin.accounts import Account
from gateway.store.distribution.ledgers import BookedEntry, enter, save_ledgers
from gateway.store.distribution.turns import (
    GivenCall,
    StoredTurns,
    give_call,
    picked_for_call,
    turns_now,
)
from routing.client import Client
from routing.client_work.values import Act, CallRow, MomentDecided
from routing.matrix.by_template.turns import NO_TURNS, BookedTurn, CallTurns, TemplateNow, named_templates
from routing.matrix.model import Matrix
from routing.one_person import person_of
from routing.staff import Staff
from runtime.database.pool import Conn


async def turns_of(context: JobContext, matrix: Matrix, call_id: str, client: Client) -> CallTurns:
    """Return what templates say that this matrix names, as things are now."""
    known = await turns_asked(
        context.conn, context.account, context.staff, context.at_work, matrix, client, context.now
    )
    if not known.templates:
        return known
    picked = await picked_for_call(context.conn, context.account.id, call_id)
    return known.model_copy(update={"picked": picked})


async def turns_asked(
    conn: Conn,
    account: Account,
    staff: Staff,
    at_work: AtWork,
    matrix: Matrix,
    client: Client,
    now: datetime,
) -> CallTurns:
    """Return the same for a call that was never given to anybody: what books nothing asks."""
    only = person_of(account.settings.one_person, client, staff)
    names = named_templates(matrix)
    if not names:
        return CallTurns(only=only) if only else NO_TURNS
    stored = await turns_now(conn, account.id, names, staff, now)
    return CallTurns(templates=_known(stored, account, staff, at_work, now), only=only)


NOBODY = Client(number="")
"""Where only templates are asked for."""


def turns_of_client(known: CallTurns, client: Client, account: Account, staff: Staff) -> CallTurns:
    """Return the same for another client."""
    only = person_of(account.settings.one_person, client, staff)
    return known if only == known.only else known.model_copy(update={"only": only})


async def held_turns(context: JobContext, known: CallTurns, names: Collection[str]) -> CallTurns:
    """Return them with these templates as they are now; nobody else picks by them until this transaction ends."""
    stored = await turns_now(context.conn, context.account.id, names, context.staff, context.now, hold=True)
    held = _known(stored, context.account, context.staff, context.at_work, context.now)
    others = {name: now for name, now in known.templates.items() if name not in names}
    return known.model_copy(update={"templates": {**others, **held}})


def picking(acts: Sequence[Act]) -> frozenset[str]:
    """Return templates whose ledgers these acts would move."""
    return frozenset(
        turn.template for act in acts if isinstance(act, MomentDecided) for turn in act.turns if turn.entries
    )


async def book(context: JobContext, row: CallRow, act: MomentDecided) -> None:
    """Book what a decision has templates book; their rows are held by this transaction."""
    for turn in act.turns:
        item_id = await give_call(context.conn, context.account.id, _given(context, row, act, turn))
        if item_id is None or not turn.entries:
            continue
        conn, account_id = context.conn, context.account.id
        before = act.situation.turns.templates[turn.template].ledgers
        await save_ledgers(conn, account_id, turn.template, {**before, **turn.ledgers})
        booked = [BookedEntry(item_id, act.decision_id, entry) for entry in turn.entries]
        await enter(conn, account_id, turn.template, booked, context.now)


def _given(context: JobContext, row: CallRow, act: MomentDecided, turn: BookedTurn) -> GivenCall:
    return GivenCall(
        call_id=row.call_id,
        template=turn.template,
        version=turn.version,
        state=turn.outcome,
        reason=turn.reason,
        employee_id=turn.employee_id,
        decision_id=act.decision_id,
        entered_at=row.call.started_at + row.clock_offset,
        at=context.now,
    )


def _known(
    stored: Mapping[str, StoredTurns], account: Account, staff: Staff, at_work: AtWork, now: datetime
) -> dict[str, TemplateNow]:
    people = [person.id for person in staff.employees]
    return {
        name: TemplateNow(
            version=turns.version,
            template=turns.template,
            ledgers=dict(turns.ledgers),
            standings=at_work.counted(account.id, turns, people, now),
        )
        for name, turns in stored.items()
    }
