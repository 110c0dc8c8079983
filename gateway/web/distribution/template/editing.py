"""What the buttons of the form do before anything is saved: somebody is added or taken out, shares are made whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gateway.web.distribution.template.form import (
    GroupLine,
    PersonLine,
    TemplateForm,
    group_fields,
    member_fields,
    people_fields,
)
from gateway.web.distribution.template.sums import mended, split_evenly
from routing.staff import Staff

_Members = list[tuple[str, PersonLine]]


def pressed_in_form(form: TemplateForm, staff: Staff) -> TemplateForm:
    """Return the form as it is after the button that was pressed; the choices beside the buttons are used up."""
    what, _, of = form.do.partition(":")
    act = _ACTS.get(what)
    done = act(form, of, staff) if act else form
    return done.model_copy(update={"do": "", "add": "", "add_exclusion": ""})


def _add(form: TemplateForm, of: str, staff: Staff) -> TemplateForm:
    kind, _, name = form.add.partition(":")
    if kind == "group" and name not in form.group:
        return form.model_copy(update=group_fields([*form.groups, GroupLine(name)]))
    if kind == "employee" and name in staff.by_id and name not in form.employee:
        return form.model_copy(update=people_fields([*form.people, PersonLine(name)]))
    return form


def _drop(form: TemplateForm, of: str, staff: Staff) -> TemplateForm:
    kind, _, name = of.partition(":")
    if kind == "employee":
        return form.model_copy(update=people_fields([p for p in form.people if p.employee != name]))
    if kind == "group":
        without = form.model_copy(update=group_fields([g for g in form.groups if g.name != name]))
        return _without_members(without, name)
    return form.model_copy(update={"exclusion": tuple(one for one in form.exclusion if one != name)})


def _open(form: TemplateForm, group: str, staff: Staff) -> TemplateForm:
    """Give each of the group fields of their own."""
    named = {line.employee for line in form.members(group)}
    new = [(group, PersonLine(p.id)) for p in staff.employees if p.group == group and p.id not in named]
    return form.model_copy(update=member_fields([*_members(form), *new]))


def _close(form: TemplateForm, group: str, staff: Staff) -> TemplateForm:
    return _without_members(form, group)


def _without_members(form: TemplateForm, group: str) -> TemplateForm:
    return form.model_copy(update=member_fields([line for line in _members(form) if line[0] != group]))


def _members(form: TemplateForm) -> _Members:
    return [(group, line) for group in dict.fromkeys(form.member_group) for line in form.members(group)]


def _exclude(form: TemplateForm, of: str, staff: Staff) -> TemplateForm:
    one = form.add_exclusion
    if one not in staff.by_id or one in form.exclusion:
        return form
    return form.model_copy(update={"exclusion": (*form.exclusion, one)})


_ACTS: Mapping[str, Callable[[TemplateForm, str, Staff], TemplateForm]] = {
    "add": _add,
    "drop": _drop,
    "open": _open,
    "close": _close,
    "exclude": _exclude,
    "fill": lambda form, group, staff: mended(form, group),
    "even": lambda form, group, staff: split_evenly(form, group),
}
