"""Two templates side by side: what differs, field by field, in words."""

from __future__ import annotations

from collections.abc import Iterator

from gateway.web.distribution.template.form import TemplateForm, form_of
from gateway.web.words.changes import FieldChange, field_changes
from gateway.web.words.words import Words
from routing.distribution.template import DistributionTemplate, TemplateMember
from routing.staff import Staff

_NUMBERS = (
    "catch_up",
    "open_deals_limit",
    "window_deals",
    "window_minutes",
    "gather_minutes",
    "per_minute",
    "age_limit_hours",
    "threshold",
)
_SWITCHES = ("daily_reset", "wait")
_CHOICES = ("way", "mode", "repeat_by", "when_away", "nobody_do")


def template_changes(
    before: DistributionTemplate, after: DistributionTemplate, staff: Staff, words: Words
) -> list[FieldChange]:
    return field_changes(_told(before, staff, words), _told(after, staff, words))


def _told(template: DistributionTemplate, staff: Staff, words: Words) -> Iterator[tuple[str, str]]:
    """Say (what it is called, what it is) of everything that is set."""
    say, form = words.texts.say, form_of(template, 0)
    for name in _CHOICES:
        yield say(f"distribution.form.{name}"), say(f"distribution.{name}.{getattr(form, name)}")
    for name in _SWITCHES:
        yield say(f"distribution.form.{name}"), say(f"distribution.is.{getattr(form, name)}".lower())
    for name in _NUMBERS:
        yield say(f"distribution.form.{name}"), getattr(form, name)
    yield from _people(template, staff, words)
    yield say("distribution.form.schedule"), form.schedule
    yield say("distribution.form.quiet"), ", ".join("–".join(pair) for pair in template.quiet_hours)
    yield say("distribution.form.exclusions"), _names(form.exclusion, staff)
    yield say("distribution.form.pipelines"), ", ".join(form.repeat_pipeline)
    yield say("distribution.form.nobody_employee"), _names((form.nobody_employee,), staff)
    yield (
        say("distribution.form.also_change"),
        ", ".join(say(f"distribution.also_change.{one}") for one in form.also_change),
    )
    yield from _taken(form, words)


def _taken(form: TemplateForm, words: Words) -> Iterator[tuple[str, str]]:
    say = words.texts.say
    yield say("distribution.form.is_taken_watched"), say(f"distribution.is.{form.is_taken_watched}".lower())
    if form.is_taken_watched:
        yield say("distribution.form.taken_minutes"), form.taken_minutes
        yield say("distribution.form.taken_rounds"), form.taken_rounds
        yield say("distribution.form.sign"), ", ".join(say(f"distribution.sign.{one}") for one in form.sign)


def _people(template: DistributionTemplate, staff: Staff, words: Words) -> Iterator[tuple[str, str]]:
    say = words.texts.say
    for member in template.employees:
        yield _name(member, staff), _member(member, template, words)
    for group in template.groups:
        share = words.percent(group.percent / 10_000, 2) if template.balance == "percent" else ""
        yield say("distribution.the_group", name=group.name), share or say("distribution.takes_part")
        for member in group.members:
            where = say("distribution.in_group", name=_name(member, staff), group=group.name)
            yield where, _member(member, template, words)


def _member(member: TemplateMember, template: DistributionTemplate, words: Words) -> str:
    say = words.texts.say
    told = []
    if template.balance == "percent":
        told.append(words.percent(member.percent / 10_000, 2))
    if template.balance in ("in_a_row", "spread"):
        told.append(say("distribution.told.weight", weight=str(member.weight)))
    if member.priority:
        told.append(say("distribution.told.priority", priority=str(member.priority)))
    if member.open_deals_limit is not None:
        told.append(say("distribution.told.limit", limit=str(member.open_deals_limit)))
    return ", ".join(told) or say("distribution.takes_part")


def _name(member: TemplateMember, staff: Staff) -> str:
    known = staff.by_id.get(member.employee_id)
    return known.name if known else member.employee_id


def _names(ids: tuple[str, ...], staff: Staff) -> str:
    return ", ".join(staff.by_id[id].name if id in staff.by_id else id for id in ids if id)
