"""The table, by what the safeguards are for."""

from __future__ import annotations

from tests.sabotage.rows import (
    calls,
    campaigns,
    crm,
    crm_chats,
    dialogues,
    distribution,
    doors,
    intake,
    keys,
    max_messenger,
    messengers,
    orders,
    outbound,
    people,
    sending,
    sms,
    takeover,
    triggers,
    writing,
)

ROWS = (
    *intake.ROWS,
    *calls.ROWS,
    *writing.ROWS,
    *takeover.ROWS,
    *crm.ROWS,
    *keys.ROWS,
    *outbound.ROWS,
    *people.ROWS,
    *doors.ROWS,
    *distribution.ROWS,
    *sms.ROWS,
    *sending.ROWS,
    *messengers.ROWS,
    *max_messenger.ROWS,
    *dialogues.ROWS,
    *crm_chats.ROWS,
    *campaigns.ROWS,
    *triggers.ROWS,
    *orders.ROWS,
)
