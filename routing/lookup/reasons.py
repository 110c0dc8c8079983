"""Why a lookup came out as it did: the closed set that the contract names and the docs describe."""

from __future__ import annotations

from collections.abc import Mapping
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
    DIRECTORY_LOADING = "directory_loading"
    DEADLINE = "deadline"
    FAILURE = "failure"


REASONS: Mapping[str, str] = {
    LookupReason.LEAD_OWNER: "The owner of the caller's newest lead (incoming request not yet accepted) is rung.",
    LookupReason.CONTACT_OWNER: "The owner of the caller's contact or company is rung.",
    LookupReason.DEAL_OWNER: "The owner of the caller's open deal is rung.",
    LookupReason.UNKNOWN_CALLER: "The CRM knows no lead, contact, company or open deal with this number.",
    LookupReason.NO_NUMBER: "The telephone system sent no number.",
    LookupReason.ANONYMOUS: "The caller hides the number.",
    LookupReason.INTERNAL: "The caller is an extension or a short number.",
    LookupReason.OWN_NUMBER: "The caller's number is one of the company's own.",
    LookupReason.INVALID_NUMBER: "What was sent is no valid telephone number.",
    LookupReason.OWNER_UNMAPPED: "The owner in the CRM is nobody's employee record, or that record has no address to ring.",
    LookupReason.OWNER_INACTIVE: "The owner is deactivated in the CRM.",
    LookupReason.OWNER_UNAVAILABLE: "The owner is busy, off shift, offline or does not want to be disturbed.",
    LookupReason.DIRECTORY_LOADING: "The directory is not complete yet.",
    LookupReason.DEADLINE: "The answer was not ready by the deadline.",
    LookupReason.FAILURE: "Something failed inside; the log names it.",
}

STEP_REASONS: Mapping[str, str] = {
    "no_lead": "The caller has no lead.",
    "no_contact": "The caller has no contact or company.",
    "no_deal": "The caller has no open deal.",
    "deputy_rings": "The owner cannot be rung; the deputy can.",
    "deputy_missing": "The owner has no deputy.",
    "deputy_unmapped": "The deputy has no address to ring.",
    "deputy_inactive": "The deputy is deactivated in the CRM.",
    "deputy_unavailable": "The deputy is busy, off shift, offline or does not want to be disturbed.",
    "group_rings": "Nobody else can be rung; the group is.",
}
"""Codes that stand in traces only."""
