"""Shares in percent, added up: what is missing to the whole, and the one click that mends it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from gateway.web.distribution.template.form import (
    GroupLine,
    PersonLine,
    TemplateForm,
    group_fields,
    member_fields,
    people_fields,
    percent_as_typed,
)
from gateway.web.distribution.template.typed import percent_of
from routing.distribution.template import WHOLE


class ShareSum(NamedTuple):
    """group: within which, "" = all. sum, missing: hundredths of a percent; missing < 0: so much too much. mended_at: whose
    share the one click changes, an employee's id or "group:<name>", "" = nobody's can be."""

    group: str
    sum: int
    missing: int
    mended_at: str


def sums(form: TemplateForm) -> list[ShareSum]:
    """Return the sum of all, then of each group whose people have shares of their own."""
    if form.balance != "percent":
        return []
    top = [(f"group:{line.name}", line.percent) for line in form.groups]
    top += [(line.employee, line.percent) for line in form.people]
    found = [_sum("", top)] if top else []
    for group in form.groups:
        inside = [(line.employee, line.percent) for line in form.members(group.name)]
        if any(percent for _, percent in inside):
            found.append(_sum(group.name, inside))
    return found


def _sum(group: str, shares: Sequence[tuple[str, str]]) -> ShareSum:
    read = [(of, percent_of(text or "0") or 0) for of, text in shares]
    total = sum(share for _, share in read)
    missing = WHOLE - total
    fits = [of for of, share in read if 0 <= share + missing <= WHOLE]
    return ShareSum(group, total, missing, fits[-1] if missing and fits else "")


def mended(form: TemplateForm, group: str) -> TemplateForm:
    """Give what is missing to the last whose share can take it, or take what is too much."""
    found = next((one for one in sums(form) if one.group == group), None)
    if found is None or not found.mended_at:
        return form

    def changed(of: str, text: str) -> str:
        return (
            percent_as_typed((percent_of(text or "0") or 0) + found.missing)
            if of == found.mended_at
            else text
        )

    return _with_shares(form, group, changed)


def split_evenly(form: TemplateForm, group: str) -> TemplateForm:
    """Share the whole among all of the list; the first get the odd hundredths."""
    shown = (
        [line.employee for line in form.members(group)]
        if group
        else [*(f"group:{line.name}" for line in form.groups), *(line.employee for line in form.people)]
    )
    if not shown:
        return form
    each, over = divmod(WHOLE, len(shown))
    shares = {of: percent_as_typed(each + (place < over)) for place, of in enumerate(shown)}
    return _with_shares(form, group, lambda of, _: shares[of])


def _with_shares(form: TemplateForm, group: str, changed: Callable[[str, str], str]) -> TemplateForm:
    if group:
        members = [
            (one.name, _shared(line, changed) if one.name == group else line)
            for one in form.groups
            for line in form.members(one.name)
        ]
        return form.model_copy(update=member_fields(members))
    people = [_shared(line, changed) for line in form.people]
    groups = [GroupLine(line.name, changed(f"group:{line.name}", line.percent)) for line in form.groups]
    return form.model_copy(update={**people_fields(people), **group_fields(groups)})


def _shared(line: PersonLine, changed: Callable[[str, str], str]) -> PersonLine:
    return line._replace(percent=changed(line.employee, line.percent))
