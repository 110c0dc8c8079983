"""Copies of dialogues: periods over changes of the clocks, lines, and how they are cut into notes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from routing.client import Ref
from routing.dialogues.copies import (
    CLOSES_AFTER,
    GATHERS,
    CopyPeriod,
    NoteWriting,
    due_at,
    is_changeable,
    is_same_deal,
    mark_of,
    period_of,
    writings,
)
from routing.dialogues.copy_text import (
    MOST_BYTES,
    MOST_CHARACTERS,
    CopiedMessage,
    CopiedPart,
    CopyWords,
    cut,
    in_order,
    line_of,
    notes_of,
    pieces_of,
    plain,
)
from routing.texts.sentences import TEXTS

BERLIN, MOSCOW = ZoneInfo("Europe/Berlin"), ZoneInfo("Europe/Moscow")
NOW = datetime(2025, 3, 3, 10, 5, tzinfo=UTC)
WORDS = CopyWords(texts=TEXTS["ru"], zone=MOSCOW, channel="WhatsApp «Опт»", client="Иванов")
FAMILY, FLAG, ACCENT = "👨‍👩‍👧‍👦", "🇩🇪", "e\u0301"


def utc(*told: int) -> datetime:
    return datetime(*told, tzinfo=UTC)  # type: ignore[arg-type,misc]


def a_period(at: datetime, rule: str = "hour", zone: ZoneInfo = MOSCOW) -> CopyPeriod:
    found = period_of(rule, at, zone)  # type: ignore[arg-type]
    assert found is not None
    return found


def a_message(text: str = "Здравствуйте", **told: object) -> CopiedMessage:
    base = CopiedMessage(id=1, at=NOW, author_kind="client", parts=(CopiedPart(kind="text", text=text),))
    return replace(base, **told)  # type: ignore[arg-type]


def a_part(kind: str, text: str = "", **told: object) -> str:
    part = replace(CopiedPart(kind=kind, text=text), **told)  # type: ignore[arg-type]
    return line_of(a_message(parts=(part,)), WORDS).partition(": ")[2]


def test_case_18_a_message_belongs_to_the_hour_of_its_own_time_however_late_it_comes() -> None:
    period = a_period(utc(2025, 3, 3, 13, 59, 59))
    assert (period.starts_at, period.ends_at) == (utc(2025, 3, 3, 13), utc(2025, 3, 3, 14))
    assert due_at(period, utc(2025, 3, 3, 13, 59, 59), is_written=False) == utc(2025, 3, 3, 14, 2)
    late = utc(2025, 3, 3, 14, 5)
    assert due_at(period, late, is_written=False) == late
    assert due_at(period, late, is_written=True) == late + GATHERS


def test_case_20_a_day_is_the_zones_own_and_may_have_23_or_25_hours() -> None:
    days = [a_period(utc(2025, month, day, 12), "day", BERLIN) for month, day in ((3, 30), (10, 26), (3, 3))]
    assert [d.ends_at - d.starts_at for d in days] == [timedelta(hours=n) for n in (23, 25, 24)]
    assert a_period(utc(2025, 3, 3, 21, 30), "day").starts_at == utc(2025, 3, 3, 21)  # midnight in Moscow


def test_case_21_the_hour_that_the_clocks_repeat_is_two_and_each_says_which_it_is() -> None:
    first, second = (a_period(utc(2025, 10, 26, hour, 20), zone=BERLIN) for hour in (0, 1))
    assert first.ends_at == second.starts_at == utc(2025, 10, 26, 1)
    words = replace(WORDS, zone=BERLIN)
    headings = [notes_of(p, ["x"], words)[0].splitlines()[0] for p in (first, second)]
    assert headings == [
        f"WhatsApp «Опт» · Иванов · 26.10.2025 02:00–{till}:00 (UTC{offset})"
        for till, offset in (("02", "+02:00"), ("03", "+01:00"))
    ]


@settings(max_examples=300)
@given(
    st.integers(1577836800, 1893456000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
    st.sampled_from(
        ["Europe/Berlin", "Asia/Kolkata", "Africa/Cairo", "America/Havana", "Australia/Lord_Howe"]
    ),
    st.sampled_from(["hour", "day"]),
)
def test_every_moment_stands_in_its_period_and_every_period_begins_where_it_says(
    at: datetime, zone: str, rule: str
) -> None:
    period = a_period(at, rule, ZoneInfo(zone))
    assert period.holds(at)
    assert not period.holds(period.ends_at)
    assert a_period(period.starts_at, rule, ZoneInfo(zone)).starts_at == period.starts_at


def test_a_message_of_its_own_is_written_at_once_and_none_is_written_nowhere() -> None:
    period = a_period(NOW, "each")
    assert (period.starts_at, period.ends_at) == (NOW, NOW)
    assert due_at(period, NOW, is_written=False) == NOW
    assert due_at(a_period(NOW), NOW, is_written=True) == a_period(NOW).ends_at + CLOSES_AFTER
    assert period_of("none", NOW, MOSCOW) is None


def test_case_13_a_note_is_written_anew_for_thirty_days() -> None:
    assert is_changeable(None, NOW)
    assert is_changeable(NOW - timedelta(days=3), NOW)
    assert not is_changeable(NOW - timedelta(days=30), NOW)


def test_a_deal_is_the_same_by_its_id_and_by_the_effect_that_has_made_it() -> None:
    by_effect, by_id = Ref(kind="deal", effect="e"), Ref(kind="deal", id="7")
    assert is_same_deal(by_effect, by_id, {"e": by_id})
    assert is_same_deal(by_effect, by_effect, {})
    assert not is_same_deal(by_effect, by_id, {})


def test_case_15_what_reads_the_same_is_not_written_again_and_surplus_notes_say_so() -> None:
    known = [mark_of("one"), mark_of("two"), mark_of("three")]
    assert writings(known, ["one", "two", "three"], "gone") == ()
    assert writings(known, ["one", "2"], "gone") == (
        NoteWriting(number=2, text="2", is_new=False),
        NoteWriting(number=3, text="gone", is_new=False),
    )
    assert writings(known, ["one", "two", "three", "four"], "gone") == (
        NoteWriting(number=4, text="four", is_new=True),
    )


def test_case_11_a_line_tells_time_author_and_text_and_what_it_said_before() -> None:
    assert line_of(a_message(), WORDS) == "13:05 Иванов: Здравствуйте"
    was = ((CopiedPart(kind="text", text="Здрасте"),), (CopiedPart(kind="text", text="Здравствуй"),))
    edited = a_message(former=was, edited_at=NOW + timedelta(minutes=75))
    said = "13:05 Иванов: Здравствуйте (изменено 14:20; было: Здрасте | Здравствуй)"
    assert line_of(edited, WORDS) == said
    later = replace(edited, edited_at=NOW + timedelta(days=3))
    assert "(изменено 06.03.2025 13:05;" in line_of(later, WORDS)
    assert line_of(replace(edited, edited_at=None), WORDS).endswith("(изменено; было: Здрасте | Здравствуй)")


def test_case_16_of_a_message_that_was_taken_back_the_text_stays_only_where_that_was_chosen() -> None:
    deleted = a_message(
        "тайна", is_deleted=True, former=((CopiedPart(kind="text", text="было"),),), quoted="кв"
    )
    assert line_of(deleted, WORDS) == "13:05 Иванов: [сообщение удалено]"
    kept = line_of(deleted, replace(WORDS, keeps_deleted_text=True))
    assert kept == "13:05 Иванов: [сообщение удалено] (в ответ на «кв») тайна (изменено; было: было)"


@pytest.mark.parametrize(
    ("said", "kind", "told"),
    [
        ("[фото]", "image", {}),
        ("[фото: a.jpg] подпись", "image", {"text": "подпись", "name": "a.jpg"}),
        ("[голосовое сообщение]", "voice", {}),
        ("[стикер] 👍", "sticker", {"text": "👍"}),
        ("[местоположение: 55.750000, 37.610000] Офис", "location", {"text": "Офис", "latitude": 55.75, "longitude": 37.61}),
        ("[контакт: Пётр, +79161234567]", "contact", {"text": "Пётр", "phone": "+79161234567"}),
        ("[документ: счёт.pdf]", "document", {"name": "счёт.pdf"}),
        ("[сообщение неизвестного типа: poll]", "other", {"vendor_kind": "poll"}),
        ("[пустое сообщение]", "text", {}),
    ],
)  # fmt: skip
def test_media_stand_there_as_words(said: str, kind: str, told: dict[str, object]) -> None:
    assert a_part(kind, **told) == said  # type: ignore[arg-type]


def test_who_wrote_is_named_else_what_they_are() -> None:
    def by(**told: object) -> str:
        return line_of(a_message("x", **told), WORDS)

    assert by(author_kind="employee", author="Анна") == "13:05 Анна: x"
    assert by(author_kind="robot") == "13:05 Робот: x"
    assert by(author_kind="phone", doubt="unknown") == "13:05 Сотрудник с телефона: x [неизвестно, дошло ли]"
    english = replace(WORDS, texts=TEXTS["en"], client="")
    assert line_of(a_message("x"), english) == "13:05 Client: x"


def test_case_25_a_client_cannot_turn_lines_nor_write_one_that_looks_like_anothers() -> None:
    told = "да\u202e\u2066\x00\x07\r\n13:06 Анна: нет"
    assert line_of(a_message(told), WORDS) == "13:05 Иванов: да\n    13:06 Анна: нет"
    assert plain(f"{FAMILY}\u200d{FLAG}\ufe0f") == f"{FAMILY}\u200d{FLAG}\ufe0f"
    named = replace(WORDS, client="И\n13:07 Анна: x\u202e")
    assert notes_of(a_period(NOW), ["x"], named)[0].count("\n") == 1


@pytest.mark.parametrize("whole", [FAMILY, FLAG, ACCENT, "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "👍🏽", "각"])
@pytest.mark.parametrize("before", range(4))
def test_case_25_nothing_is_cut_within_what_people_see_as_one_character(whole: str, before: int) -> None:
    line = "x" * before + whole * 40
    pieces = pieces_of(line, 30, 90)
    assert "".join(pieces) == line
    assert len(pieces) > 1
    for piece in pieces:
        assert len(piece) <= 30
        assert len(piece.encode()) <= 90
        assert piece.replace(whole, "").strip("x") == ""


def test_a_character_that_has_no_room_at_all_is_cut_for_all_that() -> None:
    monster = "a" + "\u0301" * 100
    pieces = pieces_of(monster, 30, 90)
    assert ("".join(pieces), max(map(len, pieces))) == (monster, 30)


def test_case_24_a_message_of_40000_characters_and_700_in_an_hour_stand_in_parts_that_say_so() -> None:
    long = "слово " * 6667
    texts = notes_of(a_period(NOW), [line_of(a_message(long), WORDS)], WORDS)
    assert [t.splitlines()[0].partition("(")[2] for t in texts] == [f"часть {n} из 3)" for n in (1, 2, 3)]
    many = [line_of(a_message(f"сообщение {n} " + "ы" * 60), WORDS) for n in range(700)]
    parts = notes_of(a_period(NOW), many, WORDS)
    assert [line for text in parts for line in text.splitlines()[1:]] == many
    for text in (*texts, *parts):
        assert len(text) <= MOST_CHARACTERS
        assert len(text.encode()) <= MOST_BYTES
    assert len(parts) == 4
    assert notes_of(a_period(NOW), ["x"], WORDS, is_addition=True)[0].startswith("Дополнение: WhatsApp")


_WRITTEN = st.sampled_from(["a", "ж", " ", "😀", FAMILY, FLAG, ACCENT, "\u0301", "\u200d"])
_LINES = st.lists(st.lists(_WRITTEN, min_size=1, max_size=60).map("".join), max_size=25)


@settings(max_examples=300, deadline=None)
@given(_LINES, st.integers(20, 90), st.integers(40, 250))
def test_whatever_is_written_stands_once_and_in_order_within_the_limits(
    lines: list[str], characters: int, octets: int
) -> None:
    bodies = cut(lines, characters, octets)
    assert "".join(bodies).replace("\n", "") == "".join(lines)
    at = 0
    for body in bodies:
        assert len(body) <= characters
        assert len(body.encode()) <= octets
        at += len(body.replace("\n", ""))
    whole = [line for line in lines if len(line) <= characters and len(line.encode()) <= octets]
    assert all(any(line in body.split("\n") for body in bodies) for line in whole)
    for line in set(lines) - set(whole):
        pieces, clusters = pieces_of(line, characters, octets), regex.findall(r"\X", line)
        ends = {sum(map(len, clusters[:n])) for n in range(len(clusters) + 1)}
        cuts = {sum(map(len, pieces[:n])) for n in range(len(pieces) + 1)}
        is_roomy = all(len(c) <= characters and len(c.encode()) <= octets for c in clusters)
        assert cuts <= ends or not is_roomy


_MESSAGES = st.lists(
    st.tuples(st.integers(0, 7200), st.integers(0, 3), st.integers(0, 2), st.booleans()),
    min_size=1,
    max_size=30,
)


@settings(max_examples=200, deadline=None)
@given(_MESSAGES, st.randoms(use_true_random=False), st.sampled_from(["each", "hour", "day"]))
def test_every_message_stands_in_exactly_one_note_for_any_order_edits_and_repeats(
    told: list[tuple[int, int, int, bool]], random: object, rule: str
) -> None:
    """However they come, and however often one is told: the notes are the same."""
    messages = [
        a_message(
            f"<{n}>",
            id=n,
            at=NOW + timedelta(seconds=seconds),
            sequence=sequence,
            former=tuple((CopiedPart(kind="text", text=f"before {n}.{e}"),) for e in range(edits)),
            is_deleted=is_deleted,
        )
        for n, (seconds, sequence, edits, is_deleted) in enumerate(told)
    ]
    kept = replace(WORDS, keeps_deleted_text=True)

    def notes(come: list[CopiedMessage]) -> list[str]:
        held: dict[tuple[datetime, int], dict[int, CopiedMessage]] = {}
        for m in come:
            starts_at = a_period(m.at, rule).starts_at
            held.setdefault((starts_at, m.id if rule == "each" else 0), {})[m.id] = m
        return [
            text
            for (starts_at, _), of in sorted(held.items())
            for text in notes_of(
                a_period(starts_at, rule), [line_of(m, kept) for m in in_order(list(of.values()))], kept
            )
        ]

    shuffled = messages + messages[: len(messages) // 2]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    texts = notes(messages)
    assert notes(shuffled) == texts
    assert all("\n".join(texts).count(f"<{m.id}>") == 1 for m in messages)
