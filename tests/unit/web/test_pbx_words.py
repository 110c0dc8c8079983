"""Every kind of PBX and every key that it asks for has words, not a code."""

from __future__ import annotations

import pytest

from gateway.pbx.kinds import KINDS
from gateway.web.texts.sentences import TEXTS
from routing.texts.catalogue import Language


@pytest.mark.parametrize("language", TEXTS)
def test_kinds_and_keys_have_words(language: Language) -> None:
    wanted = {f"setup.pbx.kind.{name}" for name in KINDS}
    wanted |= {f"setup.pbx.key.{key}" for kind in KINDS.values() for key in kind.keys}
    assert len(wanted) > len(KINDS) + 4
    assert wanted - TEXTS[language].sentences.keys() == set()
