"""What is told of a number that did not come into its campaign: a note in the deal, where somebody has to act."""

from __future__ import annotations

from campaigns.reasons import MemberReason
from routing.client import Ref
from routing.effects import AddNote, Effect

NOTED: frozenset[MemberReason] = frozenset(
    ("campaign_gone", "campaign_finished", "no_employee", "edition", "too_many_tasks", "engine_refused")
)
"""Nobody will ever call this client unless a person sees to it."""


def refusal_note(item_id: str, deal_id: str, text: str) -> Effect:
    """Return the note; of one item there is one, however often it is told."""
    order = AddNote(target=Ref(kind="deal", id=deal_id), text=text)
    return Effect(key=f"outbound:{item_id}:refused", order=order)
