"""Checks of the people and groups that a template names."""

from __future__ import annotations

from collections.abc import Iterator

from routing.distribution.checks.problems import TemplateProblem, problem
from routing.distribution.template import DistributionTemplate, TemplateGroup
from routing.staff import Staff


def check_people(template: DistributionTemplate, staff: Staff) -> Iterator[TemplateProblem]:
    for group in template.groups:
        yield from _group(group, staff)
    for member in template.employees:
        yield from _person("employees", member.employee_id, staff)


def _group(group: TemplateGroup, staff: Staff) -> Iterator[TemplateProblem]:
    field = f"groups.{group.name}"
    inside = [p for p in staff.employees if p.group == group.name]
    if not any(staff.can_be_given_work(p) for p in inside):
        yield problem("group-empty", field, name=group.name)
    known = {p.id for p in inside}
    for member in group.members:
        person = staff.by_id.get(member.employee_id)
        if person is None:
            yield problem("person-gone", field, id=member.employee_id)
        elif person.id not in known:
            yield problem("member-not-of-group", field, name=person.name, group=group.name)
    for person in inside:
        yield from _person(field, person.id, staff)


def _person(field: str, employee_id: str, staff: Staff) -> Iterator[TemplateProblem]:
    person = staff.by_id.get(employee_id)
    if person is None:
        yield problem("person-gone", field, id=employee_id)
    elif not person.crm_user_id:
        yield problem("person-unmapped", field, name=person.name)
    elif not staff.can_be_given_work(person):
        yield problem("person-inactive", field, name=person.name)
