"""Who is responsible: the action's choice made into a CRM user, with who stands in where it cannot be them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from routing.client import Client, ClientEntity, EntityKind
from routing.decision import Trace
from routing.distribution.item import WorkItem
from routing.matrix.by_template.turns import BookedTurn, deals_of, template_named, whose_turn
from routing.matrix.model import Moment
from routing.matrix.situation import Situation, who_answered
from routing.staff import Employee

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Chosen(NamedTuple):
    """crm_user_id: None = nobody could be named. because: code of how it came out. turn: what a template books for it, steps: how
    it walked."""

    crm_user_id: str | None
    because: str
    turn: BookedTurn | None = None
    steps: Trace = ()


def latest(entities: Iterable[ClientEntity]) -> ClientEntity | None:
    """Return the one that was updated last; what exists goes before what is only promised; ties by id, so that it is always the same."""
    return max(
        entities,
        key=lambda e: (e.ref.id is not None, e.updated_at or _LONG_AGO, e.ref.id or e.ref.effect or ""),
        default=None,
    )


def open_deal(client: Client) -> ClientEntity | None:
    return latest(e for e in client.entities if e.ref.kind == "deal" and e.is_open)


def closed_deal(client: Client) -> ClientEntity | None:
    """Return the deal that was closed last."""
    closed = [e for e in client.entities if e.ref.kind == "deal" and not e.is_open]
    return max(closed, key=lambda e: (e.closed_at or e.updated_at or _LONG_AGO, e.ref.id or ""), default=None)


def first_of(client: Client, *kinds: EntityKind) -> ClientEntity | None:
    """Return the client's entity of the first of these kinds that they have; deals are open ones."""
    for kind in kinds:
        found = (
            open_deal(client) if kind == "deal" else latest(e for e in client.entities if e.ref.kind == kind)
        )
        if found:
            return found
    return None


def owner_of_client(client: Client) -> str | None:
    """CRM user id of the responsible for the open deal, else contact, company, lead; None when nobody is."""
    kinds: tuple[EntityKind, ...] = ("deal", "contact", "company", "lead")
    owners = (first_of(client, kind) for kind in kinds)
    return next((e.owner_id for e in owners if e and e.owner_id), None)


class _Wanted(NamedTuple):
    """crm_user_id: None = they cannot be it. person: who it would be, where they are ours. turn, steps: as of Chosen."""

    crm_user_id: str | None
    because: str
    person: Employee | None = None
    turn: BookedTurn | None = None
    steps: Trace = ()


def responsible(choice: str, s: Situation, client: Client) -> Chosen:
    """choice: a matrix_actions.Responsible. Who cannot be it gives way to their deputy if they have left, then to the senior
    manager, then to an administrator of the CRM. client: with what this decision has ordered so far."""
    wanted = _wanted(choice, s, client)
    if wanted.crm_user_id is not None:
        return Chosen(wanted.crm_user_id, wanted.because, wanted.turn, wanted.steps)
    has_left = wanted.because in _LEFT
    instead = s.staff.stand_ins(wanted.person if has_left else None)
    if not instead:
        return Chosen(None, "no_senior", steps=wanted.steps)
    user, what = instead[0]
    because = wanted.because if what == "senior" else f"{what}_instead"
    return Chosen(user, because, steps=wanted.steps)


def who_calls_back(choice: str, s: Situation) -> Chosen | None:
    """Return who is to call back whatever the action says: the one person whom the client is for; and where a template would
    choose, who is to call them back already. None = as the action says."""
    only = s.staff.by_id.get(s.turns.only) if s.turns.only else None
    if only is not None and s.staff.can_be_given_work(only):
        return Chosen(only.crm_user_id, "only_this_person")
    owner = s.turns.case_owner
    if owner is not None and choice.startswith("template") and owner not in s.staff.gone_users:
        return Chosen(owner, "case_owner")
    return None


_LEFT = frozenset({"employee_inactive", "owner_inactive", "senior_inactive"})


def _wanted(choice: str, s: Situation, client: Client) -> _Wanted:
    if choice == "senior":
        return _employee(s, s.staff.senior, "senior", "no_senior", inactive="senior_inactive")
    if choice == "who_answered":
        return _employee(s, who_answered(s), "who_answered", "answered_by_unknown")
    if choice.startswith("employee:"):
        return _employee(s, s.staff.by_id.get(choice.partition(":")[2]), "fixed_employee", "employee_gone")
    if choice.startswith("template"):
        return _by_template(template_named(choice), s, client)
    return _owner(choice, s, client)


def _by_template(name: str, s: Situation, client: Client) -> _Wanted:
    if picked := s.turns.picked.get(name):
        return _employee(s, s.staff.by_id.get(picked), "template_picked_before", "template_nobody")
    known = s.turns.templates.get(name)
    if known is None:
        return _Wanted(None, "template_unknown")
    found = whose_turn(known, _item(s, client), s.staff, s.now, s.zone, who_answered(s))
    person = s.staff.by_id.get(found.employee_id or "")
    if person is None or not s.staff.can_be_given_work(person):
        because = "template_waits" if found.reason in _WAITS else "template_nobody"
        return _Wanted(None, because, steps=found.steps)
    turn = BookedTurn(
        template=name,
        version=known.version,
        outcome=found.outcome,
        reason=found.reason,
        employee_id=person.id,
        entries=found.entries,
        ledgers=dict(found.ledgers),
    )
    because = _BY_TEMPLATE.get(found.reason, "template_kept" if found.outcome == "kept" else "by_template")
    return _Wanted(person.crm_user_id, because, turn=turn, steps=found.steps)


_WAITS = frozenset({"waits_for_working_time", "waits_for_person", "quiet_hours", "outside_working_time"})
_BY_TEMPLATE = {"answered": "template_answered", "only_this_person": "only_this_person"}


def _item(s: Situation, client: Client) -> WorkItem:
    is_missed = s.moment is Moment.END and not s.call.is_answered
    return WorkItem(
        kind="missed_call" if is_missed else "deal",
        id=s.call_id,
        entered_at=s.call.started_at,
        client=s.number,
        owner=owner_of_client(client),
        other_deals=deals_of(client, s.now),
        only=s.turns.only,
    )


def _employee(
    s: Situation,
    person: Employee | None,
    because: str,
    otherwise: str,
    *,
    inactive: str = "employee_inactive",
) -> _Wanted:
    if person is None:
        return _Wanted(None, otherwise)
    if not person.crm_user_id:
        return _Wanted(None, "employee_unmapped", person)
    if not s.staff.can_be_given_work(person):
        return _Wanted(None, inactive, person)
    return _Wanted(person.crm_user_id, because)


def _owner(choice: str, s: Situation, client: Client) -> _Wanted:
    if choice == "owner":
        owner = owner_of_client(client)
    else:
        kinds: tuple[EntityKind, ...] = ("deal",) if choice == "owner_of_deal" else ("contact", "company")
        entity = first_of(client, *kinds)
        owner = entity.owner_id if entity else None
    if owner is None:
        return _Wanted(None, "no_owner")
    person = s.staff.by_crm_user.get(owner)
    is_gone = owner in s.staff.gone_users or (person is not None and not person.is_active)
    return _Wanted(None, "owner_inactive", person) if is_gone else _Wanted(owner, choice)
