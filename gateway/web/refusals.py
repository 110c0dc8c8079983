"""What a service refused, in the words of the person who asked: a sentence of the catalogue by its code."""

from __future__ import annotations

from gateway.admin.protection.passwords import PasswordWeak
from gateway.admin.refused import InputRefused
from routing.texts.catalogue import Texts


def refusal_said(err: InputRefused, texts: Texts) -> str:
    """Return the sentence "refusal.<code>"; of a code that has none, the message and the remedy as they are."""
    part = err.reason if isinstance(err, PasswordWeak) else err.field
    for key in (f"refusal.{err.code}.{part}", f"refusal.{err.code}"):
        if key in texts.sentences:
            return texts.say(key)
    return f"{err.message}: {err.remedy}"
