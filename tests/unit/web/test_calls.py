"""The parts of the pages of calls that are pure: what an address asks for, the drawing of a course, steps and changes in words."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.web.calls.call_words import result_of, writes_in_words
from gateway.web.calls.journal.query import JournalQuery, address_of, place_read, place_text, read_query
from gateway.web.calls.one.ladder import LadderBar, LadderRow, NumberedMark, draw_ladder
from gateway.web.texts.sentences import TEXTS
from gateway.web.words.phones import with_numbers_hidden
from gateway.web.words.sorting import by_name
from gateway.web.words.spreadsheet import no_formula
from gateway.web.words.words import Words
from routing.calls.model import Call, Direction, Disposition
from routing.texts.catalogue import LANGUAGES, Language

NOW = datetime(2026, 11, 24, 21, 30, tzinfo=UTC)  # half past midnight in Moscow, on the 25th
MOSCOW = ZoneInfo("Europe/Moscow")


def words(language: Language = "ru") -> Words:
    return Words(texts=TEXTS[language], zone=MOSCOW, now=NOW)


def test_today_is_the_day_of_the_accounts_zone() -> None:
    asked = read_query(JournalQuery(), NOW, MOSCOW)
    assert (asked.since, asked.until) == (
        datetime(2026, 11, 25, tzinfo=MOSCOW),
        datetime(2026, 11, 26, tzinfo=MOSCOW),
    )
    yesterday = read_query(JournalQuery(period="yesterday"), NOW, MOSCOW)
    assert yesterday.until == asked.since


def test_two_days_are_a_period_in_whichever_order() -> None:
    one = read_query(JournalQuery(since="2026-11-20", until="2026-11-02"), NOW, MOSCOW)
    other = read_query(JournalQuery(since="2026-11-02", until="2026-11-20"), NOW, MOSCOW)
    assert (one.since, one.until) == (other.since, other.until)
    assert one.period == "range"


@given(st.dictionaries(st.sampled_from(tuple(JournalQuery.model_fields)), st.text(max_size=30), max_size=6))
def test_any_address_is_read_and_what_is_none_is_named(sent: dict[str, str]) -> None:
    query = JournalQuery(**sent)
    asked = read_query(query, NOW, MOSCOW)
    assert all(name in JournalQuery.model_fields for name, _ in asked.problems)
    assert set(asked.values).isdisjoint(name for name, _ in asked.problems)
    address_of(asked, query)


def test_a_place_of_the_journal_is_read_as_it_was_written() -> None:
    place = (NOW + timedelta(microseconds=7), "abc-1_x")
    assert place_read(place_text(place)) == place
    for wrong in (
        None,
        "",
        "x",
        "2026-99-99T00:00:00Z_c1",
        "2026-11-24T00:00:00_c1",
        "2026-11-24T00:00:00Z_",
    ):
        assert place_read(wrong) is None


def _call(direction: Direction, *, answered: bool, over: bool) -> Call:
    return Call(
        call_key="c",
        direction=direction,
        client=None,
        line=None,
        started_at=NOW,
        answered_at=NOW if answered else None,
        ended_at=NOW if over else None,
        disposition=Disposition.ANSWERED,
        is_over=over,
        talk_seconds=199 if answered and over else None,
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_how_a_call_came_out_is_told_by_sign_and_words(language: Language) -> None:
    told = {
        (direction, answered, over): result_of(
            _call(direction, answered=answered, over=over), words(language)
        )
        for direction in ("inbound", "outbound")
        for answered in (True, False)
        for over in (True, False)
    }
    assert all(one.text and one.icon and one.tone for one in told.values())
    assert told["inbound", False, True].tone == "bad"
    assert told["outbound", False, True].tone == "warn"
    assert told["inbound", True, True].text.replace("\u00a0", " ") in ("3 мин 19 с", "3 min 19 s")


def test_what_was_refused_is_told_before_what_waits() -> None:
    texts = TEXTS["ru"]
    states = [
        ("create_deal", "done"),
        ("create_task", "waiting"),
        ("add_note", "dead"),
        ("show_card", "done"),
    ]
    assert writes_in_words(states, True, texts).text == "не отправлено: сделка, задача, примечание"
    assert writes_in_words(states[:2], True, texts).tone == "warn"
    assert writes_in_words([("add_note", "skipped")], True, texts).text == "ничего"
    assert writes_in_words([], False, texts).text == "…"


def test_a_course_is_drawn_within_its_picture_whatever_the_clocks_say() -> None:
    early, late = NOW - timedelta(hours=3), NOW + timedelta(hours=3)
    rows = [
        LadderRow(
            "Ли <b>",
            "",
            [LadderBar(early, late, "good", "a long text that fits")],
            [NumberedMark(late, 1, "x")],
        ),
        LadderRow("Мария", "", [LadderBar(NOW, None, "warn", "text")]),
    ]
    drawing = draw_ladder(rows, NOW, NOW + timedelta(seconds=100), "00:30:00", "all in words")
    places = [float(x) for x in re.findall(r' (?:x|x1|x2|cx)="([\d.]+)%"', drawing)]
    assert places
    assert max(places) <= 100
    assert "<b>" not in drawing
    assert "style=" not in drawing
    assert "all in words" in drawing


def test_numbers_are_hidden_within_texts_of_others() -> None:
    assert (
        with_numbers_hidden("Перезвонить +7 (916) 123-45-67, Анна") == "Перезвонить +7 (916) •••-45-67, Анна"
    )
    assert with_numbers_hidden("89161234567") == "8916•••4567"
    assert with_numbers_hidden("сделка 12345678 на 284 000") == "сделка 12345678 на 284 000"


def test_spreadsheets_take_nothing_for_a_formula() -> None:
    assert [no_formula(text) for text in ("=1", "+7", "-", "@x", "\tx", "\rx", "x=1", "")] == [
        "'=1", "'+7", "'-", "'@x", "'\tx", "'\rx", "x=1", ""
    ]  # fmt: skip


def test_names_are_sorted_as_people_look_for_them() -> None:
    assert sorted(["Жуков", "ёлкин", "Егоров", "Зимина"], key=by_name) == [
        "Егоров",
        "ёлкин",
        "Жуков",
        "Зимина",
    ]
