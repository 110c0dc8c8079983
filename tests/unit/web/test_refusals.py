"""What a service refuses is said in the reader's language, whatever its code."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import pytest

import gateway
from gateway.admin.protection.passwords import PasswordWeak
from gateway.admin.refused import InputRefused, NameTaken
from gateway.web.refusals import refusal_said
from gateway.web.texts.sentences import TEXTS
from routing.texts.catalogue import Language


def _kinds(kind: type[InputRefused]) -> Iterator[type[InputRefused]]:
    yield kind
    for narrower in kind.__subclasses__():
        yield from _kinds(narrower)


def _codes() -> list[str]:
    for module in pkgutil.walk_packages(gateway.__path__, "gateway."):
        if "__main__" not in module.name:
            importlib.import_module(module.name)
    return sorted({kind.code for kind in _kinds(InputRefused)} - {PasswordWeak.code})


@pytest.mark.parametrize("language", TEXTS)
def test_every_refusal_has_a_sentence(language: Language) -> None:
    codes = _codes()
    assert len(codes) > 50
    assert [code for code in codes if f"refusal.{code}" not in TEXTS[language].sentences] == []


def test_a_taken_login_is_told_from_any_other_taken_name() -> None:
    said = {field: refusal_said(NameTaken("x", "office", field), TEXTS["en"]) for field in ("login", "name")}
    assert said == {
        "login": "There is such a login already.",
        "name": "There is one of this name already. Choose another name.",
    }
