"""Shift change, as a person sets and orders it: the policy, moves by hand, and what one would take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil
from typing import Any, Literal

from pydantic import ValidationError

from crm.effects.store.work import is_on
from crm.portions import BATCH_LIMIT
from crm.store.metadata import pipelines_of
from crm.store.owned_deals import KnownOwned, entities_now, open_deals
from gateway.admin.input_words import CRM_NUMBER_REMEDY, problems_of
from gateway.admin.protection.grants import refuse_other_template
from gateway.admin.refused import InputRefused, NothingOfThatName
from gateway.shift_change.receivers import Presences, roster_now
from gateway.shift_change.reserved import with_reserved
from gateway.shift_change.work import break_off
from gateway.store.admin import accounts as rows
from gateway.store.admin.audit import AuditChange, record
from gateway.store.admin.staff import staff_of
from gateway.store.distribution.templates import template_names
from gateway.store.shift_change import moves, policies, runs
from gateway.store.shift_change.runs import PersonIsMoved, RunCounts, ShiftRun
from routing.client import EntityKind
from routing.shift_change.deals import why_stays
from routing.shift_change.policy import PolicyProblem, ShiftPolicy, no_numbers, problems
from routing.shift_change.returning import why_kept
from runtime.database.pool import Conn

ShiftAct = Literal["pause", "resume", "stop"]
MoveKind = Literal["away", "return"]
_SAID: Mapping[ShiftAct, str] = {"pause": "paused", "resume": "resumed", "stop": "stopped"}
_USUAL = 50  # deals in a request, as the CRM's documentation advises

_WORDS: Mapping[str, tuple[str, str]] = {
    "shift-no-pipeline": (
        "no pipeline is set for shift change, so that no deals would move",
        "name those whose deals move, e.g. 'callmatrix shift set --pipeline 8001'",
    ),
    "shift-no-such-pipeline": (
        "the CRM has no pipeline '{value}'",
        "see 'callmatrix sync', or write another id",
    ),
    "shift-no-number-of-pipeline": ("'{value}' is no number of a pipeline", CRM_NUMBER_REMEDY),
    "shift-no-number-of-deal": ("'{value}' is no number of a deal", CRM_NUMBER_REMEDY),
    "shift-no-number-of-field": (
        "'{value}' is no number of a custom field",
        "write the number that the custom field has in the CRM",
    ),
    "shift-no-such-group": ("no employee is in the group '{value}'", "see 'callmatrix employees list'"),
    "shift-no-template": (
        "no template is set for shift change: nothing says who gets the deals",
        "name one, e.g. 'callmatrix shift set --template sales'",
    ),
    "shift-no-such-template": ("there is no template '{value}'", "see 'callmatrix template list'"),
}


class ShiftRefused(InputRefused):
    """This cannot be moved now, or not so. code: of what stands in the way."""

    def __init__(self, code: str, field: str, message: str, remedy: str) -> None:
        super().__init__(field, message, remedy)
        self.code = code  # type: ignore[misc]  # of this one refusal


class NoSuchShiftRun(ShiftRefused):
    """There is no move of this number, or it is forgotten."""

    def __init__(self, run_id: int) -> None:
        super().__init__(
            "no-such-shift-run", "run", f"there is no move {run_id}", "see 'callmatrix shift runs'"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MovePreview:
    """What a move would do now, by the directory; nothing is asked of the CRM. deals: that would move; stay: reason -> how
    many; contacts, companies: that go along. receivers: employees who are not offline and would share them. requests: at 250
    deals each; requests_usual: at 50. Tasks are listed when it begins, 250 in a request."""

    kind: MoveKind
    employee_id: str
    deals: int
    waiting: int
    stay: Mapping[str, int]
    contacts: int
    companies: int
    receivers: tuple[str, ...]
    requests: int
    requests_usual: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunProgress:
    run: ShiftRun
    counts: RunCounts


def policy_from(told: Mapping[str, Any]) -> ShiftPolicy:
    """Raise InputRefused for what cannot be."""
    try:
        return ShiftPolicy.model_validate(told)
    except ValidationError as err:
        field, message = problems_of(err, "shift change")[0]
        raise InputRefused(field, message, "see docs/reference/shift-change.md") from err


async def show_policy(conn: Conn, account_id: str) -> ShiftPolicy:
    await rows.account(conn, account_id)
    return await policies.policy_of(conn, account_id)


async def save_policy(conn: Conn, account_id: str, policy: ShiftPolicy, by: str) -> ShiftPolicy:
    """Raise InputRefused, NotBoundTo; nothing is stored then."""
    async with conn.transaction():
        await rows.account(conn, account_id)
        before = await policies.policy_of(conn, account_id)
        if policy != before:
            for template in (before.template, policy.template):
                refuse_other_template(template or None)
        found = [*await policy_problems(conn, account_id, policy), *no_numbers(policy)]
        if found:
            raise _refused(found)
        await policies.save_policy(conn, account_id, policy, by)
    return policy


async def policy_problems(conn: Conn, account_id: str, policy: ShiftPolicy) -> list[PolicyProblem]:
    pipelines = await pipelines_of(conn, account_id)
    staff = await staff_of(conn, account_id)
    return problems(
        policy,
        pipelines=[p.id for p in pipelines] if pipelines else None,
        groups=[p.group for p in staff.employees if p.group],
        templates=await template_names(conn, [account_id]),
    )


async def preview(
    conn: Conn, account_id: str, employee_id: str, kind: MoveKind, presences: Presences
) -> MovePreview:
    """Raise InputRefused, also where a move could not begin because too little is set; NotBoundTo."""
    policy = await show_policy(conn, account_id)
    refuse_other_template(policy.template or None)
    user = await _user_of(conn, account_id, employee_id)
    await _refuse_unset(conn, account_id, policy)
    roster = await roster_now(conn, account_id, policy)
    people = await presences(conn, account_id)
    left = [
        one
        for one in (roster.people if roster else ())
        if one != employee_id and not (one in people and people[one].is_off)
    ]
    if kind == "return":
        return await _preview_return(conn, account_id, policy, employee_id, user)
    known = await open_deals(conn, account_id, user, policy.pipelines)
    deals = await with_reserved(conn, account_id, [one.deal for one in known], user)
    why = {deal.id: why_stays(policy, deal, user) for deal in deals}
    going = [one for one in known if why[one.deal.id] is None]
    cards = await _cards_along(conn, account_id, policy, going, user)
    return MovePreview(
        kind=kind,
        employee_id=employee_id,
        deals=len(going),
        waiting=sum(one.deal.waiting_since is not None for one in going),
        stay=Counter(reason for reason in why.values() if reason is not None),
        contacts=cards["contact"],
        companies=cards["company"],
        receivers=tuple(left),
        requests=_requests(policy, len(going), cards, BATCH_LIMIT),
        requests_usual=_requests(policy, len(going), cards, _USUAL),
    )


async def _preview_return(
    conn: Conn, account_id: str, policy: ShiftPolicy, employee_id: str, user: str
) -> MovePreview:
    owed = await moves.owed_deals(conn, account_id, user)
    why = {deal.id: why_kept(policy, deal, user) for deal in owed}
    going = [deal.id for deal in owed if why[deal.id] is None]
    along = Counter(one.kind for one in await moves.owed_along(conn, account_id, user, going))
    return MovePreview(
        kind="return",
        employee_id=employee_id,
        deals=len(going),
        waiting=0,
        stay=Counter(reason for reason in why.values() if reason is not None),
        contacts=along["contact"],
        companies=along["company"],
        receivers=(employee_id,),
        requests=_requests(policy, len(going), along, BATCH_LIMIT),
        requests_usual=_requests(policy, len(going), along, _USUAL),
    )


async def _cards_along(
    conn: Conn, account_id: str, policy: ShiftPolicy, going: list[KnownOwned], user: str
) -> Counter[str]:
    cards: set[tuple[EntityKind, str]] = set()
    for one in going:
        cards |= {("contact", id) for id in one.contacts if "contact" in policy.goes_along}
        cards |= {("company", id) for id in one.companies if "company" in policy.goes_along}
    now = await entities_now(conn, account_id, cards)
    return Counter(kind for (kind, _), found in now.items() if found.owner == user)


def _requests(policy: ShiftPolicy, deals: int, cards: Mapping[Any, int], size: int) -> int:
    reads = ceil(deals / BATCH_LIMIT) if policy.reads_deals else 0
    counts = (deals, cards.get("contact", 0), cards.get("company", 0), cards.get("task", 0))
    return reads + sum(ceil(count / size) for count in counts)


async def start(conn: Conn, account_id: str, employee_id: str, kind: MoveKind, by: str) -> RunProgress:
    """Begin to move a person's deals, whatever their presence says. Raise InputRefused, NotBoundTo; nothing is stored then."""
    async with conn.transaction():
        policy = await show_policy(conn, account_id)
        refuse_other_template(policy.template or None)
        user = await _user_of(conn, account_id, employee_id)
        await _refuse_unset(conn, account_id, policy)
        if not await is_on(conn, account_id):
            raise ShiftRefused(
                "account-not-on",
                "account",
                "the account is not connected",
                "whoever looks after the installation reconnects it, or switches it on",
            )
        with _refusals():
            run = await runs.begin(conn, account_id, kind, employee_id, user, by=by or "-", now=_now())
        await _tell(conn, account_id, run.run_id, "started", {"employee": employee_id, "kind": kind})
    return RunProgress(run=run, counts=RunCounts())


async def change(conn: Conn, account_id: str, run_id: int, do: ShiftAct) -> RunProgress:
    """Raise InputRefused where the run is not in a state that allows it; NotBoundTo."""
    async with conn.transaction():
        refuse_other_template((await policies.policy_of(conn, account_id)).template or None)
        run = await runs.run_of(conn, account_id, run_id, lock=True)
        if run is None:
            raise NoSuchShiftRun(run_id)
        if run.state not in {"pause": ("running",), "resume": ("paused",), "stop": runs.OPEN_STATES}[do]:
            raise ShiftRefused(
                "shift-run-over",
                "run",
                f"the run is {run.state.replace('_', ' ')}",
                "see 'callmatrix shift runs'",
            )
        if do == "stop":
            await break_off(conn, account_id, run_id, "stopped", _now(), state="stopped")
        else:
            await runs.set_state(
                conn, account_id, run_id, "paused" if do == "pause" else "running", now=_now()
            )
        if do == "pause":
            await moves.hold_back(conn, account_id, run_id)
        await _tell(conn, account_id, run_id, _SAID[do], {})
    return await progress(conn, account_id, run_id)


async def progress(conn: Conn, account_id: str, run_id: int) -> RunProgress:
    """Raise NoSuchShiftRun, NotBoundTo."""
    refuse_other_template((await policies.policy_of(conn, account_id)).template or None)
    run = await runs.run_of(conn, account_id, run_id)
    if run is None:
        raise NoSuchShiftRun(run_id)
    counts = await runs.counts_of(conn, account_id, [run_id])
    return RunProgress(run=run, counts=counts[run_id])


async def progress_of_all(
    conn: Conn, account_id: str, *, before: int | None = None, limit: int = 50
) -> list[RunProgress]:
    """Return the latest first. Raise NotBoundTo."""
    await rows.account(conn, account_id)
    refuse_other_template((await policies.policy_of(conn, account_id)).template or None)
    found = await runs.runs_of(conn, account_id, before=before, limit=limit)
    counts = await runs.counts_of(conn, account_id, [run.run_id for run in found])
    return [RunProgress(run=run, counts=counts[run.run_id]) for run in found]


async def _refuse_unset(conn: Conn, account_id: str, policy: ShiftPolicy) -> None:
    """Raise ShiftRefused where nothing could be moved by what is set, whether it is on or not."""
    found = await policy_problems(conn, account_id, policy.model_copy(update={"is_on": True}))
    if found:
        raise _refused(found)


async def _user_of(conn: Conn, account_id: str, employee_id: str) -> str:
    staff = await staff_of(conn, account_id)
    person = staff.by_id.get(employee_id)
    if person is None:
        raise NothingOfThatName("employee", employee_id, "employees list")
    if person.crm_user_id is None:
        raise ShiftRefused(
            "employee-not-mapped",
            "employee",
            f"'{employee_id}' is nobody in the CRM",
            "map them with 'callmatrix employees set'",
        )
    return person.crm_user_id


def _refused(found: list[PolicyProblem]) -> ShiftRefused:
    first = found[0]
    message, remedy = _WORDS[first.code]
    refused = ShiftRefused(first.code, first.field, message.format(value=first.value), remedy)
    refused.problems = [
        {"field": one.field, "code": one.code, "message": _WORDS[one.code][0].format(value=one.value)}
        for one in found
    ]
    return refused


async def _tell(conn: Conn, account_id: str, run_id: int, action: str, after: dict[str, Any]) -> None:
    told = AuditChange(
        what="shift change", object=f"run {run_id}", action=action, account_id=account_id, after=after
    )
    await record(conn, told)


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except PersonIsMoved as err:
        raise ShiftRefused(
            err.code, "employee", "their deals are being moved already", "stop that run, or wait for its end"
        ) from err


def _now() -> datetime:
    return datetime.now(UTC)
