"""What a service refused, in the words of the person who asked: a sentence of the catalogue by its code."""

from __future__ import annotations

from gateway.admin.protection.passwords import PasswordWeak
from gateway.admin.refused import InputRefused, NameOdd
from routing.texts.catalogue import Texts


def refusal_said(err: InputRefused, texts: Texts) -> str:
    """Return the sentence "refusal.<code>". What has no code of its own says more in its message, which is English."""
    part = (
        err.reason if isinstance(err, PasswordWeak) else "odd-name" if isinstance(err, NameOdd) else err.field
    )
    key = f"refusal.{err.code}.{part}"
    if key in texts.sentences:
        return texts.say(key)
    if err.code == InputRefused.code and texts.language == "en":
        return f"{err.message}: {err.remedy}"
    return texts.say(f"refusal.{err.code}")
