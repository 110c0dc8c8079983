"""What somebody may, as other people read it: what they see, what they are bound to, and who sees the same."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from gateway.store.admin.accounts import accounts
from gateway.store.admin.bindings import EVERYTHING, Bindings
from gateway.store.admin.roles import ROLES, Role
from gateway.store.admin.schedules import schedule_names
from gateway.store.admin.staff import stored_employees
from gateway.store.admin.users import AdminUser
from gateway.store.distribution.templates import template_names
from gateway.web.person import Person
from gateway.web.shell import entries_of
from routing.texts.catalogue import Texts
from runtime.database.pool import Conn

_SOMEBODY = Bindings(employee="-")
"""One of the employees, whoever it is."""

BindingChoices = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class BindingOptions:
    """(value, text) of what somebody may be bound to."""

    accounts: BindingChoices
    employees: BindingChoices
    templates: BindingChoices
    schedules: BindingChoices


async def options_of(conn: Conn, of_account: str | None, bound: Bindings = EVERYTHING) -> BindingOptions:
    """Return what there is in this account, None = in all, and what somebody is bound to now, there or not."""
    known = [one for one in await accounts(conn) if of_account in (None, one.id)]
    employees: dict[str, str] = {}
    ids = [one.id for one in known]
    templates = {*bound.templates, *await template_names(conn, ids)}
    for one in known:
        employees |= {person.id: person.name for person in await stored_employees(conn, one.id)}
    schedules = set(await schedule_names(conn, ids))
    for name in (*bound.counters, *filter(None, [bound.employee])):
        employees.setdefault(name, name)
    return BindingOptions(
        accounts=tuple((one.id, one.name) for one in known),
        employees=tuple(sorted(employees.items(), key=lambda pair: pair[1])),
        templates=_same(templates),
        schedules=_same(schedules | set(bound.schedules)),
    )


def _same(names: Iterable[str]) -> BindingChoices:
    return tuple((name, name) for name in sorted(names))


def seen_by(role: Role, bound: Bindings, texts: Texts) -> str:
    """Return the parts of the navigation that somebody sees, with commas."""
    person = Person(login="", name="", role=role, bound=bound)
    return ", ".join(texts.say(f"shell.entry.{entry.name}") for entry in entries_of(person))


def is_nobody_on_the_phone(role: str, bound: Bindings) -> bool:
    """Whether this is a manager to whom nothing belongs: calls, missed calls and a desk are those of an employee."""
    return role == "manager" and bound.employee is None


def role_cards(texts: Texts) -> list[tuple[str, str, str]]:
    """(role, its name, what it sees and may) of each, the strongest first."""
    return [
        (
            role,
            texts.say(f"shell.role.{role}"),
            texts.say(f"users.may.{role}", sees=seen_by(role, _SOMEBODY, texts)),
        )
        for role in reversed(ROLES)
    ]


def who_sees_the_same(user: AdminUser, people: Iterable[AdminUser]) -> list[str]:
    """Return the names of the others of this role and these bindings."""
    return [
        one.name
        for one in people
        if one.login != user.login and (one.role, one.bound) == (user.role, user.bound)
    ]


def bindings_said(bound: Bindings, names: Mapping[str, str], texts: Texts) -> list[str]:
    """Return what somebody is bound to, a chip each. names: of employees and accounts, by id."""
    said = []
    if bound.account_id:
        said.append(texts.say("users.bound.account", name=names.get(bound.account_id, bound.account_id)))
    if bound.employee:
        said.append(texts.say("users.bound.employee", name=names.get(bound.employee, bound.employee)))
    said += [texts.say("users.bound.template", name=name) for name in bound.templates]
    said += [texts.say("users.bound.schedule", name=name) for name in bound.schedules]
    return said + [texts.say("users.bound.counter", name=names.get(one, one)) for one in bound.counters]
