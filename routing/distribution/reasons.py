"""The closed set of reasons that a distribution can give."""

from __future__ import annotations

from typing import Literal, get_args

DistributionReason = Literal[
    "turn",
    "in_a_row",
    "even",
    "fewest_open_deals",
    "percent",
    "spread",
    "answered",
    "only_this_person",
    "only_person_substitute",
    "repeat_owner",
    "repeat_owner_substitute",
    "fallback",
    "senior",
    "rounds_over",
    "waits_for_working_time",
    "waits_for_person",
    "waits_for_somebody",
    "quiet_hours",
    "nobody_available",
    "nobody_in_template",
    "outside_working_time",
]
"""Of the whole distribution: its last step."""

LeftOut = Literal[
    "not_member",
    "inactive",
    "unmapped",
    "zero_weight",
    "excluded",
    "no_missed_calls",
    "already_tried",
    "no_channel_right",
    "not_in_schedule",
    "off_shift",
    "holiday",
    "on_leave",
    "offline",
    "busy",
    "dnd",
    "at_capacity",
    "window_full",
    "lower_priority",
]
"""Why somebody could not get it."""

DISTRIBUTION_REASONS: tuple[str, ...] = get_args(DistributionReason)
LEFT_OUT: tuple[str, ...] = get_args(LeftOut)
DISTRIBUTION_STEPS: tuple[str, ...] = (
    *LEFT_OUT,
    "could_get_it",
    "substitute",
    "group_chosen",
    "group_empty",
    "group_away",
    "other_group",
    "repeat_none",
    "repeat_too_few",
    "repeat_owner_excluded",
    "repeat_owner_cannot",
    "repeat_owner_away",
    "only_person_cannot",
    "fallback_cannot",
    "senior_cannot",
    "no_senior",
)
"""Of the steps before it."""
