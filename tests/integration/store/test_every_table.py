"""Every table is cleaned, or it is said why it does not grow."""

from __future__ import annotations

import re

import asyncpg

from gateway.settings import Settings
from gateway.store.admin import accounts
from gateway.worker import retention
from tests.integration.store.watched_plans import WatchedPlans

_DOES_NOT_GROW = {
    "account": "people connect accounts",
    "admin_user": "people",
    "alert_heard": "one a connection",
    "alert_state": "one a cause",
    "alert_turn": "one row",
    "api_token": "people make tokens",
    "bot_reading": "one a bot",
    "presence_chat": "one an employee at the most, and goes with them",
    "campaign": "people make campaigns",
    "campaign_engine": "one a campaign, and goes with it",
    "campaign_hour": "a few an hour of a campaign that calls, and goes with it",
    "campaign_link": "goes with its member",
    "campaign_list": "one a list, which a person brings; its file goes once it is read",
    "campaign_member": "people bring lists; goes with its campaign",
    "campaign_task": "one a number of a contact centre's campaign, and goes with that",
    "channel": "people connect messengers",
    "channel_gap": "one an outage, and goes with its channel",
    "chat_file": "goes with its message",
    "channel_access": "one a person and channel",
    "chat_copy_message": "goes with its message",
    "chat_revision": "goes with its message",
    "connection": "people connect PBXs",
    "crm_account": "one an account",
    "crm_chat": "one a dialogue, and goes with it",
    "crm_chat_channel": "one an account",
    "crm_chat_message": "goes with its message",
    "crm_chat_person": "as in the CRM",
    "crm_entity_state": "the latest value of each aspect of what is in the CRM",
    "crm_event_consumer": "the program's own",
    "crm_field": "as in the CRM",
    "backfill_client": "goes with its run",
    "crm_loan": "each is given back, or forgotten by the next who works for the account",
    "crm_pipeline": "as in the CRM",
    "crm_token": "one an account",
    "crm_user": "as in the CRM",
    "crm_webhook_seen": "one an account",
    "directory_entity": "as in the CRM",
    "directory_entry": "one a number that was ever in the CRM: gateways must hear that it is no more",
    "directory_link": "as in the CRM",
    "directory_mark": "as in the CRM",
    "directory_number": "as in the CRM",
    "directory_numberless": "as in the CRM",
    "directory_reread": "what is to be read next",
    "directory_state": "one an account",
    "directory_watched": "one an account",
    "dialogue_handout": "one a dialogue, and goes with it",
    "dialogue_reader": "one a person and dialogue, and goes with that",
    "distribution_attachment": "one a stage, which a person makes",
    "distribution_template": "one a template, which a person makes",
    "distribution_version": "one for each publication, which a person makes",
    "do_not_call": "whoever asked not to be called stays on the list",
    "employee": "people",
    "kept_page": "each is gone a quarter of an hour later, with the next one that is kept",
    "lookup_rules": "one for each change of the rules, which a person makes",
    "matrix_draft": "one an account",
    "matrix_draft_saved": "the latest 200 an account: its trigger deletes the older ones",
    "matrix_editor": "one a person who edits, and gone soon after they left",
    "matrix_trial": "one for each trial, which a person makes",
    "matrix_version": "one for each publication, which a person makes",
    "outbound_attempt": "goes with its item",
    "outbound_connection": "one a connection",
    "outbound_pace": "one an account",
    "pipeline_trigger": "one a trigger, which a person makes",
    "pipeline_trigger_version": "one for each change of a trigger, which a person makes",
    "pbx_pace": "one a vendor's product and command",
    "pbx_reconciliation": "one a connection",
    "presence": "one an employee",
    "presence_phone": "one a phone",
    "presence_phone_source": "one a connection",
    "presence_watch": "one an account",
    "procrastinate_events": "goes with its job",
    "procrastinate_jobs": "a job that is done is deleted",
    "procrastinate_periodic_defers": "there are no periodic jobs",
    "procrastinate_workers": "workers that are gone are taken away by the others",
    "recovery_code": "ten a person at the most",
    "schedule": "people",
    "schedule_version": "one for each save, which a person makes",
    "schema_migration": "one a migration",
    "secret_key": "one a key that is in use",
    "shift_move": "goes with its run",
    "shift_policy": "one an account",
    "sms_connection": "people connect providers",
    "sms_link": "one a provider, and goes with it",
    "sync_cursor": "one a feed",
    "worker_report": "the latest of each process; those of gone processes are deleted",
}
_ALL = "SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema() AND table_type = 'BASE TABLE'"


async def test_upkeep_cleans_every_table_that_grows(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as conn:
        await accounts.add_account(conn, account_id="a", name="A", base_url="http://127.0.0.1:1")
    plans = WatchedPlans(pool)
    await retention.clean(plans, Settings())  # type: ignore[arg-type]
    cleaned = {name for plan in plans.take() for name in re.findall(r"DELETE FROM (\w+)", plan.sql)}
    tables = {row["table_name"] for row in await pool.fetch(_ALL)}
    assert tables - cleaned - _DOES_NOT_GROW.keys() == set(), "neither cleaned nor said why it need not be"
    assert cleaned & _DOES_NOT_GROW.keys() == set()
    assert _DOES_NOT_GROW.keys() - tables == set()
