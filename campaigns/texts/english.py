"""What people read of campaigns, in English."""

from __future__ import annotations

from collections.abc import Mapping

SENTENCES: Mapping[str, str] = {
    "campaign.state.draft": "is being prepared",
    "campaign.state.planned": "begins by itself",
    "campaign.state.running": "calls",
    "campaign.state.paused": "is paused",
    "campaign.state.stopping": "ends: what has begun goes to its end",
    "campaign.state.finished": "has finished and takes nothing more",
    "campaign.reason.by_command": "somebody said so",
    "campaign.reason.planned_start": "its time came",
    "campaign.reason.nobody_yet": "its time came and nobody is in it yet: it begins with the first number",
    "campaign.reason.all_done": "everybody in it was called",
    "campaign.reason.stopped": "somebody stopped it",
    "campaign.reason.finished_by_hand": "somebody ended it at once",
    "campaign.reason.by_engine": "whoever dials for it says so",
    "campaign.member.campaign_gone": "there is no campaign of this name",
    "campaign.member.campaign_finished": "the campaign has finished: it takes no numbers and is not started again",
    "campaign.member.linked": "the number was in the campaign already: what becomes of it there holds here too",
    "campaign.member.no_number": "the client has no number that can be called",
    "campaign.member.own_number": "the number is the company's own",
    "campaign.member.do_not_call": "the client is on the do-not-call list",
    "campaign.member.no_employee": "nobody who would talk has an extension that is linked to a user of the CRM",
    "campaign.member.edition": "the PBX's contract has no contact centre",
    "campaign.member.too_many_tasks": "the contact centre takes no more numbers into this campaign",
    "campaign.member.taken_out": "somebody took the number out",
    "campaign.row.no_number": "the row has no number",
    "campaign.row.bad_number": "this is no phone number",
    "campaign.row.internal_number": "this is an extension, not a client's number",
    "campaign.row.own_number": "the number is the company's own",
    "campaign.row.twice_in_list": "the number stands in an earlier row of the list",
    "campaign.row.already_in_campaign": "the number is in the campaign already",
    "campaign.row.do_not_call": "the client is on the do-not-call list",
    "campaign.row.too_long": "a cell is longer than 500 characters",
    "campaign.heading.number": "number, phone, phone number, telephone, tel, mobile",
    "campaign.heading.name": "name, client, full name, contact",
    "campaign.heading.client_id": "client id, id, client_id",
}  # fmt: skip
