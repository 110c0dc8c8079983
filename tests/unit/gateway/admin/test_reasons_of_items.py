"""What became of what goes out is said in words, whatever kind it is of."""

from __future__ import annotations

import pytest

from gateway.admin.outbound.items import reason_in_words
from gateway.texts.sentences import TEXTS


@pytest.mark.parametrize(
    ("reason", "said"), [("delivered", "доставлено"), ("no-answer", "провайдер не ответил")]
)
def test_what_became_of_a_text_has_words(reason: str, said: str) -> None:
    assert reason_in_words("sms", reason, TEXTS["ru"]).startswith(said)
