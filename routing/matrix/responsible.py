"""Who is responsible: the action's choice made into a CRM user, with the fall-back to the senior manager."""

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


def responsible(choice: str, s: Situation, client: Client) -> Chosen:
    """choice: a matrix_actions.Responsible. Who cannot be it gives way to the senior manager. client: with what this
    decision has ordered so far."""
    if choice == "senior":
        return _senior(s, "senior")
    user, because = _wanted(choice, s, client)
    return Chosen(user, because) if user else _senior(s, because)


def _wanted(choice: str, s: Situation, client: Client) -> tuple[str | None, str]:
    if choice == "who_answered":
        return _employee(who_answered(s), "who_answered", "answered_by_unknown")
    if choice.startswith("employee:"):
        return _employee(s.staff.by_id.get(choice.partition(":")[2]), "fixed_employee", "employee_gone")
    if choice.startswith("template"):
        return None, "template_not_available"
    return _owner(choice, s, client)


def _employee(person: Employee | None, because: str, otherwise: str) -> tuple[str | None, str]:
    if person is None:
        return None, otherwise
    if not person.crm_user_id:
        return None, "employee_unmapped"
    return (person.crm_user_id, because) if person.is_active else (None, "employee_inactive")


def _owner(choice: str, s: Situation, client: Client) -> tuple[str | None, str]:
    if choice == "owner":
        owner = owner_of_client(client)
    else:
        kinds: tuple[EntityKind, ...] = ("deal",) if choice == "owner_of_deal" else ("contact", "company")
        entity = first_of(client, *kinds)
        owner = entity.owner_id if entity else None
    if owner is None:
        return None, "no_owner"
    person = s.staff.by_crm_user.get(owner)
    return (owner, choice) if person is None or person.is_active else (None, "owner_inactive")


def _senior(s: Situation, because: str) -> Chosen:
    senior = s.staff.senior
    if senior is None or not senior.crm_user_id or not senior.is_active:
        return Chosen(None, "no_senior")
    return Chosen(senior.crm_user_id, because)
