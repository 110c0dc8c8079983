"""A template: who takes part, in which proportion, when, within which limits, and what happens when nobody can.

A value. It is stored in numbered versions and written as JSON or YAML by people, so every field has its plain name.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

EmployeeKey = Annotated[str, Field(min_length=1, max_length=200)]
GroupName = Annotated[str, Field(min_length=1, max_length=200)]
CLOCK_TIME = r"^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$"
ClockTime = Annotated[str, Field(pattern=CLOCK_TIME)]
Percent = Annotated[int, Field(ge=0, le=10_000)]
"""Hundredths of a percent: 3333 is 33.33 %."""

WHOLE = 10_000
TemplateKind = Literal["turn", "load"]
Balance = Literal["even", "in_a_row", "spread", "open_deals", "percent"]
WorkingMode = Literal["always", "common", "individual", "online"]
AlsoChange = Literal["contact", "company", "deal_tasks", "contact_tasks", "company_tasks"]
TakenSign = Literal["event", "call", "stage_change"]


class TemplatePart(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class TemplateMember(TemplatePart):
    """One person. weight: deals in a row or per round, 0 = never. percent: of their group, or of all if they stand alone; 0 =
    never. priority: the highest whom anybody can get it goes first. open_deals_limit: theirs, None = the template's."""

    employee_id: EmployeeKey
    weight: int = Field(default=1, ge=0, le=1000)
    percent: Percent = 0
    priority: int = Field(default=0, ge=0, le=100)
    open_deals_limit: int | None = Field(default=None, ge=0, le=100_000)


class TemplateGroup(TemplatePart):
    """Everybody of a group, followed as it changes. percent: of all. members: of those who differ from the rest of the group.

    In percent: members have theirs and nobody else of the group gets anything; without members it is split evenly.
    """

    name: GroupName
    percent: Percent = 0
    members: tuple[TemplateMember, ...] = Field(default=(), max_length=1000)


class RepeatControl(TemplatePart):
    """Whether a client who is somebody's already goes to that person.

    by: what the client's other deals are found by. threshold: so many deals with one responsible, this one counted. exclusions:
    employee ids who never get anything this way. pipelines: only deals of these count, empty = of all. when_away: what becomes
    of it while that person does not work.
    """

    by: Literal["off", "contacts", "companies", "both"] = "off"
    threshold: int = Field(default=2, ge=2, le=100)
    exclusions: tuple[EmployeeKey, ...] = Field(default=(), max_length=1000)
    pipelines: tuple[str, ...] = Field(default=(), max_length=100)
    when_away: Literal["give", "wait", "distribute"] = "give"


class TemplateHours(TemplatePart):
    """When people get something.

    mode: always; common = the hours of everybody in the schedule; individual = each one's own in it; online = who is there.
    schedule: its name, empty = the account's working time (common). wait: what comes outside is held until work begins.
    gather_minutes: after it began, what was held goes out. per_minute: to one person while it goes out. age_limit_hours: what
    waits longer raises an alarm, None = never.
    """

    mode: WorkingMode = "always"
    schedule: str | None = Field(default=None, max_length=200)
    wait: bool = True
    gather_minutes: int = Field(default=5, ge=0, le=240)
    per_minute: int = Field(default=1, ge=1, le=1000)
    age_limit_hours: int | None = Field(default=72, ge=1, le=8760)


class WindowLimit(TemplatePart):
    """At most so many within any so many minutes, to one person."""

    deals: int = Field(ge=1, le=100_000)
    minutes: int = Field(ge=1, le=44_640)


class TakenToWork(TemplatePart):
    """signs: what shows that somebody took it. minutes: of that person's working time; then the next one, at most `rounds`
    people, never one twice; then the senior manager."""

    signs: tuple[TakenSign, ...] = Field(
        default=("event", "call", "stage_change"), min_length=1, max_length=3
    )
    minutes: int = Field(ge=1, le=44_640)
    rounds: int = Field(default=3, ge=1, le=50)


class Nobody(TemplatePart):
    """What becomes of it when nobody can get it. employee_id: for fallback."""

    do: Literal["wait", "fallback", "senior", "leave"] = "wait"
    employee_id: EmployeeKey | None = None


class DistributionTemplate(TemplatePart):
    """A way to give out deals, missed calls, tasks and ringing phones.

    kind: turn = one after the other; load = by share. balance: of a turn even, in_a_row or spread; of a load even, open_deals
    or percent. groups, employees: who takes part. daily_reset: credits start from zero with each local day. catch_up: up to so
    many deals somebody who was away is owed, 0 = absence earns nothing. quiet_hours: no tasks and missed calls then. Open deals
    (balance, open_deals_limit) are those of the pipelines of the stages that the template is attached to; of all pipelines
    where it is attached to none.
    """

    name: str = Field(min_length=1, max_length=200)
    kind: TemplateKind = "turn"
    balance: Balance = "even"
    groups: tuple[TemplateGroup, ...] = Field(default=(), max_length=200)
    employees: tuple[TemplateMember, ...] = Field(default=(), max_length=1000)
    daily_reset: bool = False
    repeat: RepeatControl = RepeatControl()
    working_time: TemplateHours = TemplateHours()
    open_deals_limit: int | None = Field(default=None, ge=0, le=100_000)
    window: WindowLimit | None = None
    catch_up: int = Field(default=0, ge=0, le=10)
    taken: TakenToWork | None = None
    nobody: Nobody = Nobody()
    also_change: tuple[AlsoChange, ...] = Field(default=(), max_length=5)
    quiet_hours: tuple[tuple[ClockTime, ClockTime], ...] = Field(default=(), max_length=10)

    @property
    def counts_open_deals(self) -> bool:
        """Whether decisions of this template look at how many open deals people have."""
        members = (*self.employees, *(m for group in self.groups for m in group.members))
        limits = (self.open_deals_limit, *(m.open_deals_limit for m in members))
        return self.balance == "open_deals" or any(limit is not None for limit in limits)
