"""Why a CRM does not let an account in, as it is told to people."""

from __future__ import annotations

from typing import get_args

from crm.errors import KeyTrouble
from routing.texts.catalogue import Phrase, Value, phrase
from runtime.masking import mask_text

KEY_TROUBLES: tuple[KeyTrouble, ...] = get_args(KeyTrouble)
_LONGEST = 300


def why_shut_out(state_reason: str) -> Value:
    """Return it after a colon, in the reader's language where we know what it is; '' where nothing was said.

    state_reason: as stored with the account: its code, then the words of whoever refused.
    """
    code, _, _ = state_reason.partition(":")
    if code in KEY_TROUBLES:
        return Phrase("key.because", {"why": phrase(f"key.{code}")})
    said = mask_text(" ".join(state_reason.split()))[:_LONGEST].rstrip(". ")
    return Phrase("key.because", {"why": said}) if said else ""
