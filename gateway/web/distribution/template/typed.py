"""What was typed becomes a template, or is refused at its field."""

from __future__ import annotations

import re
from collections.abc import Sequence

from gateway.web.distribution.template.form import FIRST_SIGNS, PersonLine, TemplateForm
from routing.distribution.template import (
    CLOCK_TIME,
    WHOLE,
    DistributionTemplate,
    Nobody,
    RepeatControl,
    TakenToWork,
    TemplateGroup,
    TemplateHours,
    TemplateMember,
    WindowLimit,
)
from routing.texts.catalogue import Phrase, phrase

FieldErrors = dict[str, Phrase]
"""By the id of the field."""
_MANY = 100_000
_LONGEST_NAME = 100
_MONTH = 44_640
_PERCENT = re.compile(r"\d{1,3}([.,]\d{1,2})?", re.ASCII)


def percent_of(text: str) -> int | None:
    """Return hundredths: "33,3" -> 3330; None for what is none, or more than the whole."""
    text = text.strip().removesuffix("%").strip()
    if not _PERCENT.fullmatch(text):
        return None
    whole, _, parts = text.replace(",", ".").partition(".")
    found = int(whole) * 100 + int(parts.ljust(2, "0"))
    return found if found <= WHOLE else None


class _Typed:
    """One form while it is read; errors: of the fields that could not be."""

    def __init__(self, form: TemplateForm) -> None:
        self.form = form
        self.errors: FieldErrors = {}

    def whole(self, id: str, text: str, least: int, most: int, otherwise: int | None = None) -> int:
        """otherwise: what an empty field stands for; None: it must be filled in."""
        text = text.strip()
        if text == "" and otherwise is not None:
            return otherwise
        if not (text.isascii() and text.isdigit() and len(text) < 10 and least <= int(text) <= most):
            self.errors[id] = phrase("distribution.refused.whole", least=str(least), most=str(most))
            return least
        return int(text)

    def whole_or_none(self, id: str, text: str, least: int, most: int) -> int | None:
        return None if not text.strip() else self.whole(id, text, least, most)

    def percent(self, id: str, text: str) -> int:
        found = percent_of(text or "0")
        if found is None:
            self.errors[id] = phrase("distribution.refused.percent")
        return found or 0

    def member(self, id: str, line: PersonLine) -> TemplateMember:
        """Shares that the chosen way does not look at are left out."""
        balance = self.form.balance
        is_weighed = balance in ("in_a_row", "spread")
        return TemplateMember(
            employee_id=line.employee,
            percent=self.percent(f"{id}-percent", line.percent) if balance == "percent" else 0,
            weight=self.whole(f"{id}-weight", line.weight, 0, 1000, 1) if is_weighed else 1,
            priority=self.whole(f"{id}-priority", line.priority, 0, 100, 0),
            open_deals_limit=self.whole_or_none(f"{id}-limit", line.limit, 0, _MANY),
        )

    def group(self, number: int, name: str, percent: str) -> TemplateGroup:
        """Of its people those whose share is their own: in percent whoever has one, else whoever differs from the others."""
        lines = list(enumerate(self.form.members(name)))
        read = [(line, self.member(f"group-{number}-member-{n}", line)) for n, line in lines]
        is_shared = self.form.balance == "percent"
        named = tuple(
            member
            for line, member in read
            if (line.percent if is_shared else member != TemplateMember(employee_id=member.employee_id))
        )
        for n, line in lines:
            if is_shared and not line.percent and (line.priority or line.limit):
                self.errors[f"group-{number}-member-{n}-percent"] = phrase("distribution.refused.no_share")
        share = self.percent(f"group-{number}-percent", percent) if is_shared else 0
        return TemplateGroup(name=name, percent=share, members=named)

    def window(self) -> WindowLimit | None:
        form = self.form
        if not form.window_deals.strip() and not form.window_minutes.strip():
            return None
        deals = self.whole("window_deals", form.window_deals, 1, _MANY)
        return WindowLimit(deals=deals, minutes=self.whole("window_minutes", form.window_minutes, 1, _MONTH))

    def quiet_hours(self) -> tuple[tuple[str, str], ...]:
        found = []
        for number, (opens, closes) in enumerate(self.form.quiet_pairs):
            pair = opens, closes
            if not all(re.match(CLOCK_TIME, time) for time in pair):
                self.errors[f"quiet-{number}"] = phrase("distribution.refused.clock")
                continue
            found.append(pair)
        return tuple(found[:10])

    def hours(self) -> TemplateHours:
        form = self.form
        is_by_schedule = form.mode in ("common", "individual")
        return TemplateHours(
            mode=form.mode,
            schedule=(form.schedule or None) if is_by_schedule else None,
            wait=form.wait,
            gather_minutes=self.whole("gather_minutes", form.gather_minutes, 0, 240),
            per_minute=self.whole("per_minute", form.per_minute, 1, 1000),
            age_limit_hours=self.whole_or_none("age_limit_hours", form.age_limit_hours, 1, 8760),
        )

    def repeat(self) -> RepeatControl:
        form = self.form
        return RepeatControl(
            by=form.repeat_by,
            threshold=self.whole("threshold", form.threshold, 2, 100),
            exclusions=_each_once(form.exclusion)[:1000],
            pipelines=_each_once(form.repeat_pipeline)[:100],
            when_away=form.when_away,
        )

    def taken(self) -> TakenToWork | None:
        form = self.form
        if not form.is_taken_watched:
            return None
        if not form.sign:
            self.errors["sign"] = phrase("distribution.refused.no_sign")
        return TakenToWork(
            signs=tuple(s for s in FIRST_SIGNS if s in form.sign) or FIRST_SIGNS,
            minutes=self.whole("taken_minutes", form.taken_minutes, 1, _MONTH),
            rounds=self.whole("taken_rounds", form.taken_rounds, 1, 50),
        )


def template_of(form: TemplateForm) -> tuple[DistributionTemplate | None, FieldErrors]:
    """Return the template, or what is wrong and at which field."""
    typed = _Typed(form)
    name = form.name.strip()
    if not name or len(name) > _LONGEST_NAME:
        typed.errors["name"] = phrase("distribution.refused.name")
    people = tuple(typed.member(f"employee-{n}", line) for n, line in enumerate(form.people))
    groups = tuple(typed.group(n, *line) for n, line in enumerate(form.groups))
    template = DistributionTemplate(
        name=name[:_LONGEST_NAME] or "-",
        kind=form.kind,
        balance=form.balance,
        groups=groups[:200],
        employees=people[:1000],
        daily_reset=form.daily_reset,
        repeat=typed.repeat(),
        working_time=typed.hours(),
        open_deals_limit=typed.whole_or_none("open_deals_limit", form.open_deals_limit, 0, _MANY),
        window=typed.window(),
        catch_up=typed.whole("catch_up", form.catch_up, 0, 10, 0),
        taken=typed.taken(),
        nobody=Nobody(
            do=form.nobody_do,
            employee_id=(form.nobody_employee or None) if form.nobody_do == "fallback" else None,
        ),
        also_change=tuple(dict.fromkeys(form.also_change)),
        quiet_hours=typed.quiet_hours(),
    )
    return (None if typed.errors else template), typed.errors


def _each_once(values: Sequence[str]) -> tuple[str, ...]:
    return tuple(value for value in dict.fromkeys(values) if value)
