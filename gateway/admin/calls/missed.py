"""What a person orders for a missed call that waits: take it, close it with a note, have the client called back."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import NamedTuple

from gateway.admin.refused import InputRefused, NothingOfThatName
from gateway.calls.call import carry_out_by_hand
from gateway.calls.client_job import ClientJob
from gateway.outbound.around import CallingAccount
from gateway.outbound.people import extension_of
from gateway.store.admin.audit import AuditChange, record
from gateway.store.calls import missed_calls as cases
from gateway.store.calls.calls import NoSuchCall, call, lock_client
from gateway.store.outbound.adding import WAITS_FOR, add_asked
from gateway.store.outbound.of_clients import stop_call_backs
from routing.effects import CallClient
from routing.missed_calls import Case, CaseOrder
from routing.staff import Employee
from runtime.database.pool import Conn

_LONGEST_NOTE = 500


class CallBackBy(NamedTuple):
    """Through which PBX a client can be called back, and what they see. line: None = as the PBX chooses."""

    connection: str
    line: str | None


async def the_case(conn: Conn, account_id: str, case_id: str) -> Case:
    """Raise NothingOfThatName."""
    try:
        return await cases.case(conn, account_id, case_id)
    except cases.NoSuchCase as err:
        raise NothingOfThatName("case", case_id, "cases open") from err


async def take_case(conn: Conn, job: ClientJob, account_id: str, case_id: str, person: Employee) -> Case:
    """Give the task of an open case to this person. Run it inside a transaction. Raise NothingOfThatName, InputRefused."""
    if not person.crm_user_id:
        raise InputRefused(
            "employee",
            f"{person.name} is no user of the CRM",
            "whoever looks after the installation links the employee to a user of the CRM",
        )
    return await _ordered(conn, job, account_id, case_id, person.name, owner_id=person.crm_user_id)


async def close_case(conn: Conn, job: ClientJob, account_id: str, case_id: str, by: str, note: str) -> Case:
    """Close an open case without a talk. note: why. Run it inside a transaction. Raise NothingOfThatName, InputRefused."""
    said = note.strip()
    if len(said) < 3 or len(said) > _LONGEST_NOTE:
        raise InputRefused("note", "it is not said why", f"say it in 3 to {_LONGEST_NOTE} characters")
    return await _ordered(conn, job, account_id, case_id, by, note=said)


async def _ordered(
    conn: Conn,
    job: ClientJob,
    account_id: str,
    case_id: str,
    by: str,
    *,
    owner_id: str | None = None,
    note: str = "",
) -> Case:
    before = await the_case(conn, account_id, case_id)
    await lock_client(conn, account_id, before.client)
    before = await the_case(conn, account_id, case_id)
    if before.state == "closed":
        raise CaseClosed("case", "it is closed already", "nothing needs to be done")
    context = await job.context(conn, account_id)
    order = CaseOrder(at=context.now, by=by, owner_id=owner_id, note=note)
    decided = await carry_out_by_hand(context, before, order)
    after = decided.decision.case or before
    change = AuditChange(
        what="case",
        object=case_id,
        action="closed" if after.state == "closed" else "taken",
        account_id=account_id,
        before={"owner": before.owner_id, "state": before.state},
        after={"owner": after.owner_id, "state": after.state},
    )
    await record(conn, change)
    return after


class CaseClosed(InputRefused):
    """Somebody closed the case meanwhile."""

    code = "case-moved"


async def way_to_call_back(conn: Conn, around: CallingAccount, case: Case) -> CallBackBy | None:
    """Return the PBX that the client rang last, if it can place calls, else another that can; None: none can."""
    try:
        row = await call(conn, around.id, case.missed_calls[-1])
    except NoSuchCall:
        row = None
    for name, pbx in around.pbxs.items():
        if row is not None and pbx.connection.id == row.connection_id:
            return CallBackBy(name, row.line)
    return next((CallBackBy(name, None) for name in around.pbxs), None)


async def call_back(
    conn: Conn, around: CallingAccount, case_id: str, person: Employee, now: datetime
) -> datetime:
    """Have this person's phone rung, then the client's. Run it inside a transaction. Return until when it is tried again where
    nobody picks up. Raise NothingOfThatName, InputRefused."""
    case = await the_case(conn, around.id, case_id)
    way = await way_to_call_back(conn, around, case)
    if way is None:
        raise InputRefused("connection", "no PBX can place calls", "call from the phone instead")
    if extension_of(person) is None:
        remedy = "whoever looks after the installation gives the employee one"
        raise InputRefused("employee", f"{person.name} has no extension", remedy)
    order = CallClient(
        number=case.client,
        employee_id=person.id,
        connection=way.connection,
        line=way.line,
        task_when_failed=False,
        deal_id=case.target.id if case.target and case.target.kind == "deal" else None,
        contact_id=case.target.id if case.target and case.target.kind == "contact" else None,
    )
    item_id = f"by-hand-{secrets.token_hex(8)}"
    if not await add_asked(conn, around.id, item_id, order, now):
        raise CallBackWaits("case", "this client waits to be called already", "wait for that call")
    change = AuditChange(
        what="case", object=case_id, action="called", account_id=around.id, after={"by": person.id}
    )
    await record(conn, change)
    return now + WAITS_FOR


async def stop_call_back(conn: Conn, account_id: str, case_id: str, now: datetime) -> bool:
    """Have nobody's phone rung for this client any more; a phone that rings rings to its end. Run it inside a transaction. False:
    there was nothing to stop. Raise NothingOfThatName."""
    case = await the_case(conn, account_id, case_id)
    if not await stop_call_backs(conn, account_id, case.client, now):
        return False
    await record(conn, AuditChange(what="case", object=case_id, action="stopped", account_id=account_id))
    return True


class CallBackWaits(InputRefused):
    """The client stands in the queue already, or is being called."""

    code = "call-back-taken"
