"""English."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.web.texts.messages.english_campaigns import SENTENCES as CAMPAIGNS
from gateway.web.texts.messages.english_triggers import SENTENCES as TRIGGERS

SENTENCES: Mapping[str, str] = {
    **CAMPAIGNS,
    **TRIGGERS,
    "messages.heading": "Auto-callback and messages",
    "messages.context": "What goes out to clients by itself: calls, SMS, campaigns.",
    "messages.tile.callback": "Calls waiting",
    "messages.tile.sms": "SMS waiting",
    "messages.tile.campaign": "Campaign numbers waiting",
    "messages.rate.title": "Pace",
    "messages.rate.label": "Calls a minute",
    "messages.rate.hint": "A whole number. 0 pauses calls: they wait, nothing is lost. Texts go out even then: switching off their trigger stops them.",
    "messages.rate.wrong": "“{typed}” will not do: it takes a whole number from 0 to 600.",
    "messages.rate.empty": "Write a whole number from 0 to 600: an empty field is no pause.",
    "messages.rate.texts": "Texts do not keep to this pace and go out now. To stop them, switch off their triggers.",
    "messages.rate.open_texts": "Triggers of texts",
    "messages.rate.save": "Save",
    "messages.rate.now": "{rate:call|calls} a minute now. An administrator changes the pace.",
    "messages.queue.title": "Queue",
    "messages.queue.empty": "The queue is empty.",
    "messages.queue.kind": "What",
    "messages.queue.state": "State",
    "messages.queue.why": "Why",
    "messages.queue.items": "How many",
    "messages.queue.since": "First since",
    "messages.queue.next": "Next look",
    "messages.kind.callback": "Call",
    "messages.kind.sms": "SMS",
    "messages.kind.campaign": "Campaign",
    "messages.state.waiting": "waiting",
    "messages.state.dialling": "being called",
    "messages.state.sending": "being sent",
    "messages.state.unknown": "unknown how it ended",
    "messages.state.held": "held",
    "messages.clear.open": "Clear the queue…",
    "messages.clear.heading": "Clear the queue",
    "messages.clear.callback": "Take {n:client|clients} out of the queue of calls? Stages of deals do not change, no tasks appear. Calls under way go on.",
    "messages.clear.sms": "Take {n:SMS|SMS} out of the queue? Stages of deals do not change, no tasks appear.",
    "messages.clear.keep": "Keep them",
    "messages.clear.do": "Take them out",
    "messages.said.paused": "Paused: calls wait. Texts go out.",
    "messages.said.rate": "{rate:call|calls} a minute from now on.",
    "messages.said.cleared": "Taken out of the queue: {n}.",
}
