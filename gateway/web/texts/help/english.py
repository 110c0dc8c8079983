"""English."""

from __future__ import annotations

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    "help.context": "What is found where, and whom to ask.",
    "help.rooms": "Rooms",
    "help.room.now": "Whether all is well right now: what needs a hand, how many calls, whether the CRM answers and the PBXs are heard.",
    "help.room.desk": "Your day: whether you are here, whom to call back, who is ringing, which deals came today.",
    "help.room.calls": "All calls. Open one to read why it rang whom it rang and what was written to the CRM. “Try a call” shows the decision and writes nothing.",
    "help.room.missed": "Who was not called back yet, the longest wait first. A talk with the client closes the missed call by itself.",
    "help.room.matrix": "What each kind of call leaves in the CRM. Changes gather in a draft and count only when it is published.",
    "help.room.distribution": "Who gets the deals: templates, results with how each was decided, what waits and why.",
    "help.room.shifts": "Who is here now, schedules, the history of counters.",
    "help.room.messages": "Texts by template, automatic call-backs and their queue, campaigns.",
    "help.room.setup": "The CRM, PBXs and lines, employees, numbers, what the CRM did not take, users and rights.",
    "help.whom": "Whom to ask",
    "help.admins": "An administrator changes rights and settings: {names}.",
    "help.no_admins": "An administrator changes rights and settings.",
    "help.calls_go_on": "Should the pages not open, calls go on being routed: the pages are separate.",
    "help.keys": "Keys in the matrix",
    "help.key.move": "go to the next cell",
    "help.key.open": "open the cell",
    "help.key.copy": "copy the cell, paste it",
    "help.key.problem": "previous and next problem",
    "help.key.order": "move an action",
    "help.key.close": "close the cell or a menu",
}
