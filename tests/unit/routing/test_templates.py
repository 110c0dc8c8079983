from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.matrix.variables import VARIABLES, compiled, preview, rendered, sample_of
from routing.templates import FILTERS, MAX_RENDERED, MAX_SOURCE, TemplateRefused, TemplateValue, parse
from routing.texts.sentences import TEXTS
from tests.unit.routing.matrix.situations import a_call, a_situation, an_entity

MOSCOW = ZoneInfo("Europe/Moscow")
VALUES: dict[str, TemplateValue] = {
    "name": "анна ИВАНОВА",
    "number": "+79161234567",
    "at": datetime(2026, 3, 1, 22, 30, tzinfo=UTC),
    "seconds": 154,
    "empty": None,
}


def render(source: str) -> str:
    return parse(source, VALUES.__contains__).render(VALUES.get, MOSCOW)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("без переменных", "без переменных"),
        ("Звонок {{ number }}!", "Звонок +79161234567!"),
        ("{{number}}{{ seconds }}", "+79161234567154"),
        ("{{ name | title }}", "Анна Иванова"),
        ("{{ name | upper }} {{ name | lower }}", "АННА ИВАНОВА анна иванова"),
        ("{{ empty }}", ""),
        ("{{ empty | default('нет') }}", "нет"),
        ('{{ empty | default("it\'s") | upper }}', "IT'S"),
        ("{{ number | default('нет') }}", "+79161234567"),
        ("{{ number | phone }}", "+7 916 123-45-67"),
        ("{{ number | phone('national') }}", "8 (916) 123-45-67"),
        ("{{ number | phone('digits') }}", "79161234567"),
        ("{{ name | phone }}", "анна ИВАНОВА"),
        ("{{ at | date }}", "02.03.2026"),
        ("{{ at | date('%d.%m %H:%M') }}", "02.03 01:30"),
        ("{{ at | time }}", "01:30"),
        ("{{ at }}", "02.03.2026 01:30"),
        ("{{ seconds | duration }}", "2:34"),
        ("{{ name | truncate(5) }}", "анна…"),
        ("{ один } } скобки {", "{ один } } скобки {"),
    ],
)
def test_text_variables_and_filters(source: str, text: str) -> None:
    assert render(source) == text


@pytest.mark.parametrize(
    ("source", "position", "reason"),
    [
        ("{% if x %}", 0, "«{%»"),
        ("текст {# note #}", 6, "«{#»"),
        ("текст }}", 6, "«}}»"),
        ("{{ unknown }}", 3, "неизвестная переменная «unknown»"),
        ("{{ name.upper() }}", 3, "неизвестная переменная «name.upper»"),
        ("{{ name() }}", 7, "только переменные и фильтры"),
        ("{{ name + 1 }}", 8, "только переменные и фильтры"),
        ("{{ name[0] }}", 7, "только переменные и фильтры"),
        ("{{ 'text' }}", 3, "ожидается имя переменной"),
        ("{{ }}", 3, "ожидается имя переменной"),
        ("{{ name", 7, "ожидается"),
        ("{{ name | }}", 10, "неизвестный фильтр"),
        ("{{ name | attr('x') }}", 10, "неизвестный фильтр «attr»"),
        ("{{ name | default }}", 10, "не столько параметров"),
        ("{{ name | upper('x') }}", 10, "не столько параметров"),
        ("{{ name | default(name) }}", 18, "текст в кавычках"),
        ("{{ name | default('x' }}", 22, "текст в кавычках"),
        ("{{ at | date('%c %n') }}", 8, "в формате даты"),
        ("{{ number | phone('rfc') }}", 12, "формат номера"),
        ("{{ name|upper|lower|upper|lower|upper|lower }}", 37, "больше 5 фильтров"),
        ("{{ name.__class__ }}", 3, "неизвестная переменная"),
        ("x" * (MAX_SOURCE + 1), MAX_SOURCE, "длиннее"),
    ],
)
def test_everything_else_is_refused_with_its_position(source: str, position: int, reason: str) -> None:
    with pytest.raises(TemplateRefused) as refused:
        render(source)
    assert refused.value.position == position
    assert reason in TEXTS["ru"].render(refused.value.said)


def test_a_dunder_name_is_refused_even_where_it_is_known() -> None:
    with pytest.raises(TemplateRefused, match="__class__"):
        parse("{{ __class__ }}", lambda name: True)


def test_what_is_rendered_has_a_limit() -> None:
    text = parse("{{ long }}" * 100, lambda n: True).render(lambda n: "x" * 1000, MOSCOW)
    assert len(text) == MAX_RENDERED


@given(st.text(alphabet="{}|% name.upper('1)#", max_size=40))
def test_any_text_is_rendered_or_refused_and_never_breaks(source: str) -> None:
    assert 0 <= _outcome(source) <= len(source)


def _outcome(source: str) -> int:
    """Position of what is refused; 0 when all is well and rendered."""
    try:
        return len(render(source)) * 0
    except TemplateRefused as err:
        return err.position


def test_a_value_that_looks_like_a_template_stays_as_it_is() -> None:
    assert parse("{{ a }}", lambda n: True).render(lambda n: "{{ b }}", MOSCOW) == "{{ b }}"


# The variables of the matrix


@pytest.mark.parametrize("name", VARIABLES)
def test_every_documented_variable_renders_for_a_missed_and_for_an_answered_call(name: str) -> None:
    for situation in (a_situation(), a_situation(a_call(answered_by="101"))):
        assert "{{" not in rendered(f"<{{{{ {name} }}}}>", situation)
    assert preview(f"{{{{ {name} }}}}") == sample_of(name, TEXTS["ru"])


def test_values_come_from_call_client_and_people() -> None:
    situation = a_situation(
        a_call(answered_by="101", params={"UTM_source": "yandex", "roistat": "7"}),
        entities=(an_entity("contact", "1", name="Анна", owner_id="12"),),
    )
    source = (
        "{{ client.name }}/{{ employee.name }}/{{ owner.name }}/{{ senior.name }}/{{ utm_source }}/"
        "{{ params.roistat }}/{{ utm_term | default('-') }}/{{ line.number }}/{{ caller.raw }}"
    )
    assert (
        rendered(source, situation)
        == "Анна/Пётр Смирнов/Мария Орлова/Олег Лебедев/yandex/7/-/+74950000001/8 (916) 123-45-67"
    )


def test_a_preview_shows_a_real_call_or_samples() -> None:
    assert preview("{{ client.number | phone }}") == "+7 916 123-45-67"
    assert preview("{{ utm_source }}") == "‹utm_source›"
    assert preview("{{ client.number }}", a_situation()) == "+79161234567"
    with pytest.raises(TemplateRefused):
        preview("{{ nobody }}")


def test_a_refused_template_never_breaks_a_live_call() -> None:
    assert rendered("{{ nobody }}", a_situation()) == "{{ nobody }}"


def test_templates_are_parsed_once() -> None:
    assert compiled("{{ client.number }} once") is compiled("{{ client.number }} once")


def test_every_filter_says_what_it_does() -> None:
    assert all(f"filter.{name}" in texts.sentences for name in FILTERS for texts in TEXTS.values())
