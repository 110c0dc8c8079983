"""Why somebody counts as at work or not, and why deals moved or stayed when shifts changed, in English."""

from __future__ import annotations

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    "presence.reason.not_seen_yet": "nothing was heard of them since the watching or their shift began",
    "presence.reason.switched_on": "switched on with the button",
    "presence.reason.switched_off": "switched off with the button",
    "presence.reason.answered": "they answered that they are there",
    "presence.reason.said_no": "they answered that they are not there",
    "presence.reason.no_answer": "the question was not answered",
    "presence.reason.silent": "no sign of them for a while: they are asked",
    "presence.reason.page_gone": "their open page is gone: they are asked",
    "presence.reason.crm_activity": "they did something in the CRM",
    "presence.reason.call": "they talk or talked on the phone",
    "presence.reason.page_input": "they used their open page",
    "presence.reason.shift_ended": "their shift has ended",
    "presence.reason.off_shift": "it is not their shift",
    "shift.reason.came_back": "the person is there again; what was not moved stays theirs",
    "shift.reason.left_again": "the person has gone again; what was not given back stays where it is",
    "shift.reason.switched_off": "shift change was switched off",
    "shift.reason.stopped": "a person stopped it",
    "shift.reason.nobody_left": "everybody who could get deals is offline: it waits",
    "shift.stays.excluded_deal": "the deal is left out by the settings",
    "shift.stays.excluded_tag": "left out by its tag",
    "shift.stays.excluded_field": "left out by its custom field",
    "shift.stays.not_theirs": "it is not theirs",
    "shift.stays.old": "it was made before they went offline",
    "shift.stays.changed": "it is somebody else's meanwhile",
    "shift.stays.closed": "it was closed meanwhile",
    "shift.stays.other_pipeline": "it stands in another pipeline now",
    "shift.stays.gone": "it was deleted or merged",
    "shift.stays.refused": "the CRM would not have the change",
    "shift.stays.deal_stays": "its deal stayed",
    "shift.stays.returns_off": "nothing comes back, by the settings",
    "shift.stays.not_created_theirs": "it was not made for them",
    "shift.stays.given_on": "it was given to somebody else since",
}  # fmt: skip
