"""Which page mends what a finding tells. Pure."""

from __future__ import annotations

from collections.abc import Mapping

_BY_PAGE: Mapping[str, tuple[str, ...]] = {
    "/setup": (
        "account-broken",
        "account-off",
        "token-refused",
        "token-expires-soon",
        "key-limited",
        "crm-moved",
        "crm-closed",
        "crm-alarm",
        "crm-in-trouble",
        "directory-loading",
        "directory-unpolled",
        "directory-stale",
        "feed-failing",
        "webhooks-unreadable",
        "webhook-registered-again",
        "rows-unread",
        "secrets-spoilt",
        "crm-connected-twice",
    ),
    "/setup/other": (
        "crm-unserved",
        "crm-clock-differs",
        "events-late",
        "workers-missing",
        "worker-loop-failing",
        "alerts-unsent",
        "crm-events-late",
        "secrets-unsealed",
        "secrets-partly-plain",
        "secrets-under-old-key",
        "secrets-key-missing",
        "http-malformed-seen",
    ),
    "/setup/numbers": ("values-numberless",),
    "/setup/not-sent": (
        "values-left-out",
        "effects-dead",
        "set-aside",
        "events-dead",
        "crm-events-aside",
    ),
    "/setup/held": ("effects-held",),
    "/missed": ("cases-overdue",),
    "/distribution/results": ("deals-not-given",),
    "/distribution/waiting": ("deals-wait-too-long",),
    "/distribution": (
        "templates-errors",
        "templates-warnings",
    ),
    "/messages": (
        "triggers-errors",
        "triggers-warnings",
        "campaign-paused",
    ),
    "/setup/sms": (
        "sms-lacks",
        "sms-stopped",
        "sms-money-unknown",
    ),
    "/setup/channels": (
        "channel-lacks",
        "channel-stopped",
        "channel-waits",
        "channel-gap",
    ),
    "/messages/campaigns": (
        "campaign-connection",
        "campaign-nobody",
        "campaign-hours-never",
        "campaign-hours-far",
        "campaign-line",
        "campaign-engine",
    ),
    "/matrix": (
        "matrix-errors",
        "matrix-warnings",
    ),
    "/setup/employees": (
        "employees-missing",
        "senior-missing",
        "employees-unmapped",
        "employees-inactive",
        "employees-undialable",
        "crm-users-unmapped",
    ),
    "/setup/pbx": (
        "connections-missing",
        "connection-link-down",
        "connection-unreliable",
        "connection-spoilt",
        "pbx-clock-ahead",
        "pbx-clock-behind",
        "wrong-secrets-seen",
        "signed-long-ago",
    ),
    "/shifts": ("presence-in-doubt",),
    "/start": ("accounts-missing",),
    "/setup/users": ("api-forbidden-seen",),
}
MENDED_AT: Mapping[str, str] = {code: path for path, codes in _BY_PAGE.items() for code in codes}
"""Code of a finding -> the address of the page. What cannot be shown on a page, for want of a database, is not here."""
