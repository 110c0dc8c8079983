"""Checks of a template against what the account really has, before it is published and daily afterwards."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from routing.distribution.checks.people import check_people
from routing.distribution.checks.problems import KnownToTemplates, TemplateProblem, problem
from routing.distribution.checks.resets import check_daily_reset
from routing.distribution.checks.shares import check_shares
from routing.distribution.roster import roster_of, why_never
from routing.distribution.template import DistributionTemplate

__all__ = ["KnownToTemplates", "TemplateProblem", "can_be_used", "problems"]


def problems(template: DistributionTemplate, known: KnownToTemplates) -> list[TemplateProblem]:
    """Everything that is wrong, errors first, each with the field and what to do."""
    found = list(_all(template, known))
    return [p for p in found if p.severity == "error"] + [p for p in found if p.severity == "warning"]


def can_be_used(found: Sequence[TemplateProblem]) -> bool:
    return not any(p.severity == "error" for p in found)


def _all(template: DistributionTemplate, known: KnownToTemplates) -> Iterator[TemplateProblem]:
    yield from check_shares(template, known.staff)
    yield from check_people(template, known.staff)
    yield from _schedule(template, known)
    yield from _nobody(template, known)
    yield from _repeat(template, known)
    yield from _stages(known)
    yield from _limits(template)
    yield from check_daily_reset(template, known)


def _schedule(template: DistributionTemplate, known: KnownToTemplates) -> Iterator[TemplateProblem]:
    """Somebody who takes part and does not stand in the schedule gets nothing: that must not be found out by waiting."""
    hours = template.working_time
    if hours.mode not in ("common", "individual"):
        return
    if hours.schedule is None:
        if hours.mode == "individual":
            yield problem("schedule-not-named", "working_time.schedule")
        return
    if hours.schedule not in known.schedules:
        yield problem("schedule-gone", "working_time.schedule", name=hours.schedule)
        return
    inside = known.schedules[hours.schedule]
    if hours.mode == "individual" and inside is not None:
        people = roster_of(template, known.staff).people
        outside = tuple(known.staff.by_id[p].name for p in people if p not in inside)
        if outside:
            yield problem("not-in-schedule", "working_time.schedule", name=hours.schedule, people=outside)


def _nobody(template: DistributionTemplate, known: KnownToTemplates) -> Iterator[TemplateProblem]:
    person = template.nobody.employee_id
    if template.nobody.do == "fallback":
        if person is None:
            yield problem("fallback-not-named", "nobody.employee_id")
        elif why_never(person, 1, known.staff):
            employee = known.staff.by_id.get(person)
            yield problem("fallback-cannot", "nobody.employee_id", name=employee.name if employee else person)
    needs_senior = template.taken is not None or template.nobody.do == "senior"
    if needs_senior and not known.staff.can_be_given_work(known.staff.senior):
        yield problem("senior-missing", "taken" if template.taken else "nobody.do")


def _repeat(template: DistributionTemplate, known: KnownToTemplates) -> Iterator[TemplateProblem]:
    if template.repeat.by == "off":
        return
    for person in template.repeat.exclusions:
        if person not in known.staff.by_id:
            yield problem("exclusion-gone", "repeat.exclusions", id=person)
    for pipeline in template.repeat.pipelines:
        if known.pipelines is not None and pipeline not in known.pipelines:
            yield problem("pipeline-gone", "repeat.pipelines", id=pipeline)


def _stages(known: KnownToTemplates) -> Iterator[TemplateProblem]:
    for pipeline, stage in known.attached:
        if known.stages is not None and (pipeline, stage) not in known.stages:
            yield problem("stage-gone", "stages", stage=f"{pipeline}/{stage}")


def _limits(template: DistributionTemplate) -> Iterator[TemplateProblem]:
    if template.open_deals_limit == 0:
        yield problem("limit-zero", "open_deals_limit")
    if template.catch_up > 1:
        yield problem("catch-up-floods", "catch_up", deals=template.catch_up)
    for opens, closes in template.quiet_hours:
        if opens == closes or (opens, closes) == ("00:00", "24:00"):
            yield problem("quiet-all-day", "quiet_hours", opens=opens, closes=closes)
