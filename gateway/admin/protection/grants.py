"""Nobody lets others, or themselves, do more than they may, nor for longer."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from gateway.admin.refused import InputRefused
from gateway.store.admin.audit import current_actor
from gateway.store.admin.bindings import Bar, Bindings, freer_in, why_not
from gateway.store.admin.roles import Role


class GrantsMore(InputRefused):
    """Whoever asks is bound themselves (to an account, an employee, templates or schedules): nobody lets others, or themselves, do more than that."""

    code = "grants-more"

    def __init__(self, field: str) -> None:
        super().__init__(
            field,
            f"this may more than whoever asks, by its {field}",
            "stay within your own bindings, or ask somebody who is bound less",
        )


class NotBoundTo(InputRefused):
    """Whoever asks is bound to certain templates, schedules or counters, and this touches another one. Their role is not the reason."""

    code = "not-bound"

    def __init__(self, bar: Bar, bound: Bindings) -> None:
        own = {"template": bound.templates, "schedule": bound.schedules, "counter": bound.counters}.get(
            bar, ()
        )
        super().__init__(
            bar,
            f"this touches a {bar} that whoever asks is not bound to",
            f"stay with your own ({', '.join(own)}), or ask an admin to bind you to it",
        )


def refuse_other_template(*templates: str | None) -> None:
    """Raise NotBoundTo where who acts is bound to templates, and one of these is none of them. None: there is none."""
    for template in templates:
        _refuse_unbound(template=template)


def refuse_other_schedule(*schedules: str | None) -> None:
    """Raise NotBoundTo where who acts is bound to schedules, and one of these is none of them. None: there is none."""
    for schedule in schedules:
        _refuse_unbound(schedule=schedule)


def refuse_bound() -> None:
    """Raise NotBoundTo where who acts is bound to a part of the account, and this reaches all of it."""
    _refuse_unbound(is_whole=True)


def _refuse_unbound(
    *, template: str | None = None, schedule: str | None = None, is_whole: bool = False
) -> None:
    actor = current_actor()
    bar = why_not(
        actor.role, actor.bound, actor.role, template=template, schedule=schedule, is_whole=is_whole
    )
    if bar:
        raise NotBoundTo(bar, actor.bound)


class OutlivesGranter(InputRefused):
    """Whoever asks is a token with an end: what it lets in ends no later, so it gives neither longer tokens nor people and passwords, which have no end."""

    code = "outlives-granter"

    def __init__(self, field: str, ends: datetime) -> None:
        end = ends.strftime("%Y-%m-%d %H:%M UTC")
        super().__init__(
            field,
            f"the token that asks ends on {end}, and this would be good for longer",
            "give it an end that is no later, or ask with a token that lasts, or from the command line",
        )


def refuse_freer(role: Role, bound: Bindings) -> None:
    """Raise GrantsMore where somebody of this role and these bindings may more than who acts."""
    actor = current_actor()
    if field := freer_in(role, bound, actor.role, actor.bound):
        raise GrantsMore(field)


def refuse_other_name(role: Role, bound: Bindings) -> None:
    """Raise GrantsMore where somebody of this role and these bindings may more than who acts, or is somebody else on the phone:
    what is opened in a person's name speaks and answers as that person."""
    refuse_freer(role, bound)
    own = current_actor().bound.employee
    if own is not None and bound.employee != own:
        raise GrantsMore("employee")


def refuse_longer(ends: datetime | None, field: str) -> None:
    """Raise OutlivesGranter where something lets in until then (None: for ever), and who acts ends before."""
    until = current_actor().ends
    if until is not None and (ends is None or ends > until):
        raise OutlivesGranter(field, until)


def refuse_freer_for_longer(
    ends: datetime | None, before: tuple[Role, Bindings], after: tuple[Role, Bindings]
) -> None:
    """Raise OutlivesGranter where what ends then is to be allowed more, or something else, than before."""
    field = freer_in(*after, *before)
    if field is None and after[1].employee not in (None, before[1].employee):
        field = "employee"
    if field:
        refuse_longer(ends, field)


def refuse_other_self(kind: Literal["token", "user"], name: str, bound: Bindings) -> None:
    """Raise GrantsMore where who acts is to be somebody else on the phone from now on."""
    actor = current_actor()
    is_oneself = (actor.kind, actor.name) == (kind, name)
    if is_oneself and actor.bound.employee is not None and bound.employee != actor.bound.employee:
        raise GrantsMore("employee")
