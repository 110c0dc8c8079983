"""Lists as people have them: whatever their encoding, separator and columns, each row comes in or is told with its fault."""

from __future__ import annotations

import gzip

import pytest

from campaigns.list_files import ListUnreadable, rows_of
from campaigns.list_rows import ColumnUnknown, ListedClient, RowJudge, RowRefused, shape_of
from gateway.campaigns.list_words import heading_words
from routing.settings import NumberPolicy
from tests.workbooks import workbook

POLICY = NumberPolicy(own_numbers=frozenset({"+74951230000"}))
ROWS = [["Телефон", "Имя", "Город"], ["8 (916) 000-00-01", "Ольга; «Ёж»", "Омск"]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1251", "utf-16"])
@pytest.mark.parametrize("mark", [";", ",", "\t"])
def test_any_encoding_and_separator_is_read(encoding: str, mark: str) -> None:
    quoted = [[f'"{cell}"' if mark in cell else cell for cell in row] for row in ROWS]
    body = "\r\n".join(mark.join(row) for row in quoted).encode(encoding)
    assert list(rows_of(body)) == ROWS
    assert list(rows_of(gzip.compress(body))) == ROWS


def test_a_workbook_keeps_numbers_as_numbers() -> None:
    assert list(rows_of(workbook([["Phone"], [79160000001], ["8 916 000-00-02"]]))) == [
        ["Phone"], ["79160000001"], ["8 916 000-00-02"],
    ]  # fmt: skip


def test_a_cell_may_hold_a_line_end() -> None:
    assert list(rows_of(b'phone;name\n89160000001;"a\nb"\n')) == [
        ["phone", "name"],
        ["89160000001", "a\nb"],
    ]


@pytest.mark.parametrize(
    "body", [b"PK\x03\x04nonsense", b"\x1f\x8bnonsense", b"\x89PNG\x00\x00\x00", workbook([["a"]])[:200]]
)
def test_what_is_no_list_is_refused(body: bytes) -> None:
    with pytest.raises(ListUnreadable):
        list(rows_of(body))


def judged(rows: list[list[str]], **chosen: str) -> list[ListedClient | RowRefused | None]:
    shape = shape_of(rows[0], POLICY, chosen, heading_words())  # type: ignore[arg-type]
    judge = RowJudge(shape, POLICY)
    return [judge.judged(n, cells) for n, cells in enumerate(rows[shape.begins - 1 :], shape.begins)]


def test_columns_are_known_by_their_headings_and_the_others_are_kept() -> None:
    assert judged([["Имя", "Телефон", "ID клиента", "Город"], ["Ольга", "89160000001", "c1", "Омск"]]) == [
        ListedClient("+79160000001", "Ольга", "c1", {"Город": "Омск"})
    ]


def test_a_list_without_headings_is_known_by_its_numbers() -> None:
    assert judged([["Ольга", "89160000001"], ["Пётр", "89160000002"]]) == [
        ListedClient("+79160000001", "", "", {}),
        ListedClient("+79160000002", "", "", {}),
    ]


def test_columns_may_be_chosen_by_heading_or_place() -> None:
    rows = [["Work phone", "Mobile", "who"], ["84950000001", "89160000001", "Ольга"]]
    assert judged(rows, number="MOBILE", name="3") == [
        ListedClient("+79160000001", "Ольга", "", {"Work phone": "84950000001"})
    ]
    with pytest.raises(ColumnUnknown):
        judged(rows, number="fax")
    with pytest.raises(ColumnUnknown):
        judged(rows, number="4")


def test_each_row_says_what_is_wrong_with_it_and_keeps_no_other_out() -> None:
    rows = [
        ["phone", "name"],
        ["89160000001", "a"],
        ["", "b"],
        ["7,91612E+10", "c"],
        ["101", "d"],
        ["+7 495 123-00-00", "e"],
        ["", ""],
        ["+7 916 000-00-01", "f"],
        ["89160000002", "x" * 501],
        ["89160000003"],
    ]
    found = judged(rows)
    assert [(f.row, f.fault) for f in found if isinstance(f, RowRefused)] == [
        (3, "no_number"),
        (4, "bad_number"),
        (5, "internal_number"),
        (6, "own_number"),
        (8, "twice_in_list"),
        (9, "too_long"),
    ]
    assert [f.number for f in found if isinstance(f, ListedClient)] == ["+79160000001", "+79160000003"]
