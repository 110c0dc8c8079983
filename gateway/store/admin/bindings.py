"""What a person or a token is bound to, beside the role: an account, an employee, templates and schedules."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import asyncpg

from gateway.store.admin.roles import Role, may_act_as

Bar = Literal["role", "account", "template", "schedule", "counter"]
"""What keeps somebody from doing something: their role, or one of their bindings."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bindings:
    """account_id: None = every account. employee: who this is on the phone. templates, schedules: names, empty = all.
    A manager edits and removes the schedules that are named, and no other. counters: employees whose counter of working time may be started and stopped, whatever the role; empty = by the role."""

    account_id: str | None = None
    employee: str | None = None
    templates: tuple[str, ...] = ()
    schedules: tuple[str, ...] = ()
    counters: tuple[str, ...] = ()

    def as_said(self) -> dict[str, Any]:
        """For the record of changes; the account stands there by itself."""
        said = asdict(self)
        del said["account_id"]
        return {name: list(value) if isinstance(value, tuple) else value for name, value in said.items()}

    def without(self, employees: Collection[str]) -> Bindings:
        """Return the same, with nothing of these employees of the account."""
        counters = tuple(one for one in self.counters if one not in employees)
        return replace(
            self, employee=None if self.employee in employees else self.employee, counters=counters
        )

    def is_narrower_than(self, after: Bindings) -> bool:
        """Whether a binding stands here of which nothing is left in the other: empty would stand for more than it did."""
        return bool((self.employee and not after.employee) or (self.counters and not after.counters))


EVERYTHING = Bindings()


def freer_in(role: Role, bound: Bindings, than_role: Role, than: Bindings) -> str | None:
    """Return in what the first may more than the second (role, account, templates, schedules, counters, employee), None in
    nothing.

    Whoever is bound to an employee acts as that person: another of the same role must be somebody too.
    """
    if not may_act_as(than_role, role):
        return "role"
    if than.account_id is not None and bound.account_id != than.account_id:
        return "account"
    for field, own, limits in (
        ("templates", bound.templates, than.templates),
        ("schedules", bound.schedules, than.schedules),
    ):
        if limits and (not own or not set(own) <= set(limits)):
            return field
    if role == than_role == "manager" and not set(bound.schedules) <= set(than.schedules):
        return "schedules"  # which a manager edits by being bound to them
    if bound.counters != than.counters and not _has_counters(bound, than_role, than):
        return "counters"
    return "employee" if role == than_role and than.employee is not None and bound.employee is None else None


def _has_counters(bound: Bindings, than_role: Role, than: Bindings) -> bool:
    """Whether the second may start and stop all that the first may."""
    if than.counters:
        return bool(bound.counters) and set(bound.counters) <= set(than.counters)
    return may_act_as(than_role, "admin")


def bindings_of(row: asyncpg.Record) -> Bindings:
    return Bindings(
        account_id=row["account_id"],
        employee=row["employee"],
        templates=tuple(row["templates"]),
        schedules=tuple(row["schedules"]),
        counters=tuple(row["counters"]),
    )


def may_touch(
    role: Role,
    bound: Bindings,
    needed: Role,
    *,
    account_id: str | None = None,
    employee: str | None = None,
    template: str | None = None,
    schedule: str | None = None,
    counter: str | None = None,
) -> bool:
    """Whether somebody of this role and these bindings may do what asks for `needed`, to the named things. As `why_not`."""
    return (
        why_not(
            role,
            bound,
            needed,
            account_id=account_id,
            employee=employee,
            template=template,
            schedule=schedule,
            counter=counter,
        )
        is None
    )


def why_not(
    role: Role,
    bound: Bindings,
    needed: Role,
    *,
    account_id: str | None = None,
    employee: str | None = None,
    template: str | None = None,
    schedule: str | None = None,
    counter: str | None = None,
    is_whole: bool = False,
) -> Bar | None:
    """Return what keeps somebody of this role and these bindings from doing what asks for `needed` to the named things.

    None: nothing does. Of what is named, None: no such thing is touched. schedule: one that is named to somebody is edited from manager on. counter: whose counter of working time is. is_whole: it
    reaches all of the account, other people's templates, schedules and counters among it. An employee's own page is everybody's who is bound to that employee, whatever the role; another employee's needs the role alone.
    """
    if account_id is not None and bound.account_id not in (None, account_id):
        return "account"
    if template is not None and bound.templates and template not in bound.templates:
        return "template"
    if schedule is not None and bound.schedules and schedule not in bound.schedules:
        return "schedule"
    if is_whole and (bar := _narrowed(bound)):
        return bar
    if needed == "senior_manager" and schedule is not None and schedule in bound.schedules:
        needed = "manager"
    is_oneself = employee is not None and employee == bound.employee
    if is_oneself or counter is None or not bound.counters:
        return None if is_oneself or may_act_as(role, needed) else "role"
    return None if counter in bound.counters else "counter"


def _narrowed(bound: Bindings) -> Bar | None:
    """By what somebody is bound to a part of an account, None by nothing."""
    if bound.templates:
        return "template"
    if bound.schedules:
        return "schedule"
    return "counter" if bound.counters else None
