"""`callmatrix alerts`: a test message says plainly what failed, and the list what is open."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys

import asyncpg
import pytest

from gateway.health.checks import check_all
from gateway.settings import Settings
from gateway.store.admin import accounts
from routing.settings import AccountSettings, AlertPolicy
from tests.integration.alerts.mailbox import CHAT, TOKEN, mailbox, telegram_double


async def alerts(database_url: str, *words: str, **settings: str) -> subprocess.CompletedProcess[str]:
    named = {f"CALLMATRIX_{name.upper()}": value for name, value in settings.items()}
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "gateway.cli", "alerts", *words],
        env={**os.environ, "CALLMATRIX_DATABASE_URL": database_url, **named},
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.fixture
async def sales(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as conn:
        await accounts.add_account(conn, account_id="sales", name="Sales", base_url="https://x.amocrm.ru")
        policy = AlertPolicy(telegram_chats=(CHAT, "77"))
        await accounts.save_settings(conn, "sales", AccountSettings(language="en", alerts=policy))


@pytest.mark.usefixtures("sales")
async def test_a_test_message_goes_to_everybody_and_says_who_did_not_get_it(database_url: str) -> None:
    async with mailbox() as box, telegram_double() as telegram:
        told = await alerts(
            database_url,
            "test",
            alert_emails="ops@example.com",
            smtp_host="127.0.0.1",
            smtp_port=str(box.port),
            smtp_security="none",
            telegram_token=TOKEN,
            telegram_api=telegram.url,
        )
    assert told.returncode == 1
    assert box.subjects == ["Callmatrix: a test"]
    assert len(telegram.got) == 1
    mail, known, unknown = told.stdout.splitlines()[1:]
    assert "sent" in mail.split("\t")
    assert "sent" in known.split("\t")
    assert "chat not found" in unknown
    assert "/start" in unknown
    assert TOKEN not in told.stdout + told.stderr


@pytest.mark.usefixtures("sales")
async def test_what_is_not_set_up_is_said(database_url: str) -> None:
    away, unset = await asyncio.gather(
        alerts(
            database_url,
            "test",
            "--json",
            alert_emails="ops@example.com",
            smtp_host="mail.invalid",
            smtp_security="none",
        ),
        alerts(database_url, "test", alert_emails="no address"),
    )
    codes = [trial["code"] for trial in json.loads(away.stdout)]
    assert codes == ["alert-host-unknown", "alert-channel-unset", "alert-channel-unset"]
    assert unset.returncode == 1
    assert "CALLMATRIX_ALERT_EMAILS" in unset.stderr
    assert "Traceback" not in unset.stderr


@pytest.mark.usefixtures("sales")
async def test_what_would_travel_in_the_clear_is_not_sent_and_the_remedy_is_tls(database_url: str) -> None:
    plain = {
        "alert_emails": "ops@example.com",
        "smtp_host": "192.0.2.1",
        "smtp_security": "none",
        "smtp_user": "ops",
        "smtp_password": "geheim",
        "telegram_token": TOKEN,
        "telegram_api": "http://bot.example",
    }
    told = await alerts(database_url, "test", "--json", **plain)
    mail, *chats = json.loads(told.stdout)
    assert {trial["code"] for trial in (mail, *chats)} == {"alert-in-the-clear"}
    assert "CALLMATRIX_SMTP_SECURITY" in mail["remedy"]
    assert all("CALLMATRIX_TELEGRAM_API" in chat["remedy"] for chat in chats)
    assert TOKEN not in told.stdout + told.stderr
    found = await check_all(Settings(_env_file=None, **plain))  # type: ignore[arg-type]
    assert "alerts-in-the-clear" in {f.code for f in found if not f.is_ok}


@pytest.mark.usefixtures("sales")
async def test_open_alarms_are_listed(database_url: str, pool: asyncpg.Pool) -> None:
    await pool.execute(
        "INSERT INTO alert_state (account_id, kind, object, bad_since, told_at, facts)"
        " VALUES ('sales', 'pbx-silent', 'office', now(), now(), '{\"pbx\": \"mango\"}')"
    )
    shown, other = await asyncio.gather(
        alerts(database_url, "list", "--account", "sales"),
        alerts(database_url, "list", "--account", "nosuch"),
    )
    assert "the PBX office is silent" in shown.stdout
    assert other.returncode == 1
    assert "there is no account 'nosuch'" in other.stderr
