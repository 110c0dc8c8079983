"""Who takes part in a template, as the staff is now: made once for a template and a version of the staff, asked for each item."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from routing.decision import Step
from routing.distribution.ledger import LedgerRule
from routing.distribution.reasons import LeftOut
from routing.distribution.template import DistributionTemplate, TemplateGroup, TemplateMember
from routing.staff import Staff

FLAT, GROUPS = "", "groups"


class Seat(NamedTuple):
    """One person's place in a template. open_deals_limit: None = none."""

    employee_id: str
    weight: int
    priority: int
    open_deals_limit: int | None


class Pool(NamedTuple):
    """People among whom one ledger decides. key: of its row in the ledger above it. scope: of its own, None = of one person
    who stands beside groups. share: among the pools. left_out: the steps of those who can never be chosen."""

    key: str
    scope: str | None
    share: int
    seats: tuple[Seat, ...]
    left_out: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True)
class Roster:
    """A template and the people whom it means now. pools: one, or for percent with groups one for each of them."""

    template: DistributionTemplate
    staff: Staff
    pools: tuple[Pool, ...]
    rule: LedgerRule
    member_ids: frozenset[str]

    @property
    def scopes(self) -> tuple[str, ...]:
        """Names of the ledgers that a decision may move."""
        own = tuple(p.scope for p in self.pools if p.scope is not None)
        return own if not self.has_levels else (GROUPS, *own)

    @property
    def has_levels(self) -> bool:
        return self.template.balance == "percent" and bool(self.template.groups)

    @property
    def people(self) -> tuple[str, ...]:
        """Employee ids of everybody who can be chosen at all: those whose standing is asked for, besides their substitutes."""
        return tuple(seat.employee_id for pool in self.pools for seat in pool.seats)


def roster_of(template: DistributionTemplate, staff: Staff) -> Roster:
    """Find everybody whom the template means among the staff."""
    if template.balance == "percent" and template.groups:
        pools = tuple(_pools(template, staff))
    else:
        pools = (_pool("", FLAT, 1, _members(template, staff), template, staff),)
    ids = frozenset(m.employee_id for m in _everybody(template, staff))
    return Roster(template, staff, pools, _RULES.get(template.balance, "credit"), ids)


_RULES: Mapping[str, LedgerRule] = {"in_a_row": "in_a_row", "open_deals": "open_deals"}


def scope_of_group(name: str) -> str:
    return f"group:{name}"


def is_group(name: str) -> bool:
    """Whether this name of a share is a group's."""
    return name.startswith(scope_of_group(""))


def _pools(template: DistributionTemplate, staff: Staff) -> Iterator[Pool]:
    """One for each group and one for each who stands beside them; whoever stands beside them is in no group's."""
    met = {single.employee_id for single in template.employees}
    for group in template.groups:
        members = [m for m in _of_percent_group(group, staff) if m.employee_id not in met]
        met.update(m.employee_id for m in members)
        scope = scope_of_group(group.name)
        yield _pool(scope, scope, group.percent, members, template, staff)
    for single in {m.employee_id: m for m in template.employees}.values():
        alone = single.model_copy(update={"percent": 1 if single.percent else 0})
        yield _pool(single.employee_id, None, single.percent, [alone], template, staff)


def _pool(
    key: str,
    scope: str | None,
    share: int,
    members: Iterable[TemplateMember],
    template: DistributionTemplate,
    staff: Staff,
) -> Pool:
    seats: list[Seat] = []
    left_out: list[Step] = []
    for member in members:
        weight = _weight(member, template)
        reason = why_never(member.employee_id, weight if share else 0, staff)
        if reason is not None:
            left_out.append(Step("person", "excluded", reason, {"employee": member.employee_id}))
            continue
        own = member.open_deals_limit
        seats.append(
            Seat(
                member.employee_id, weight, member.priority, template.open_deals_limit if own is None else own
            )
        )
    return Pool(key, scope, share, tuple(seats), tuple(left_out))


def why_never(employee_id: str, weight: int, staff: Staff) -> LeftOut | None:
    """Why this person can get nothing whatever the hour, None when they can."""
    person = staff.by_id.get(employee_id)
    if person is None:
        return "not_member"
    if not person.crm_user_id:
        return "unmapped"
    if not staff.can_be_given_work(person):
        return "inactive"
    return "zero_weight" if weight <= 0 else None


def _weight(member: TemplateMember, template: DistributionTemplate) -> int:
    if template.balance == "percent":
        return member.percent
    if template.balance in ("in_a_row", "spread"):
        return member.weight
    return 1 if member.weight else 0


def _everybody(template: DistributionTemplate, staff: Staff) -> Iterator[TemplateMember]:
    for group in template.groups:
        yield from (
            _of_percent_group(group, staff) if template.balance == "percent" else _of_group(group, staff)
        )
    yield from template.employees


def _members(template: DistributionTemplate, staff: Staff) -> list[TemplateMember]:
    """Each once, the groups' first; what is said of a person alone stands above what their group says."""
    alone = {m.employee_id: m for m in template.employees}
    found: dict[str, TemplateMember] = {}
    for member in _everybody(template, staff):
        found.setdefault(member.employee_id, alone.get(member.employee_id, member))
    return list(found.values())


def _of_group(group: TemplateGroup, staff: Staff) -> Iterator[TemplateMember]:
    """Everybody of the group now."""
    said = {m.employee_id: m for m in group.members}
    for person in staff.employees:
        if person.group == group.name:
            yield said.get(person.id) or TemplateMember(employee_id=person.id)


def _of_percent_group(group: TemplateGroup, staff: Staff) -> Iterator[TemplateMember]:
    """Everybody of the group now, each with their share; without any named share they have the same."""
    for member in _of_group(group, staff):
        yield member if group.members else member.model_copy(update={"percent": 1})
