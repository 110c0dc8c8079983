"""The closed sets of what triggers say: why a firing came out as it did, and what was looked at on the way."""

from __future__ import annotations

from typing import Literal, get_args

FiringReason = Literal[
    "fires",
    "switched_off",
    "removed",
    "loop",
    "deal_gone",
    "deal_closed",
    "elsewhere",
    "not_met",
    "same_action_lately",
    "waits_for_crm",
    "crm_silent",
    "not_decided",
]
"""Of the whole firing: its last step."""

FiringStep = Literal["cause", "stands_there", "met", "not_met_by", "not_known"]
"""Of the steps before it."""

FIRING_REASONS: tuple[FiringReason, ...] = get_args(FiringReason)
FIRING_STEPS: tuple[FiringStep, ...] = get_args(FiringStep)
