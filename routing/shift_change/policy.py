"""What an account has set for shift change. Nothing happens until it is switched on."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Annotated, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

CrmId = Annotated[str, Field(min_length=1, max_length=64)]
GoesAlong = Literal["contact", "company", "deal_tasks", "contact_tasks", "company_tasks"]
Returns = Literal["created", "taken", "off"]


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ExcludedField(_Value):
    """Deals in whose custom field this stands. value None: anything at all."""

    field_id: CrmId
    value: Annotated[str, Field(max_length=256)] | None = None


class ShiftPolicy(_Value):
    """pipelines: ids; deals of others stay where they are. group: whose deals move, None = of everybody in the template.
    template: by whose shares deals are split among those left. new_only: nothing is moved but what comes in while its owner is
    offline. wait_seconds: being offline or back has lasted so long before anything is moved. pause_minutes: no second mass move
    of one person before that. returns: what comes back to who returns: of what was taken from them, deals that they were
    responsible for when they were made (created), all (taken), nothing (off). goes_along: what else of a deal passes to its new
    owner where it was the old one's.
    """

    is_on: bool = False
    pipelines: Annotated[tuple[CrmId, ...], Field(max_length=100)] = ()
    group: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    template: Annotated[str, Field(max_length=200)] = ""
    new_only: bool = False
    wait_seconds: Annotated[int, Field(ge=0, le=3600)] = 120
    pause_minutes: Annotated[int, Field(ge=0, le=1440)] = 30
    returns: Returns = "created"
    goes_along: Annotated[tuple[GoesAlong, ...], Field(max_length=5)] = ()
    excluded_deals: Annotated[tuple[CrmId, ...], Field(max_length=10_000)] = ()
    excluded_tags: Annotated[
        tuple[Annotated[str, Field(min_length=1, max_length=256)], ...], Field(max_length=100)
    ] = ()
    excluded_fields: Annotated[tuple[ExcludedField, ...], Field(max_length=100)] = ()

    @property
    def reads_deals(self) -> bool:
        """Whether the CRM has to be asked for each deal: tags and fields are not known otherwise."""
        return bool(self.excluded_tags or self.excluded_fields)

    @property
    def moves_tasks(self) -> bool:
        return any(one.endswith("_tasks") for one in self.goes_along)


_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)


class PolicyProblem(NamedTuple):
    """field: of the policy. code: kebab-case. value: what is wrong with it."""

    field: str
    code: str
    value: str = ""


def problems(
    policy: ShiftPolicy,
    *,
    pipelines: Iterable[str] | None,
    groups: Iterable[str],
    templates: Iterable[str],
) -> list[PolicyProblem]:
    """Return why this policy cannot work. pipelines: of the CRM, None = not read yet; groups, templates: those there are."""
    found: list[PolicyProblem] = []
    if policy.is_on and not policy.pipelines:
        found.append(PolicyProblem("pipelines", "shift-no-pipeline"))
    if pipelines is not None:
        known = set(pipelines)
        found += [
            PolicyProblem("pipelines", "shift-no-such-pipeline", p)
            for p in policy.pipelines
            if p not in known
        ]
    if policy.group is not None and policy.group not in set(groups):
        found.append(PolicyProblem("group", "shift-no-such-group", policy.group))
    if policy.is_on and not policy.template:
        found.append(PolicyProblem("template", "shift-no-template"))
    elif policy.template and policy.template not in set(templates):
        found.append(PolicyProblem("template", "shift-no-such-template", policy.template))
    return found


def no_numbers(policy: ShiftPolicy) -> list[PolicyProblem]:
    """Return what cannot be the id of anything in the CRM: nothing would ever be found by it."""
    given = [("pipelines", "pipeline", one) for one in policy.pipelines]
    given += [("excluded_deals", "deal", one) for one in policy.excluded_deals]
    given += [("excluded_fields", "field", one.field_id) for one in policy.excluded_fields]
    return [
        PolicyProblem(field, f"shift-no-number-of-{what}", id)
        for field, what, id in given
        if not _NUMBER.fullmatch(id)
    ]
