from __future__ import annotations

import pytest

from sms.opt_out import is_opt_out


@pytest.mark.parametrize(
    "text",
    ["STOP", "stop", "Stop.", " «СТОП»!!! ", "СТОП", "стоп", "CTOП", "СТOР"[:3] + "П", "STOP SMS", "Стоп, смс", "стоп\n",
     "Отпишите меня.", "отписаться", "UNSUBSCRIBE", "opt-out", "Больше не пишите!", "ｓｔｏｐ", "S‑T‑O‑P".replace("‑", "")],
)  # fmt: skip
def test_no_more_is_understood(text: str) -> None:
    assert is_opt_out(text)


@pytest.mark.parametrize(
    "text",
    ["", "?", "не стоп", "stop by tomorrow", "Стоп, а когда доставка?", "автостоп", "stopped", "Хватит ли двух?", "да", "стоп стоп"],
)  # fmt: skip
def test_anything_else_is_read_by_a_person(text: str) -> None:
    assert not is_opt_out(text)
