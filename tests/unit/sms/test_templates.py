"""Templates of SMS: macros, what they give, what is refused while it is saved."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.texts.sentences import TEXTS
from routing.staff import Employee
from routing.templates import TemplateRefused
from routing.texts.catalogue import LANGUAGES, Language
from sms.model import refusal_before_sending
from sms.reasons import SmsReason
from sms.segments import SmsEncoding
from sms.templates import MACROS, SmsMacros, compiled_sms, previewed, rendered_sms, sample_of_macro, values_of

MOSCOW = ZoneInfo("Europe/Moscow")
OURS = SmsMacros.of(["deal.cf_512", "maincontact.cf_77"])
FROM_THE_SEED = "Добрый день, {{maincontact.name}}! Ваш персональный менеджер {{user.name}}, тел. +74 955 404 444, доб.{{user.phone}}"


def test_the_macros_give_what_the_client_reads() -> None:
    manager = Employee(id="1", name="Лопаткин Василий", extensions=("100", "200"), numbers=("+79160000000",))
    values = {"maincontact.name": "Олег", **values_of(manager)}
    text = rendered_sms(compiled_sms(FROM_THE_SEED, OURS), values, MOSCOW)
    assert text == (
        "Добрый день, Олег! Ваш персональный менеджер Лопаткин Василий, тел. +74 955 404 444, доб.100"
    )


def test_who_has_no_extension_has_no_phone() -> None:
    assert values_of(Employee(id="1", name="Anna"))["user.phone"] is None


def test_any_custom_field_of_the_account_may_be_named() -> None:
    template = compiled_sms("{{deal.cf_512}}/{{ maincontact.cf_77 | default('-') }}", OURS)
    assert rendered_sms(template, {"deal.cf_512": "A{{user.name}}"}, MOSCOW) == "A{{user.name}}/-"


def test_times_are_those_of_the_account() -> None:
    template = compiled_sms("{{deal.created_at | date('%d.%m %H:%M')}}", OURS)
    assert (
        rendered_sms(template, {"deal.created_at": datetime(2026, 3, 1, 22, 0, tzinfo=UTC)}, MOSCOW)
        == "02.03 01:00"
    )


@pytest.mark.parametrize(
    ("source", "near"),
    [
        ("{{user.phon}}", "user.phone"),
        ("{{main_contact.name}}", "maincontact.name"),
        ("{{deal.cf_513}}", "deal.cf_512"),
    ],
)
def test_an_unknown_macro_is_refused_with_those_that_are_like_it(source: str, near: str) -> None:
    with pytest.raises(TemplateRefused) as caught:
        compiled_sms(source, OURS)
    assert caught.value.position == 2
    for language in LANGUAGES:
        assert near in TEXTS[language].render(caught.value.said)


def test_a_macro_that_is_like_none_is_refused_all_the_same() -> None:
    with pytest.raises(TemplateRefused, match="zzz"):
        compiled_sms("{{zzz}}", OURS)


def test_what_another_account_has_is_not_ours() -> None:
    compiled_sms("{{deal.cf_512}}", OURS)
    with pytest.raises(TemplateRefused):
        compiled_sms("{{deal.cf_512}}", SmsMacros())


@pytest.mark.parametrize("name", ["deal.cf_", "task.cf_1", "deal.name", "deal.cf_1 "])
def test_a_custom_field_has_a_name_of_its_own_form(name: str) -> None:
    with pytest.raises(ValueError, match="custom field"):
        SmsMacros.of([name])


@pytest.mark.parametrize("text", ["", " \n", "\u00a0"])
def test_a_text_that_is_empty_once_filled_in_is_not_sent(text: str) -> None:
    filled = rendered_sms(compiled_sms("{{deal.name}}", OURS), {"deal.name": text}, MOSCOW)
    refusal = refusal_before_sending(filled)
    assert refusal
    assert refusal.reason is SmsReason.EMPTY_TEXT


def test_a_text_of_more_parts_than_allowed_is_refused_and_not_cut() -> None:
    assert refusal_before_sending("a" * 612) is None
    refusal = refusal_before_sending("a" * 613)
    assert refusal
    assert refusal.reason is SmsReason.TOO_LONG
    assert refusal_before_sending("a" * 613, 5) is None


def test_the_preview_shows_encoding_parts_and_what_made_it_dear() -> None:
    preview = previewed(
        compiled_sms("Deal «{{deal.id}}» {{user.phone}}{{user.email}}", OURS),
        MOSCOW,
        TEXTS["en"],
        {"deal.id": 7},
    )
    assert preview.text == "Deal «7»"
    assert preview.segments.encoding is SmsEncoding.UCS2
    assert preview.segments.odd == ("«", 5)
    assert preview.empty == ("user.phone", "user.email")
    assert preview.suggestion
    assert preview.suggestion.segments.text == 'Deal "7"'


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_a_deal_the_preview_takes_samples(language: Language) -> None:
    texts = TEXTS[language]
    source = " ".join(f"{{{{{name}}}}}" for name in (*MACROS, "deal.cf_512"))
    preview = previewed(compiled_sms(source, OURS), MOSCOW, texts)
    assert preview.empty == ()
    assert preview.text == " ".join(sample_of_macro(name, texts) for name in (*MACROS, "deal.cf_512"))


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=80))
def test_a_value_is_never_read_as_a_template(value: str) -> None:
    template = compiled_sms("[{{deal.name}}]", OURS)
    assert rendered_sms(template, {"deal.name": value}, MOSCOW) == f"[{value}]"
