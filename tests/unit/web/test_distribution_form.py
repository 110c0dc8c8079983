"""The form of a template: whatever a template says stands in it and comes back; shares are made whole to the hundredth."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.web.distribution.template.differences import template_changes
from gateway.web.distribution.template.editing import pressed_in_form
from gateway.web.distribution.template.form import TemplateForm, form_of, percent_as_typed
from gateway.web.distribution.template.seen import problem_seen
from gateway.web.distribution.template.shares import tried_shares
from gateway.web.distribution.template.sums import sums
from gateway.web.distribution.template.typed import percent_of, template_of
from gateway.web.texts.sentences import TEXTS
from gateway.web.words.words import Words
from routing.distribution.checks.problems import TEMPLATE_PROBLEMS, problem
from routing.distribution.template import DistributionTemplate, TemplateMember
from routing.staff import Employee, Staff
from routing.texts.catalogue import LANGUAGES, Language, Value

NOW, ZONE = datetime(2026, 11, 24, 11, 32, tzinfo=UTC), ZoneInfo("Europe/Moscow")
STAFF = Staff.of(
    [Employee(id="li", name="Ли Чжао", crm_user_id="1"), Employee(id="m", name="Мария", group="g")]
)
SHARED = DistributionTemplate(
    name="t",
    kind="load",
    balance="percent",
    employees=(TemplateMember(employee_id="li", percent=3333), TemplateMember(employee_id="m", percent=6667)),
)


@given(st.integers(min_value=0, max_value=10_000))
def test_a_percent_reads_back_as_it_was(hundredths: int) -> None:
    assert percent_of(percent_as_typed(hundredths)) == hundredths


@pytest.mark.parametrize("text", ["", "-1", "100.01", "1.234", "a", "1 000", "١"])
def test_what_is_no_percent_is_none(text: str) -> None:
    assert percent_of(text) is None


@given(st.lists(st.integers(min_value=0, max_value=4000).map(percent_as_typed), min_size=1, max_size=7))
def test_one_click_makes_the_sum_whole_or_is_not_offered(shares: list[str]) -> None:
    ids = [f"p{n}" for n in range(len(shares))]
    form = TemplateForm(way="load.percent", employee=ids, percent=shares)
    (before,) = sums(form)
    (after,) = sums(pressed_in_form(form.model_copy(update={"do": "fill:"}), STAFF))
    assert after.missing == (0 if before.mended_at else before.missing)
    (even,) = sums(pressed_in_form(form.model_copy(update={"do": "even:"}), STAFF))
    assert even.missing == 0


def test_nobody_is_added_twice_and_strangers_never() -> None:
    form = TemplateForm(employee=("li",), do="add", add="employee:li")
    assert pressed_in_form(form, STAFF).employee == ("li",)
    assert pressed_in_form(form.model_copy(update={"add": "employee:ghost"}), STAFF).employee == ("li",)
    assert pressed_in_form(form.model_copy(update={"add": "employee:m"}), STAFF).employee == ("li", "m")


def test_a_figure_without_a_share_is_not_lost_silently() -> None:
    form = TemplateForm(name="t", way="load.percent", group=("g",), member_group=("g",), member=("m",))
    template, errors = template_of(form.model_copy(update={"member_limit": ("5",)}))
    assert template is None
    assert "group-0-member-0-percent" in errors


@pytest.mark.parametrize("language", LANGUAGES)
def test_only_what_differs_is_told(language: Language) -> None:
    words = Words(texts=TEXTS[language], zone=ZONE, now=NOW)
    assert template_changes(SHARED, SHARED, STAFF, words) == []
    changed = SHARED.model_copy(update={"employees": SHARED.employees[:1], "daily_reset": True})
    told = {change.where: change.kind for change in template_changes(SHARED, changed, STAFF, words)}
    assert told == {"Мария": "removed", words.texts.say("distribution.form.daily_reset"): "changed"}
    assert template_of(form_of(SHARED, 1))[0] == SHARED


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", TEMPLATE_PROBLEMS)
def test_every_problem_is_said_in_sentences_without_codes(code: str, language: Language) -> None:
    values: dict[str, Value] = {
        "sum": "95.00",
        "id": "9",
        "name": "g",
        "group": "g",
        "people": ("Мария",),
        "stage": "1/2",
    }
    more: dict[str, Value] = {
        "balance": "in_a_row",
        "kind": "turn",
        "what": "x",
        "deals": 2,
        "opens": "21:00",
        "closes": "21:00",
    }
    seen = problem_seen(
        problem(code, "x", **values, **more, per_day="1", got="a", meant="b"), TEXTS[language]
    )
    assert seen.message.endswith(".")
    assert "_" not in seen.message + seen.remedy


def test_a_trial_says_who_is_off_their_share_and_why() -> None:
    result = {
        "items": 30,
        "outcomes": {"given": 20, "kept": 8, "waits": 2},
        "reasons": {"percent": 20, "repeat_owner": 8, "waits_for_working_time": 2},
        "people": [
            {"employee": "li", "name": "Ли Чжао", "meant": 10.0, "given": 12, "kept": 8, "left_out": {}},
            {
                "employee": "m",
                "name": "Мария",
                "meant": 18.0,
                "given": 8,
                "kept": 0,
                "left_out": {"at_capacity": 14},
            },
        ],
        "list": [],
    }
    shares = tried_shares(result, STAFF, Words(texts=TEXTS["ru"], zone=ZONE, now=NOW))
    assert [(p.name, p.got) for p in shares.people] == [("Мария", 8), ("Ли Чжао", 20)]
    assert shares.nobody == 2
    assert shares.why[0] == "Прежним ответственным, мимо долей: 8 сделок."
    assert shares.why[1].startswith("Мария, 14 раз: ")
    assert "Никому" in shares.drawing
