"""What stands in the form beside the fields: names, who cannot get anything, what the selects offer, what is wrong in words."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from crm.port import Pipeline
from gateway.web.distribution.template.form import GroupLine, PersonLine, TemplateForm
from gateway.web.distribution.template.sums import ShareSum, sums
from gateway.web.words.sorting import by_name
from routing.distribution.problems import TemplateProblem
from routing.distribution.roster import why_never
from routing.staff import Employee, Staff
from routing.texts.catalogue import Texts

FormOption = tuple[str, str]
FormOptionGroup = tuple[str, Sequence[FormOption]]
TemplatePanel = Literal["who", "when", "after", "stages"]

_PART_OF: Mapping[str, TemplatePanel] = {
    "working_time": "when",
    "quiet_hours": "when",
    "repeat": "after",
    "taken": "after",
    "nobody": "after",
    "stages": "stages",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenPerson:
    """id: the beginning of the ids of their fields. user: in the CRM, for the colour. never: why they get nothing whatever the
    hour, "" = they can. open_deals: None = not counted."""

    id: str
    line: PersonLine
    name: str
    user: str
    never: str
    open_deals: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenGroup:
    """people: names of all who are in it now. members: with fields of their own, empty = all are alike."""

    id: str
    name: str
    percent: str
    people: Sequence[str]
    members: Sequence[SeenPerson] = ()
    sum: ShareSum | None = None


class SeenProblem(NamedTuple):
    """tone: of the note. part: of the form, where it stands."""

    tone: Literal["bad", "warn"]
    part: TemplatePanel
    message: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenForm:
    """sum: of all; None = shares are not in percent."""

    people: Sequence[SeenPerson]
    groups: Sequence[SeenGroup]
    sum: ShareSum | None
    exclusions: Sequence[FormOption]
    problems: Sequence[SeenProblem] = field(default_factory=list)

    def problems_of(self, part: TemplatePanel) -> list[SeenProblem]:
        return [one for one in self.problems if one.part == part]


def see_form(
    form: TemplateForm,
    staff: Staff,
    found: Sequence[TemplateProblem],
    texts: Texts,
    open_deals: Mapping[str, int] | None = None,
) -> SeenForm:
    """open_deals: of each employee, None = the template does not look at them."""
    shares = {one.group: one for one in sums(form)}

    def person(id: str, line: PersonLine) -> SeenPerson:
        known = staff.by_id.get(line.employee)
        never = why_never(line.employee, 1, staff)
        return SeenPerson(
            id=id,
            line=line,
            name=known.name if known else line.employee,
            user=(known.crm_user_id if known else None) or "0",
            never=texts.say(f"distribution.person.{never}") if never else "",
            open_deals=None if open_deals is None else open_deals.get(line.employee, 0),
        )

    def group(number: int, line: GroupLine) -> SeenGroup:
        inside = [p.name for p in staff.employees if p.group == line.name]
        members = [person(f"group-{number}-member-{n}", one) for n, one in enumerate(form.members(line.name))]
        return SeenGroup(
            id=f"group-{number}",
            name=line.name,
            percent=line.percent,
            people=sorted(inside, key=by_name),
            members=members,
            sum=shares.get(line.name),
        )

    return SeenForm(
        people=[person(f"employee-{n}", line) for n, line in enumerate(form.people)],
        groups=[group(n, line) for n, line in enumerate(form.groups)],
        sum=shares.get(""),
        exclusions=[(id, staff.by_id[id].name if id in staff.by_id else id) for id in form.exclusion],
        problems=[problem_seen(one, texts) for one in found],
    )


def names_of_shares(seen: SeenForm) -> dict[str, str]:
    """Return how whatever has a share is called, as `ShareSum.mended_at` names it."""
    people = [*seen.people, *(member for group in seen.groups for member in group.members)]
    named = {one.line.employee: one.name for one in people}
    return named | {f"group:{group.name}": group.name for group in seen.groups}


def problem_seen(one: TemplateProblem, texts: Texts) -> SeenProblem:
    """Say it as pages do: without codes and without figures as programs write them."""
    message, remedy = one.in_words(texts.language)
    own = f"distribution.said.{one.code}"
    return SeenProblem(
        tone="bad" if one.severity == "error" else "warn",
        part=_PART_OF.get(one.field.partition(".")[0], "who"),
        message=texts.say(own) if own in texts.sentences else capital(message),
        remedy=capital(remedy) if f"{own}.remedy" not in texts.sentences else texts.say(f"{own}.remedy"),
    )


def capital(text: str) -> str:
    """Make a sentence of what the catalogues write as a part of one."""
    sentence = text[:1].upper() + text[1:]
    return sentence if sentence.endswith(".") else f"{sentence}."


def who_can_be_added(form: TemplateForm, staff: Staff, texts: Texts) -> list[FormOptionGroup]:
    """Return groups and people who do not stand in the form yet."""
    groups = sorted({p.group for p in staff.employees if p.group and p.group not in form.group}, key=by_name)
    people = [p for p in _by_name(staff) if p.id not in form.employee]
    found: list[FormOptionGroup] = []
    if groups:
        found.append((texts.say("distribution.add.groups"), [(f"group:{name}", name) for name in groups]))
    if people:
        found.append((texts.say("distribution.add.people"), [(f"employee:{p.id}", p.name) for p in people]))
    return found


def people_options(staff: Staff, unset: str, without: Collection[str] = ()) -> list[FormOption]:
    return [("", unset), *((p.id, p.name) for p in _by_name(staff) if p.id not in without)]


def _by_name(staff: Staff) -> list[Employee]:
    return sorted(staff.employees, key=lambda p: by_name(p.name))


def schedule_options(names: Sequence[str], chosen: str, texts: Texts) -> list[FormOption]:
    """First the company's working time; what is chosen and is there no more stays to be seen."""
    found = [
        ("", texts.say("distribution.when.company")),
        *((name, name) for name in sorted(names, key=by_name)),
    ]
    if chosen and chosen not in names:
        found.append((chosen, texts.say("distribution.gone", name=chosen)))
    return found


def pipeline_options(pipelines: Sequence[Pipeline], chosen: Sequence[str], texts: Texts) -> list[FormOption]:
    known = [(p.id, p.name) for p in pipelines if not p.is_archived or p.id in chosen]
    ids = {id for id, _ in known}
    return [*known, *((id, texts.say("distribution.gone", name=id)) for id in chosen if id not in ids)]
