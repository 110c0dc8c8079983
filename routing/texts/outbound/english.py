"""Why a client is called now or not, in English."""

from __future__ import annotations

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    "outbound.reason.dial": "it is dialled now",
    "outbound.reason.account_off": "the account is switched off",
    "outbound.reason.trigger_off": "the trigger was switched off or removed",
    "outbound.reason.deal_gone": "the deal is not in the CRM any more",
    "outbound.reason.deal_closed": "the deal was closed meanwhile",
    "outbound.reason.left_stage": "the deal left the stage meanwhile",
    "outbound.reason.no_number": "the client has no number that can be called",
    "outbound.reason.own_number": "the number is the company's own",
    "outbound.reason.do_not_call": "the client is on the do-not-call list",
    "outbound.reason.spoken_meanwhile": "somebody has talked with the client meanwhile",
    "outbound.reason.expired": "its time is over",
    "outbound.reason.not_yet": "it is to be tried again later",
    "outbound.reason.paused": "calls a minute are set to 0, so that all is paused",
    "outbound.reason.connection_stopped": "the PBX refused to place calls; nothing is placed by it until a person has looked",
    "outbound.reason.window_closed": "it is no hour at which this client may be called",
    "outbound.reason.window_never_opens": "the hours set leave no time for a call",
    "outbound.reason.client_in_call": "the client is talking with somebody",
    "outbound.reason.client_being_called": "the client is being called already",
    "outbound.reason.nobody_free": "nobody who could take it is free",
    "outbound.reason.employee_gone": "there is nobody any more who could take it",
}
