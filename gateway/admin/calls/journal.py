"""What somebody asks of the journal of calls, as a filter: the same for the API and the pages."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from gateway.admin.refused import InputRefused
from gateway.store.admin.accounts import Account, connections
from gateway.store.admin.staff import staff_of
from gateway.store.calls.journal import CallFilter, CallResult, CrmWrites
from routing.calls.model import Direction
from routing.client import ClientKind
from routing.client_work.call import line_spelled
from routing.lookup.reasons import REASONS
from routing.matrix.model import ROWS, CallOutcome
from routing.numbers.normalise import PublicNumber, normalise
from routing.settings import NumberPolicy
from routing.staff import Employee
from runtime.database.pool import Conn

_END_OF_NUMBER = re.compile(r"[0-9]{3,6}", re.ASCII)

_RESULT_OF: dict[CallOutcome, CallResult] = {
    CallOutcome.RINGING: "under_way",
    CallOutcome.ANSWERED: "answered",
    CallOutcome.ANSWERED_BY_UNKNOWN: "unknown",
    CallOutcome.MISSED: "missed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class CallsAsked:
    """As a person writes it. client: a number in any spelling, or its last 3 to 6 digits. connection: its name. kind: a row of the
    matrix. reason: of the PBX's question."""

    since: datetime | None = None
    until: datetime | None = None
    client: str | None = None
    line: str | None = None
    connection: str | None = None
    employee: str | None = None
    direction: Direction | None = None
    result: CallResult | None = None
    kind: str | None = None
    reason: str | None = None
    writes: CrmWrites | None = None


async def call_filter(conn: Conn, account: Account, policy: NumberPolicy, asked: CallsAsked) -> CallFilter:
    """Return the filter. policy: how the account's numbers are read. Raises InputRefused for the part that nothing can be."""
    client, end = _client(asked.client, policy)
    direction, result, client_kind = _kind(asked)
    if asked.reason is not None and asked.reason not in REASONS:
        raise InputRefused("reason", "There is no such reason.", f"Choose one of {', '.join(REASONS)}.")
    person = await _person(conn, account.id, asked.employee)
    return CallFilter(
        since=asked.since,
        until=asked.until,
        clients=client,
        client_end=end,
        line=line_spelled(asked.line, policy) if asked.line else None,
        connection=await _connection(conn, account.id, asked.connection),
        employee=person.id if person else None,
        addresses=(*person.extensions, *person.sip, *person.numbers) if person else (),
        direction=direction,
        result=result,
        client_kind=client_kind,
        reason=asked.reason,
        writes=asked.writes,
    )


def _client(spelled: str | None, policy: NumberPolicy) -> tuple[tuple[str, ...] | None, str | None]:
    """Return (the number, its end): one of both, or neither."""
    if spelled is None:
        return None, None
    number = normalise(spelled, policy)
    if isinstance(number, PublicNumber):
        return (number.e164,), None
    if _END_OF_NUMBER.fullmatch(spelled.strip()):
        return None, spelled.strip()
    raise InputRefused(
        "client",
        "This is not a phone number.",
        "Write the number in any spelling, or its last 3 to 6 digits.",
    )


def _kind(asked: CallsAsked) -> tuple[Direction | None, CallResult | None, ClientKind | None]:
    """Return direction, result and kind of client; where a row of the matrix says something else, there is no such call."""
    if asked.kind is None:
        return asked.direction, asked.result, None
    if asked.kind not in ROWS:
        raise InputRefused("kind", "The matrix has no such row.", "Write it as inbound.missed.new.")
    direction, outcome, client = asked.kind.split(".")
    result = _RESULT_OF[CallOutcome(outcome)]
    if direction != "inbound" and result == "missed":
        result = "not_reached"
    if asked.direction not in (None, direction) or asked.result not in (None, result):
        raise InputRefused(
            "kind", "The row is of other calls than direction and result say.", "Leave one of them out."
        )
    return "inbound" if direction == "inbound" else "outbound", result, ClientKind(client)


async def _person(conn: Conn, account_id: str, employee: str | None) -> Employee | None:
    if employee is None:
        return None
    person = (await staff_of(conn, account_id)).by_id.get(employee)
    if person is None:
        raise InputRefused("employee", "There is no such employee.", "Write an id of the list of employees.")
    return person


async def _connection(conn: Conn, account_id: str, name: str | None) -> str | None:
    if name is None:
        return None
    found = next((c.id for c in await connections(conn, account_id) if c.name == name), None)
    if found is None:
        raise InputRefused(
            "connection", "There is no such connection.", "Write the name of one of the account's."
        )
    return found
