"""Why a number did not come into a campaign, or what became of it there beside a call: closed sets of codes."""

from __future__ import annotations

from typing import Literal, get_args

MemberReason = Literal[
    "campaign_gone",
    "campaign_finished",
    "pipeline_off",
    "linked",
    "no_number",
    "own_number",
    "do_not_call",
    "no_employee",
    "edition",
    "too_many_tasks",
    "engine_refused",
    "taken_out",
]
"""pipeline_off: the account lets no trigger put numbers into campaigns. linked: the number was there already, and what becomes of it there holds for this one too. edition: the PBX's contract has no
contact centre. engine_refused: the contact centre said why in words of its own."""
MEMBER_REASONS: tuple[MemberReason, ...] = get_args(MemberReason)

RowFault = Literal[
    "no_number",
    "bad_number",
    "internal_number",
    "own_number",
    "twice_in_list",
    "already_in_campaign",
    "do_not_call",
    "too_long",
]
"""What is wrong with a row of a list; the others come in all the same."""
ROW_FAULTS: tuple[RowFault, ...] = get_args(RowFault)
