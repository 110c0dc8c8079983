"""One question and its answer: the same for a PBX that rings, by whatever protocol, and for a person who tries a number."""

from __future__ import annotations

from typing import NamedTuple

from crm.directory.memory import Directory
from gateway.configuration import Snapshot
from gateway.lookup.campaign_callers import CampaignOfCaller
from gateway.pbx.port import LookupRequest
from routing.client import Candidate
from routing.lookup.available import ANYBODY, Reachability
from routing.lookup.decide import LookupDecision, LookupReason, decide, fall_back
from routing.numbers.normalise import Number, PublicNumber, normalise
from routing.settings import NumberPolicy

# Looking up a member of an enum takes 0.2 µs, which counts while a phone rings.
_UNKNOWN_CALLER = LookupReason.UNKNOWN_CALLER


class DecidedLookup(NamedTuple):
    """at: Unix seconds. directory_age_ms: None = never in sync, or no directory. available: who could be rung then. campaign: that
    runs and has the caller in it."""

    decision_id: str
    at: float
    asked: LookupRequest
    number: Number | None
    candidates: tuple[Candidate, ...]
    decision: LookupDecision
    directory_age_ms: int | None
    available: Reachability = ANYBODY
    campaign: CampaignOfCaller | None = None


def decide_lookup(
    decision_id: str,
    at: float,
    asked: LookupRequest,
    *,
    account_id: str,
    policy: NumberPolicy,
    snapshot: Snapshot,
    directory: Directory | None,
    available: Reachability = ANYBODY,
    reason: LookupReason | None = None,
) -> DecidedLookup:
    """Decide from memory alone. reason: to fall back without looking; None = decide."""
    number = normalise(asked.phone, policy)
    candidates: tuple[Candidate, ...] = ()
    if reason is None and (directory is None or not directory.is_ready):
        reason = LookupReason.DIRECTORY_LOADING
    if reason is not None:
        decision = fall_back(reason)
    else:
        assert directory is not None
        if type(number) is PublicNumber and not number.is_own:
            candidates = tuple(directory.find_caller(number.e164))
        rules = snapshot.accounts[account_id].settings.lookup
        decision = decide(number, candidates, snapshot.staff[account_id], rules, available)
        if decision.reason is _UNKNOWN_CALLER and not directory.is_complete:
            decision = fall_back(LookupReason.DIRECTORY_LOADING)
    age_ms = None if directory is None else directory.age_ms(at)
    return DecidedLookup(decision_id, at, asked, number, candidates, decision, age_ms, available)
