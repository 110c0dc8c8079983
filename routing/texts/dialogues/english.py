"""What people read of dialogues in messengers, in English."""

from __future__ import annotations

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    "dialogue.place.group-chat": "it is a group: groups make no deals",
    "dialogue.place.channel-off": "the channel takes no part: its messages are kept and make no deals",
    "dialogue.place.same-deal": "the dialogue's deal is still open",
    "dialogue.place.open-deal": "the client has an open deal",
    "dialogue.place.waiting-lead": "the client waits in Unsorted",
    "dialogue.place.last-closed-deal": "all deals are closed; by the channel's rule it is the one that was closed last",
    "dialogue.place.after-closing": "all deals are closed; by the channel's rule a new one is made",
    "dialogue.place.known-client": "the client is known and has no deal: one is made",
    "dialogue.place.new-client": "a new client: contact and deal are made",
    "dialogue.owner.first-answer": "answered first",
    "dialogue.owner.not-a-person": "a robot, a greeting, a template or a campaign answered: that does not count",
    "dialogue.owner.not-mapped": "it is not known which employee wrote this",
    "dialogue.owner.not-asked": "this employee is none of those among whom the first to answer becomes the owner",
    "dialogue.owner.gone": "this employee cannot be responsible in the CRM",
    "dialogue.owner.taken": "somebody else answered first",
    "dialogue.owner.has-owner": "the dialogue is this employee's already",
    "dialogue.owner.other-rule": "the channel's owner is not found by the first answer",
    "dialogue.owner.by-template": "the distribution template gave the deal to this employee",
    "dialogue.owner.deal-owner": "the deal is this employee's",
    "crm.chats.unknown": "it is not known whether the message went out",
    "crm.chats.refused": "the message was not delivered",
    "crm.chats.no-such-dialogue": "Callmatrix does not know this conversation: write to the client first from Callmatrix",
    "crm.chats.no-such-employee": "Callmatrix does not know you: whoever looks after the installation adds you to the employees",
    "crm.chats.not-taken": "Callmatrix could not take the message: answer in Callmatrix",
    "dialogue.refusal.no-right": "you may not write in this channel: whoever looks after the installation can allow it",
    "dialogue.refusal.of-another": "somebody else answers in this dialogue, and you see your own ones only: ask them, or whoever sees all",
    "dialogue.refusal.channel-off": "the channel is switched off: switch it on",
    "dialogue.refusal.unauthorised": "the messenger does not take our key: put the right one into the channel",
    "dialogue.refusal.no-money": "the money at the messenger's provider has ended: pay in",
    "dialogue.refusal.blocked": "the client has blocked us",
    "dialogue.refusal.window-closed": "the client wrote too long ago: the messenger lets us write again when they write",
    "dialogue.refusal.not-written-first": "the messenger lets us write only to clients who have written to us",
    "dialogue.refusal.empty": "the message is empty",
    "dialogue.refusal.too-long": "the text is longer than the messenger takes: part it",
    "dialogue.refusal.file-too-large": "the file is larger than the messenger takes",
    "dialogue.refusal.taken": "{owner} answered first. Send it anyway?",
}  # fmt: skip
