"""English: whether it is even."""

from __future__ import annotations

from collections.abc import Mapping

ANALYTICS: Mapping[str, str] = {
    "distribution.even.heading": "Analytics of distribution",
    "distribution.even.context": "Whether deals are shared evenly: what was meant, and what everybody got.",
    "distribution.even.period": "Over what time",
    "distribution.even.days": "{n:day|days}",
    "distribution.even.too_few": "Analytics begin after {enough} deals by this template. In this time so far: {n}.",
    "distribution.even.deals": "Deals: {n}.",
    "distribution.even.verdict.even": "The turn is even: nobody is more than a deal off their share.",
    "distribution.even.verdict.uneven": "The greatest difference between share and turn is {off}. The reasons stand beside.",
    "distribution.even.people": "Meant and got",
    "distribution.even.groups": "Groups",
    "distribution.even.group": "Group",
    "distribution.even.got": "got",
    "distribution.even.meant": "meant",
    "distribution.even.by_turn": "in turn",
    "distribution.even.beside_column": "own clients",
    "distribution.even.instead_column": "for others",
    "distribution.even.total": "altogether",
    "distribution.even.could_column": "could get",
    "distribution.even.why": "Why they differ",
    "distribution.even.nothing_off": "They do not: everybody has what was meant.",
    "distribution.even.share_is": "Meant counts only decisions in which the person could get the deal: absence earns no share and owes none.",
    "distribution.even.by_day": "By day",
    "distribution.even.day": "Day",
    "distribution.even.label": "Who got how many: {people}",
    "distribution.even.days_label": "Given by day: {days}",
    "distribution.even.beside": "own clients past the turn: {n}",
    "distribution.even.instead": "for others, when nobody else could: {n}",
    "distribution.even.overridden": "given on by hand afterwards: {n}",
    "distribution.even.could": "could get the deal in {part} of the cases",
    "distribution.even.order": "the order of the turn, it meets later on",
    "distribution.even.more": "{name}: {n} more than the share ({why}).",
    "distribution.even.less": "{name}: {n} fewer than the share ({why}).",
    "distribution.even.same": "{name}: as many as meant ({why}).",
}
