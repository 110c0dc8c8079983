"""All routes of the admin API, one line per resource."""

from __future__ import annotations

from gateway.api.admin import (
    accounts,
    audit,
    calendar,
    config,
    connections,
    employees,
    frames,
    matrices,
    matrix_trials,
    schedules,
    tokens,
    users,
)
from gateway.api.calls import calls, missed_calls
from gateway.api.campaigns import callers, campaigns, lists, members, there
from gateway.api.channels import beginning, channels, crm_chats, dialogues, files, gaps
from gateway.api.crm_accounts import backfill, crm_accounts, crm_rows, dead_letters, exchanges, sync
from gateway.api.decisions import decisions, dry_runs
from gateway.api.distribution import distributions, templates
from gateway.api.frame import Route
from gateway.api.health import status
from gateway.api.outbound import do_not_call, items
from gateway.api.outbound import settings as outbound_settings
from gateway.api.presence import presence, telegram
from gateway.api.shift_change import shift_change
from gateway.api.sms import connections as sms_connections
from gateway.api.sms import messages as sms_messages
from gateway.api.triggers import firings, triggers
from gateway.api.worker import long_tasks

ROUTES: tuple[Route, ...] = (
    *accounts.ROUTES,
    *connections.ROUTES,
    *employees.ROUTES,
    *schedules.ROUTES,
    *calendar.ROUTES,
    *tokens.ROUTES,
    *frames.ROUTES,
    *users.ROUTES,
    *audit.ROUTES,
    *decisions.ROUTES,
    *crm_accounts.ROUTES,
    *config.ROUTES,
    *status.ROUTES,
    *sync.ROUTES,
    *dead_letters.ROUTES,
    *crm_rows.ROUTES,
    *missed_calls.ROUTES,
    *backfill.ROUTES,
    *exchanges.ROUTES,
    *calls.ROUTES,
    *matrices.ROUTES,
    *matrix_trials.ROUTES,
    *dry_runs.ROUTES,
    *long_tasks.ROUTES,
    *channels.ROUTES,
    *dialogues.ROUTES,
    *beginning.ROUTES,
    *files.ROUTES,
    *gaps.ROUTES,
    *crm_chats.ROUTES,
    *presence.ROUTES,
    *telegram.ROUTES,
    *templates.ROUTES,
    *distributions.ROUTES,
    *shift_change.ROUTES,
    *sms_connections.ROUTES,
    *sms_messages.ROUTES,
    *triggers.ROUTES,
    *firings.ROUTES,
    *do_not_call.ROUTES,
    *outbound_settings.ROUTES,
    *items.ROUTES,
    *campaigns.ROUTES,
    *there.ROUTES,
    *members.ROUTES,
    *lists.ROUTES,
    *callers.ROUTES,
)
