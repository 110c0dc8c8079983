"""Every kind of PBX and every key that it asks for has words, not a code."""

from __future__ import annotations

import re

import pytest

from gateway.pbx.kinds import KINDS
from gateway.web.setup.pbx import pasted_in
from gateway.web.texts.sentences import TEXTS
from routing.texts.catalogue import Language


@pytest.mark.parametrize("language", TEXTS)
def test_kinds_and_keys_have_words(language: Language) -> None:
    wanted = {f"setup.pbx.kind.{name}" for name in KINDS}
    wanted |= {f"setup.pbx.key.{key}" for kind in KINDS.values() for key in kind.keys}
    assert len(wanted) > len(KINDS) + 4
    assert wanted - TEXTS[language].sentences.keys() == set()


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_pasted_into_a_pbx_is_told_in_the_persons_language(kind: str) -> None:
    english = KINDS[kind].instructions("office", "s3cret", "https://gw.example/pbx/office")
    assert pasted_in(english, TEXTS["en"]) == english
    said = pasted_in(english, TEXTS["ru"])
    told = [line for line in said.splitlines() if line and not line.startswith("  ")]
    assert [
        line for line in told if not re.search("[А-яё]", line) and not re.fullmatch(r"[\w.]+:", line)
    ] == []
    asked = re.findall(r"<(?!param)[^<>]* [^<>]*>", said)
    assert [one for one in asked if not re.search("[А-яё]", one)] == []
    assert said.count("s3cret") == english.count("s3cret")
