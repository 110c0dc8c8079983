"""The form of a template: what its fields hold, as a template that is saved fills them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest
from typing import Literal, NamedTuple

from gateway.web.frame import Form
from routing.distribution.template import (
    AlsoChange,
    Balance,
    DistributionTemplate,
    TakenSign,
    TemplateGroup,
    TemplateKind,
    TemplateMember,
    WorkingMode,
)

Way = Literal["turn.even", "turn.in_a_row", "turn.spread", "load.even", "load.open_deals", "load.percent"]
"""The type of a template and its balance in one choice, so that no form can bring two that contradict each other."""
FIRST_SIGNS: tuple[TakenSign, ...] = ("event", "call", "stage_change")


class TemplateForm(Form):
    """All as typed. version: that was read, 0 = of a new one. employee, percent, weight, priority, limit: so many of each, side by
    side; member_group, member and the others likewise: whose share within a group is their own. do: which button was pressed,
    e.g. "save", "drop:employee:anna"; add, add_exclusion: what was chosen beside it. simulation: the work that is looked at; over: on
    which deals the next one is tried."""

    version: int = 0
    name: str = ""
    way: Way = "turn.even"
    employee: tuple[str, ...] = ()
    percent: tuple[str, ...] = ()
    weight: tuple[str, ...] = ()
    priority: tuple[str, ...] = ()
    limit: tuple[str, ...] = ()
    group: tuple[str, ...] = ()
    group_percent: tuple[str, ...] = ()
    member_group: tuple[str, ...] = ()
    member: tuple[str, ...] = ()
    member_percent: tuple[str, ...] = ()
    member_weight: tuple[str, ...] = ()
    member_priority: tuple[str, ...] = ()
    member_limit: tuple[str, ...] = ()
    daily_reset: bool = False
    catch_up: str = "0"
    open_deals_limit: str = ""
    window_deals: str = ""
    window_minutes: str = ""
    mode: WorkingMode = "always"
    schedule: str = ""
    wait: bool = False
    gather_minutes: str = "5"
    per_minute: str = "1"
    age_limit_hours: str = "72"
    quiet_from: tuple[str, ...] = ()
    quiet_to: tuple[str, ...] = ()
    repeat_by: Literal["off", "contacts", "companies", "both"] = "off"
    threshold: str = "2"
    exclusion: tuple[str, ...] = ()
    repeat_pipeline: tuple[str, ...] = ()
    when_away: Literal["give", "wait", "distribute"] = "give"
    is_taken_watched: bool = False
    taken_minutes: str = "20"
    taken_rounds: str = "3"
    sign: tuple[TakenSign, ...] = ()
    nobody_do: Literal["wait", "fallback", "senior", "leave"] = "wait"
    nobody_employee: str = ""
    also_change: tuple[AlsoChange, ...] = ()
    do: str = ""
    add: str = ""
    add_exclusion: str = ""
    simulation: str = ""
    over: Literal["week", "month", "made_up"] = "week"

    @property
    def kind(self) -> TemplateKind:
        return "turn" if self.way.startswith("turn.") else "load"

    @property
    def balance(self) -> Balance:
        return self.way.partition(".")[2]  # type: ignore[return-value]  # by the names of Way

    @property
    def people(self) -> list[PersonLine]:
        """Those who stand alone, in order."""
        lines = _side_by_side(self.employee, self.percent, self.weight, self.priority, self.limit)
        return [PersonLine(*line) for line in lines if line[0]]

    @property
    def groups(self) -> list[GroupLine]:
        found = _side_by_side(self.group, self.group_percent)
        return [GroupLine(name, percent) for name, percent in found if name]

    @property
    def quiet_pairs(self) -> list[tuple[str, ...]]:
        """From and to, of the rows in which something stands."""
        return [pair for pair in _side_by_side(self.quiet_from, self.quiet_to) if any(pair)]

    def members(self, group: str) -> list[PersonLine]:
        """Whose share within the group can be their own."""
        lines = _side_by_side(
            self.member_group,
            self.member,
            self.member_percent,
            self.member_weight,
            self.member_priority,
            self.member_limit,
        )
        return [PersonLine(*line[1:]) for line in lines if line[0] == group and line[1]]


class PersonLine(NamedTuple):
    """employee: their id. Whatever is not typed is ""."""

    employee: str
    percent: str = ""
    weight: str = ""
    priority: str = ""
    limit: str = ""

    @property
    def is_empty(self) -> bool:
        return not any(self[1:])


class GroupLine(NamedTuple):
    name: str
    percent: str = ""


def _side_by_side(*columns: Sequence[str]) -> list[tuple[str, ...]]:
    return [tuple(str(cell).strip() for cell in line) for line in zip_longest(*columns, fillvalue="")]


def form_of(template: DistributionTemplate, version: int) -> TemplateForm:
    """Fill the form in."""
    hours, taken = template.working_time, template.taken
    members = [(group.name, _line(member)) for group in template.groups for member in group.members]
    return TemplateForm(
        version=version,
        name=template.name,
        way=f"{template.kind}.{template.balance}",
        **people_fields([_line(member) for member in template.employees]),
        **group_fields([_group_line(group) for group in template.groups]),
        **member_fields(members),
        daily_reset=template.daily_reset,
        catch_up=str(template.catch_up),
        open_deals_limit=_or_empty(template.open_deals_limit),
        window_deals=_or_empty(template.window.deals if template.window else None),
        window_minutes=_or_empty(template.window.minutes if template.window else None),
        mode=hours.mode,
        schedule=hours.schedule or "",
        wait=hours.wait,
        gather_minutes=str(hours.gather_minutes),
        per_minute=str(hours.per_minute),
        age_limit_hours=_or_empty(hours.age_limit_hours),
        quiet_from=tuple(opens for opens, _ in template.quiet_hours),
        quiet_to=tuple(closes for _, closes in template.quiet_hours),
        repeat_by=template.repeat.by,
        threshold=str(template.repeat.threshold),
        exclusion=template.repeat.exclusions,
        repeat_pipeline=template.repeat.pipelines,
        when_away=template.repeat.when_away,
        is_taken_watched=taken is not None,
        taken_minutes=str(taken.minutes) if taken else "20",
        taken_rounds=str(taken.rounds) if taken else "3",
        sign=taken.signs if taken else FIRST_SIGNS,
        nobody_do=template.nobody.do,
        nobody_employee=template.nobody.employee_id or "",
        also_change=template.also_change,
    )


def people_fields(lines: Sequence[PersonLine]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(getattr(line, name) for line in lines) for name in PersonLine._fields}


def group_fields(lines: Sequence[GroupLine]) -> dict[str, tuple[str, ...]]:
    return {
        "group": tuple(line.name for line in lines),
        "group_percent": tuple(line.percent for line in lines),
    }


def member_fields(lines: Sequence[tuple[str, PersonLine]]) -> dict[str, tuple[str, ...]]:
    """lines: with the group of each."""
    return {
        "member_group": tuple(group for group, _ in lines),
        "member": tuple(line.employee for _, line in lines),
        **{
            f"member_{name}": tuple(getattr(line, name) for _, line in lines)
            for name in PersonLine._fields[1:]
        },
    }


def _line(member: TemplateMember) -> PersonLine:
    return PersonLine(
        employee=member.employee_id,
        percent=percent_as_typed(member.percent),
        weight=str(member.weight),
        priority=str(member.priority) if member.priority else "",
        limit=_or_empty(member.open_deals_limit),
    )


def _group_line(group: TemplateGroup) -> GroupLine:
    return GroupLine(group.name, percent_as_typed(group.percent))


def percent_as_typed(hundredths: int) -> str:
    """3330 -> "33.3"; browsers and both languages take a point."""
    whole, parts = divmod(hundredths, 100)
    return f"{whole}.{parts:02d}".rstrip("0") if parts else str(whole)


def _or_empty(number: int | None) -> str:
    return "" if number is None else str(number)
