"""The table of commands: where each is defined, and the sentence that `callmatrix --help` says of it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Entry(NamedTuple):
    """module: of `gateway.cli`, its `register(app)` adds the command. summary: the first sentence of its own help."""

    module: str
    summary: str


COMMANDS: Mapping[str, Entry] = MappingProxyType(
    {
        "init": Entry(
            "first_use.command",
            "From nothing to the first call, step by step: database, address, CRM account, employees, PBX.",
        ),
        "demo": Entry(
            "running",
            "All in one, in the foreground: database, CRM sandbox with sample data, gateway and worker.",
        ),
        "serve": Entry("running", "Gateway and worker against the configured database, as CALLMATRIX_* say."),
        "sandbox": Entry("running", "Run the amoCRM-compatible server alone, on loopback."),
        "migrate": Entry("running", "Bring the database's schema up to date."),
        "check": Entry(
            "running",
            "Say what is wrong with settings, database, Redis, CRM, PBXs and clock, one line each.",
        ),
        "lookup": Entry(
            "running",
            "Show what the PBX would be told for this number, and why: asked of the running gateway.",
        ),
        "explain": Entry(
            "running", "Show the trace of any stored decision or call, with what became of it in the CRM."
        ),
        "account": Entry("accounts", "Connected CRMs."),
        "connection": Entry("accounts", "Connected PBXs."),
        "token": Entry("accounts", "Tokens of the admin API."),
        "employees": Entry("changing.employees", "Who is rung at which phone, and who they are in the CRM."),
        "schedule": Entry("changing.schedules", "Who works when: schedules of people, groups and everybody."),
        "calendar": Entry(
            "changing.calendar",
            "Days that are not as their weekday says: holidays, working Saturdays, your own.",
        ),
        "config": Entry("config", "An account's configuration as a YAML file, without secrets."),
        "matrix": Entry("matrices", "The call matrix: its draft, checks, versions, roll-back."),
        "replay": Entry(
            "matrices", "Run the calls of the last days through a draft, compared with what is published."
        ),
        "template": Entry(
            "distribution.templates", "Templates of distribution: save, show, attach to stages, try."
        ),
        "distribution": Entry(
            "distribution.given", "Who gets a deal: what was given and why, and what waits."
        ),
        "trigger": Entry("triggers.command", "Triggers: what happens to a deal, and what is done then."),
        "firings": Entry("triggers.firings", "What triggers fired on and what they did not, and why."),
        "outbound": Entry(
            "outbound.command", "Calls and texts that go out: settings, queue, and what became of each."
        ),
        "campaign": Entry("campaigns.command", "Outbound campaigns: who is called, and what came of it."),
        "do-not-call": Entry("outbound.do_not_call", "Numbers that are neither called nor written to."),
        "sync": Entry(
            "sync",
            "Load the directory from the CRM: asks the running worker, or does it here when none runs.",
        ),
        "backfill": Entry(
            "backfill",
            "Send what was decided and stored while the account was off or its authorisation broken.",
        ),
        "desk": Entry(
            "dead_letters",
            "The dead-letter desk: everything that was set aside because it cannot succeed by itself.",
        ),
        "crm": Entry("crm_rows", "What the CRM told that could not be read or worked on."),
        "cases": Entry("cases", "Missed calls that somebody must return."),
        "presence": Entry("presence.people", "Who is at work."),
        "channel": Entry("channels.channels", "Messenger channels, and who may do what in them."),
        "crm-chats": Entry("channels.crm_chats", "Dialogues in the CRM's own chats."),
        "sms": Entry("sms.providers", "SMS: providers, and what goes out through them."),
        "alerts": Entry("alerts", "Alarms by e-mail and Telegram."),
        "audit": Entry("protection.audit", "Show who changed what: configuration, people, tokens, the desk."),
        "client": Entry("protection.client", "What is kept of one client."),
        "secrets": Entry("protection.secrets", "How secrets are sealed in the database."),
        "shift": Entry(
            "shift_change.command", "Open deals of who is offline pass to those left, and come back."
        ),
        "users": Entry("users", "People who sign in to the pages."),
    }
)
