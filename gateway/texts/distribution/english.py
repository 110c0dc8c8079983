"""What became of what was to be given, in English."""

from __future__ import annotations

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    "distribution.item.deal_closed": "the deal was closed meanwhile",
    "distribution.item.deal_gone": "the deal is not in the CRM any more",
    "distribution.item.left_stage": "the deal left the stage meanwhile",
    "distribution.item.template_removed": "the template was removed meanwhile",
    "distribution.item.overridden": "somebody gave the deal to another meanwhile",
    "distribution.item.crm_refused": "the CRM would not take it",
    "distribution.item.in_full": "{why} ({error})",
    "distribution.item.on_its_way": "{why}; not written into the CRM yet",
    "distribution.item.not_taken": "it was not taken to work",
    "distribution.item.stopped": "a person gave it up",
    "distribution.item.error": "it could not be decided: see the error",
    "distribution.item.not_read": "the CRM has not told yet whose deal it is; it is looked at again in a moment",
    "distribution.item.new": "it is looked at within a second",
    "distribution.why.present": "{name}: {given:deal|deals} of {meant} meant, could get every one of {decisions:deal|deals}; owed now {credit}",
    "distribution.why.absent": "{name}: {given:deal|deals} of {meant} meant, was not there or could not get it in {missed} of {decisions:deal|deals}, which bring them no share; owed now {credit}",
}
