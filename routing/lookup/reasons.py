"""Why a lookup came out as it did: the closed set that the contract names and the docs describe."""

from __future__ import annotations

from enum import StrEnum


class LookupReason(StrEnum):
    """What `LookupDecision.reason` can be."""

    LEAD_OWNER = "lead_owner"
    CONTACT_OWNER = "contact_owner"
    DEAL_OWNER = "deal_owner"
    UNKNOWN_CALLER = "unknown_caller"
    NO_NUMBER = "no_number"
    ANONYMOUS = "anonymous"
    INTERNAL = "internal"
    OWN_NUMBER = "own_number"
    INVALID_NUMBER = "invalid_number"
    OWNER_UNMAPPED = "owner_unmapped"
    OWNER_INACTIVE = "owner_inactive"
    OWNER_UNAVAILABLE = "owner_unavailable"
    ONLY_THIS_PERSON = "only_this_person"
    DIRECTORY_LOADING = "directory_loading"
    DEADLINE = "deadline"
    FAILURE = "failure"


REASONS: tuple[str, ...] = tuple(LookupReason)
STEP_REASONS: tuple[str, ...] = (
    "no_lead",
    "no_contact",
    "no_deal",
    "deputy_rings",
    "deputy_missing",
    "deputy_unmapped",
    "deputy_inactive",
    "deputy_unavailable",
    "substitute_rings",
    "substitute_unmapped",
    "substitute_inactive",
    "substitute_unavailable",
    "only_person_cannot",
    "template_rings",
    "template_no_address",
    "template_nobody",
    "template_unknown",
    "away_rings_first",
    "group_rings",
)
"""Codes that stand in traces only."""
