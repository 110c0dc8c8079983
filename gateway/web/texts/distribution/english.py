"""English."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.web.texts.distribution.english_analytics import ANALYTICS
from gateway.web.texts.distribution.english_beside import BESIDE
from gateway.web.texts.distribution.english_form import FORM
from gateway.web.texts.distribution.english_shift_change import SHIFT_CHANGE

SENTENCES: Mapping[str, str] = {
    "distribution.heading": "Distribution",
    "distribution.context": "Who got which deal, and why.",
    "distribution.tab.results": "Results",
    "distribution.tab.waiting": "Waiting",
    "distribution.filter.deal": "Deal number",
    "distribution.filter.span": "Over what time",
    "distribution.filter.state": "Any result",
    "distribution.filter.template": "Any template",
    "distribution.filter.employee": "Any employee",
    "distribution.filter.source": "From anywhere",
    "distribution.filter.show": "Show",
    "distribution.filter.clear": "Clear",
    "distribution.span.day": "in a day",
    "distribution.span.week": "in a week",
    "distribution.span.month": "in a month",
    "distribution.span.all": "of all time",
    "distribution.state.waiting": "waiting",
    "distribution.state.given": "given",
    "distribution.state.kept": "stayed",
    "distribution.state.nobody": "to nobody",
    "distribution.state.cancelled": "cancelled",
    "distribution.state.failed": "failed",
    "distribution.source.event": "a change in the CRM",
    "distribution.source.sweep": "a comparison with the CRM",
    "distribution.source.hook": "a signal of the pipeline",
    "distribution.source.stage": "the stage",
    "distribution.source.api": "on request",
    "distribution.source.call": "a call",
    "distribution.source.chat": "a message in a messenger",
    "distribution.column.at": "When",
    "distribution.column.deal": "Deal",
    "distribution.column.state": "Result",
    "distribution.column.who": "To whom",
    "distribution.column.why": "Why",
    "distribution.column.source": "Whence, template",
    "distribution.nobody": "nobody yet",
    "distribution.a_call": "A call",
    "distribution.deal": "Deal {id}",
    "distribution.older": "Earlier",
    "distribution.none_found": "Nothing was found: try another time, or clear the filters.",
    "distribution.none_yet": "There was nothing to give in a week. A template is attached to a stage of a pipeline.",
    "distribution.waiting.heading": "Waiting for somebody",
    "distribution.waiting.context": "Deals that nobody has got yet, the longest wait first.",
    "distribution.waiting.none": "Nothing waits: everything was given.",
    "distribution.waiting.since": "since {since}",
    "distribution.log.title": "How it was decided",
    "distribution.log.context": "{at}, template “{template}”",
    "distribution.log.open": "Open in the CRM",
    "distribution.log.round": "Decision {n}",
    "distribution.log.none": "There are no decisions yet, or they are older than decisions are kept.",
    "refused.no-such-result.title": "There is no such result",
    "refused.no-such-result.detail": "It is older than results are kept, or its template is not yours to see.",
    **ANALYTICS,
    **BESIDE,
    **FORM,
    **SHIFT_CHANGE,
}
