"""Every NOTIFY channel of the installation, by its purpose. Triggers of the migrations name some of them too."""

from __future__ import annotations

from runtime.database.pool import Conn

CONFIGURATION = "callmatrix_config"
CATALOGUE = "callmatrix_catalogue"
DIRECTORY = "callmatrix_directory"
WEBHOOKS = "callmatrix_webhook"
EFFECTS = "callmatrix_effects"
LOAD_DIRECTORY = "callmatrix_sync"
LONG_TASKS = "callmatrix_long_work"
CHANGES = "callmatrix_changes"
PRESENCE = "callmatrix_presence"
TURNS = "callmatrix_turns"
OUTBOUND = "callmatrix_outbound"
SESSIONS = "callmatrix_sessions"
FORGOTTEN = "callmatrix_forgotten"
LOANS = "callmatrix_loans"

EVERY = (
    CONFIGURATION,
    CATALOGUE,
    DIRECTORY,
    WEBHOOKS,
    EFFECTS,
    LOAD_DIRECTORY,
    LONG_TASKS,
    CHANGES,
    PRESENCE,
    TURNS,
    OUTBOUND,
    SESSIONS,
    FORGOTTEN,
    LOANS,
)


async def notify(conn: Conn, channel: str, payload: str) -> None:
    """Tell those who listen, when the transaction commits."""
    await conn.execute("SELECT pg_notify($1, $2)", channel, payload)


def of_executor(account_id: str, system: str) -> str:
    """Return the payload of EFFECTS for one account's executor of one system. Older processes name the account alone."""
    return f"{account_id} {system}"
