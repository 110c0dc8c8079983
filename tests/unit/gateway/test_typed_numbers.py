"""A number is what a person writes in digits, at every door: command line, API and environment."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError
from typer import Context
from typer.main import get_command
from typer.testing import CliRunner

from gateway.admin.input_words import refuse_odd_numbers
from gateway.admin.refused import InputRefused
from gateway.api.resources import ROUTES
from gateway.cli import app
from gateway.cli.lazy import walk
from gateway.settings import Settings
from runtime.typed.plain_numbers import is_plain_number, number_kind

ODD = ("1_0", " 10", "10 ", "10\n", "１０", "٣", "1e1", "0x10", "1 0", "--10", "", "+", "inf", "nan")


def test_digits_are_a_number_and_nothing_else_is() -> None:
    for kind in (int, float):
        assert [text for text in ODD if is_plain_number(text, kind)] == []
        assert all(is_plain_number(text, kind) for text in ("10", "-1", "+5", "007"))
    assert is_plain_number("1.5", float)
    assert not is_plain_number("1.5", int)
    assert not is_plain_number("1.", float)
    kinds = [
        number_kind(t) for t in (int, int | None, float, str, int | str, bool, list[int], tuple[str, ...])
    ]
    assert kinds == [int, int, float, None, None, None, int, None]


def test_every_number_of_every_command_is_typed_in_digits() -> None:
    seen = 0
    for path, command in walk(get_command(app)):
        for param in command.params:
            described: Any = param
            if number_kind(described.type_descriptor.annotation) is None:
                continue
            seen += 1
            for odd in ("1_0", " 10 ", "１０"):
                with pytest.raises(Exception, match="is not a number in digits") as told:
                    described.process_value(Context(command), [odd] if described.nargs == -1 else odd)
                assert type(told.value).__name__ == "BadParameter", (path, param.name)
    assert seen > 20


def test_a_wrong_number_is_told_with_its_option() -> None:
    done = CliRunner().invoke(app, ["audit", "--days", "1_0"])
    assert done.exit_code == 2
    assert "--days" in done.output
    assert "not a number in digits" in done.output


def test_every_number_that_the_api_is_asked_with_is_written_in_digits() -> None:
    seen = 0
    for route in ROUTES:
        for name, field in route.query.model_fields.items():
            if number_kind(field.annotation) is None:
                continue
            seen += 1
            for odd in ODD:
                with pytest.raises(InputRefused) as told:
                    refuse_odd_numbers(route.query, {name: odd})
                assert (told.value.code, told.value.field) == ("invalid-input", name)
    assert seen > 10


def test_every_number_of_the_environment_is_written_in_digits(monkeypatch: pytest.MonkeyPatch) -> None:
    names = [n for n, f in Settings.model_fields.items() if number_kind(f.annotation) is not None]
    assert len(names) > 10
    for name in names:
        for odd in ("1_0", " 10 ", "１０"):
            monkeypatch.setenv(f"CALLMATRIX_{name.upper()}", odd)
            with pytest.raises(ValidationError, match="in digits"):
                Settings(_env_file=None)
            monkeypatch.delenv(f"CALLMATRIX_{name.upper()}")
