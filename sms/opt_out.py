"""Whether a client who wrote to us wants no more messages. Pure.

Only a text that says nothing else counts: "stop by tomorrow" is no refusal, and a person reads what is not recognised.
"""

from __future__ import annotations

import re
import unicodedata

_WORDS = frozenset(
    {
        "stop", "stop all", "stopall", "stop sms", "unsubscribe", "opt out", "optout", "quit", "remove me",
        "стоп", "стоп смс", "стоп sms", "отписка", "отписаться", "отпишите", "отпишите меня", "отписать",
        "не пишите", "не пишите мне", "больше не пишите", "не присылайте", "хватит", "отмена рассылки",
    }
)  # fmt: skip

_LOOKALIKES = str.maketrans("abcehkmoptxy", "авсенкмортху")
"""Latin letters that look like Cyrillic ones in capitals."""
_FOLDED = frozenset(word.translate(_LOOKALIKES) for word in _WORDS)
_APART = re.compile(r"[\W_]+")


def is_opt_out(text: str) -> bool:
    """Say whether the text is nothing but a word for "no more": in any case, with any punctuation, in either alphabet's
    letters."""
    plain = unicodedata.normalize("NFKC", text).casefold().replace("ё", "е")
    words = _APART.sub(" ", plain).strip()
    return words.translate(_LOOKALIKES) in _FOLDED
