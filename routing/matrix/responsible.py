"""Who is responsible: the action's choice made into a CRM user, with who stands in where it cannot be them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from routing.client import Client, ClientEntity, EntityKind
from routing.matrix.situation import Situation, who_answered
from routing.staff import Employee

_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Chosen(NamedTuple):
    """crm_user_id: None = nobody could be named. because: code of how it came out."""

    crm_user_id: str | None
    because: str


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
    """crm_user_id: None = they cannot be it. person: who it would be, where they are ours."""

    crm_user_id: str | None
    because: str
    person: Employee | None = None


def responsible(choice: str, s: Situation, client: Client) -> Chosen:
    """choice: a matrix_actions.Responsible. Who cannot be it gives way to their deputy if they have left, then to the senior
    manager, then to an administrator of the CRM. client: with what this decision has ordered so far."""
    wanted = _wanted(choice, s, client)
    if wanted.crm_user_id is not None:
        return Chosen(wanted.crm_user_id, wanted.because)
    has_left = wanted.because in _LEFT
    instead = s.staff.stand_ins(wanted.person if has_left else None)
    if not instead:
        return Chosen(None, "no_senior")
    user, what = instead[0]
    return Chosen(user, wanted.because if what == "senior" else f"{what}_instead")


_LEFT = frozenset({"employee_inactive", "owner_inactive", "senior_inactive"})


def _wanted(choice: str, s: Situation, client: Client) -> _Wanted:
    if choice == "senior":
        return _employee(s, s.staff.senior, "senior", "no_senior", inactive="senior_inactive")
    if choice == "who_answered":
        return _employee(s, who_answered(s), "who_answered", "answered_by_unknown")
    if choice.startswith("employee:"):
        return _employee(s, s.staff.by_id.get(choice.partition(":")[2]), "fixed_employee", "employee_gone")
    if choice.startswith("template"):
        return _Wanted(None, "template_not_available")
    return _owner(choice, s, client)


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
