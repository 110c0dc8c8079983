"""What is wrong with a template is told before anybody waits for a deal in vain."""

from __future__ import annotations

from typing import Any

import pytest

from routing.distribution.checks.problems import TEMPLATE_PROBLEMS
from routing.distribution.checks.resets import shares_after_resets
from routing.distribution.problems import KnownToTemplates, can_be_used, problems
from routing.distribution.template import DistributionTemplate, TemplateGroup
from routing.staff import Staff
from tests.unit.routing.distribution.people import a_person, a_staff, a_template, members, weighted

STAFF = a_staff(
    a_person("A", "sales"),
    a_person("B", "sales"),
    a_person("C", "service"),
    a_person("Boss", is_senior=True),
    a_person("Gone", is_active=False),
    a_person("Free", crm_user_id=None),
)


def codes(template: DistributionTemplate, staff: Staff = STAFF, **known: Any) -> list[str]:
    return [p.code for p in problems(template, KnownToTemplates(staff, **known))]


def by_percent(**more: Any) -> DistributionTemplate:
    return a_template(**{"kind": "load", "balance": "percent", **more})


def group(name: str, percent: int = 0, **shares: int) -> TemplateGroup:
    return TemplateGroup(name=name, percent=percent, members=members(**shares))


def test_a_plain_template_has_nothing_wrong() -> None:
    assert codes(a_template("A", "B")) == []
    assert codes(a_template(groups=[group("sales")])) == []


@pytest.mark.parametrize(
    ("third", "found"), [(3334, []), (3333, ["percent-not-whole"]), (3335, ["percent-not-whole"])]
)
def test_shares_of_people_make_exactly_one_hundred(third: int, found: list[str]) -> None:
    """33.33, 33.33 and 33.34 do; a hundredth less or more does not."""
    template = by_percent(employees=members(A=3333, B=3333, C=third))
    assert codes(template) == found
    assert can_be_used(problems(template, KnownToTemplates(STAFF))) == (not found)


def test_shares_make_one_hundred_in_each_group_and_over_the_groups() -> None:
    whole = by_percent(groups=[group("sales", 6000, A=2500, B=7500), group("service", 4000, C=10_000)])
    assert codes(whole) == []
    assert codes(
        by_percent(groups=[group("sales", 6000, A=2500, B=7500), group("service", 3999, C=10_000)])
    ) == ["percent-not-whole"]
    assert codes(by_percent(groups=[group("sales", 10_000, A=2500, B=7501)])) == [
        "percent-not-whole-in-group"
    ]


def test_a_person_beside_groups_counts_into_the_sum_over_them() -> None:
    assert codes(by_percent(groups=[group("sales", 9000)], employees=members(C=1000))) == []
    assert codes(by_percent(groups=[group("sales", 9000)], employees=members(C=999))) == ["percent-not-whole"]


def test_the_sum_is_told_as_people_write_it_in_both_languages() -> None:
    (found,) = problems(by_percent(employees=members(A=9999)), KnownToTemplates(STAFF))
    assert "99.99 %" in found.message
    assert "99.99 %" in found.in_words("en")[0]
    assert found.field == "employees"


@pytest.mark.parametrize(
    ("template", "code"),
    [
        (a_template(), "nobody-takes-part"),
        (a_template("A", balance="open_deals"), "balance-not-of-kind"),
        (a_template("A", kind="load", balance="in_a_row"), "balance-not-of-kind"),
        (a_template(balance="spread", employees=weighted(A=0, B=0)), "all-shares-zero"),
        (a_template("A", "A"), "person-twice"),
        (a_template(groups=[group("sales"), group("sales")]), "group-twice"),
        (
            by_percent(groups=[group("sales", 5000, A=5000, B=5000)], employees=members(A=5000)),
            "person-twice",
        ),
        (a_template("A", "nobody"), "person-gone"),
        (by_percent(groups=[group("sales", 10_000, A=2500, B=2500, nobody=5000)]), "person-gone"),
        (a_template("A", "Free"), "person-unmapped"),
        (a_template("A", "Gone"), "person-inactive"),
        (a_template(groups=[group("sales"), group("salles")]), "group-empty"),
        (by_percent(groups=[group("sales", 10_000, A=4000, B=4000, C=2000)]), "member-not-of-group"),
        (by_percent(groups=[group("sales", 10_000, A=10_000)]), "member-without-share"),
        (a_template(employees=members(A=5000, B=5000)), "share-ignored"),
        (a_template(employees=weighted(A=2, B=1)), "share-ignored"),
        (a_template("A", working_time={"mode": "individual"}), "schedule-not-named"),
        (a_template("A", working_time={"mode": "common", "schedule": "x"}), "schedule-gone"),
        (a_template("A", nobody={"do": "fallback"}), "fallback-not-named"),
        (a_template("A", nobody={"do": "fallback", "employee_id": "gone"}), "fallback-cannot"),
        (a_template("A", repeat={"by": "both", "exclusions": ["x"]}), "exclusion-gone"),
        (a_template("A", repeat={"by": "both", "pipelines": ["7"]}), "pipeline-gone"),
        (a_template("A", quiet_hours=[("22:00", "22:00")]), "quiet-all-day"),
        (a_template("A", open_deals_limit=0), "limit-zero"),
        (a_template("A", catch_up=3), "catch-up-floods"),
        (by_percent(employees=members(A=7000, B=3000), daily_reset=True), "daily-reset-unknown"),
    ],
    ids=lambda v: v if isinstance(v, str) else "",
)
def test_a_fault_is_found_by_its_code(template: DistributionTemplate, code: str) -> None:
    assert codes(template, pipelines=["1"]) == [code]


def test_a_senior_who_is_to_get_what_nobody_takes_must_be_there() -> None:
    template = a_template("A", taken={"minutes": 30})
    assert codes(template) == []
    assert codes(template, a_staff("A")) == ["senior-missing"]
    assert codes(a_template("A", nobody={"do": "senior"}), a_staff("A")) == ["senior-missing"]


def test_who_takes_part_and_does_not_stand_in_the_schedule_is_named() -> None:
    template = a_template("A", "B", "C", working_time={"mode": "individual", "schedule": "shifts"})
    (found,) = problems(template, KnownToTemplates(STAFF, schedules={"shifts": ["a"]}))
    assert (found.code, found.severity) == ("not-in-schedule", "warning")
    assert "B, C" in found.message_en
    assert codes(template, schedules={"shifts": None}) == []


def test_a_daily_reset_with_few_deals_is_told_with_the_shares_that_it_would_give() -> None:
    template = by_percent(employees=members(A=7000, B=2000, C=1000), daily_reset=True)
    (found,) = problems(template, KnownToTemplates(STAFF, items_per_day=3))
    assert found.code == "daily-reset-uneven"
    assert "A 66.7 %, B 33.3 %, C 0.0 % instead of A 70.0 %, B 20.0 %, C 10.0 %" in found.message_en
    assert codes(template, items_per_day=500) == []


def test_a_daily_reset_inside_a_group_is_looked_at_with_the_groups_part_of_the_day() -> None:
    sales = group("sales", 5000, A=7000, B=3000)
    template = by_percent(groups=[sales, group("service", 5000)], daily_reset=True)
    (found,) = problems(template, KnownToTemplates(STAFF, items_per_day=4))
    assert (found.code, found.field) == ("daily-reset-uneven", "groups.sales")


def test_a_turn_is_not_disturbed_by_a_daily_reset() -> None:
    assert codes(a_template("A", "B", "C", daily_reset=True), items_per_day=2) == []
    assert set(shares_after_resets({"a": 1, "b": 1, "c": 1}, 2).values()) == {100 / 3}


def test_kept_credit_gives_the_shares_exactly_where_a_reset_does_not() -> None:
    """70, 20 and 10 % of three deals a day for 300 days."""
    weights = {"a": 70, "b": 20, "c": 10}
    assert {p: round(s, 1) for p, s in shares_after_resets(weights, 3, 300).items()} == {
        "a": 66.7,
        "b": 33.3,
        "c": 0.0,
    }
    assert shares_after_resets(weights, 900, 1) == {"a": 70.0, "b": 20.0, "c": 10.0}


def test_errors_come_first_and_every_code_can_be_found() -> None:
    template = a_template("A", "A", "Gone", kind="load", balance="in_a_row", catch_up=5)
    found = [TEMPLATE_PROBLEMS[code] for code in codes(template)]
    assert found == sorted(found)
    assert set(found) == {"error", "warning"}
