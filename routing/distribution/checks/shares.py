"""Checks of who takes part in which proportion: percents are exactly 100.00 in each group and over the groups."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from routing.distribution.checks.problems import TemplateProblem, percent_in_words, problem
from routing.distribution.roster import roster_of
from routing.distribution.template import WHOLE, DistributionTemplate, TemplateMember
from routing.staff import Staff
from routing.texts.catalogue import phrase

_OF_KIND = {"turn": ("even", "in_a_row", "spread"), "load": ("even", "open_deals", "percent")}


def check_shares(template: DistributionTemplate, staff: Staff) -> Iterator[TemplateProblem]:
    if template.balance not in _OF_KIND[template.kind]:
        yield problem("balance-not-of-kind", "balance", balance=template.balance, kind=template.kind)
    if not template.groups and not template.employees:
        yield problem("nobody-takes-part", "employees")
        return
    if template.balance == "percent":
        yield from _percents(template)
        yield from _without_share(template, staff)
    elif _all_zero(template, staff):
        yield problem("all-shares-zero", "employees")
    yield from _ignored(template)
    yield from _twice(template)


def _all_zero(template: DistributionTemplate, staff: Staff) -> bool:
    roster = roster_of(template, staff)
    left_out = {step.because for pool in roster.pools for step in pool.left_out}
    return not roster.people and "zero_weight" in left_out


def _percents(template: DistributionTemplate) -> Iterator[TemplateProblem]:
    above = sum(g.percent for g in template.groups) + sum(m.percent for m in template.employees)
    if above != WHOLE:
        yield problem(
            "percent-not-whole", "groups" if template.groups else "employees", sum=percent_in_words(above)
        )
    for group in template.groups:
        inside = sum(m.percent for m in group.members)
        if group.members and inside != WHOLE:
            field = f"groups.{group.name}"
            yield problem("percent-not-whole-in-group", field, name=group.name, sum=percent_in_words(inside))


def _without_share(template: DistributionTemplate, staff: Staff) -> Iterator[TemplateProblem]:
    """Who came into a group after its percents were set gets nothing until they are set anew."""
    for group in template.groups:
        named = {m.employee_id for m in group.members}
        new = tuple(p.name for p in staff.employees if p.group == group.name and p.id not in named)
        if named and new:
            yield problem("member-without-share", f"groups.{group.name}", name=group.name, people=new)


def _ignored(template: DistributionTemplate) -> Iterator[TemplateProblem]:
    """Find shares that the chosen balance does not look at: they were meant for another one."""
    everybody = [m for group in template.groups for m in group.members] + list(template.employees)
    percents = any(m.percent for m in everybody) or any(g.percent for g in template.groups)
    if percents and template.balance != "percent":
        yield problem(
            "share-ignored", "balance", what=phrase("distribution.share.percent"), balance=template.balance
        )
    if any(m.weight > 1 for m in everybody) and template.balance not in ("in_a_row", "spread"):
        yield problem(
            "share-ignored", "balance", what=phrase("distribution.share.weight"), balance=template.balance
        )


def _twice(template: DistributionTemplate) -> Iterator[TemplateProblem]:
    for name, times in Counter(g.name for g in template.groups).items():
        if times > 1:
            yield problem("group-twice", "groups", name=name)
    for field, members in _lists(template):
        for person, times in Counter(m.employee_id for m in members).items():
            if times > 1:
                yield problem("person-twice", field, id=person)
    if template.balance == "percent":
        lists = Counter(
            person for _, members in _lists(template) for person in {m.employee_id for m in members}
        )
        for person in (p for p, times in lists.items() if times > 1):
            yield problem("person-twice", "groups", id=person)


def _lists(template: DistributionTemplate) -> Iterator[tuple[str, tuple[TemplateMember, ...]]]:
    yield "employees", template.employees
    for group in template.groups:
        yield f"groups.{group.name}", group.members
