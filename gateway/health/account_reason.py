"""Why an account is off or broken, or its key no good: what the program stored in English, for people to read in their language."""

from __future__ import annotations

from crm.errors import trouble_of
from gateway.store.admin.accounts import BY_HAND, NOT_AUTHORISED
from routing.texts.catalogue import Value, phrase

_OURS = {NOT_AUTHORISED: "not-authorised", BY_HAND: "by-hand"}


def reason_said(text: str) -> Value:
    """Return it as a phrase where the program wrote it; what a person or the CRM wrote stays as it is."""
    if text in _OURS:
        return phrase(f"account.reason.{_OURS[text]}")
    if (trouble := trouble_of(text)) is None:
        return text
    reason = phrase(f"account.reason.{trouble.name}")
    return phrase("account.reason.said", reason=reason, said=trouble.said) if trouble.said else reason
