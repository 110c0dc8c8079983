"""The keys of a connection are never shown; neither are they sent to an address that somebody else chose."""

from __future__ import annotations

from typing import Any

import asyncpg
import pytest

from tests.integration.api.client import Api

AMI = {"ami_host": "10.0.0.5", "ami_port": 5038, "ami_tls": True}
KEYS = {"ami_user": "callmatrix", "ami_secret": "geheim"}


async def connected(api: Api) -> None:
    body = {"name": "pbx", "kind": "asterisk", "settings": AMI, "keys": KEYS}
    await api.ask("POST", "{a}/connections", body=body, status=201)


async def kept(pool: asyncpg.Pool) -> asyncpg.Record | None:
    return await pool.fetchrow("SELECT settings, keys FROM connection WHERE name = 'pbx'")


@pytest.mark.parametrize("change", [{"ami_host": "10.9.9.9"}, {"ami_port": 5039}, {"ami_tls": False}])
async def test_keys_do_not_follow_a_changed_address(
    api: Api, pool: asyncpg.Pool, change: dict[str, Any]
) -> None:
    await connected(api)
    before = await kept(pool)
    settings = {**AMI, **change}
    refused = await api.ask("PATCH", "{a}/connections/pbx", body={"settings": settings}, status=400)
    assert refused["code"] == "invalid-input"
    assert "another address" in str(refused)
    assert await kept(pool) == before
    told = await api.ask("PATCH", "{a}/connections/pbx", body={"settings": settings, "keys": KEYS})
    assert told["connection"]["keys"] == ["ami_secret", "ami_user"]


async def test_keys_do_not_wait_for_an_address_that_comes_later(api: Api, pool: asyncpg.Pool) -> None:
    await connected(api)
    await api.ask("PATCH", "{a}/connections/pbx", body={"settings": {}})
    moved = {**AMI, "ami_host": "10.9.9.9"}
    await api.ask("PATCH", "{a}/connections/pbx", body={"settings": moved}, status=400)
    await api.ask("PATCH", "{a}/connections/pbx", body={"settings": moved, "keys": {}})
    row = await kept(pool)
    assert row is not None
    assert not row["keys"] or row["keys"] == "{}"


async def test_other_settings_change_without_the_keys(api: Api) -> None:
    await connected(api)
    told = await api.ask("PATCH", "{a}/connections/pbx", body={"settings": {**AMI, "trunks": "provider"}})
    assert told["connection"]["keys"] == ["ami_secret", "ami_user"]


async def test_a_secret_inside_a_setting_is_written_and_never_shown(api: Api, pool: asyncpg.Pool) -> None:
    address = "https://gw.example/pbx/sip/events?token=SETTINGSECRET&x=1"
    told = {"name": "sip", "kind": "generic", "dialect": "sipgate", "settings": {"events_url": address}}
    added = await api.ask("POST", "{a}/connections", body=told, status=201)
    listed = await api.ask("GET", "{a}/connections", role="read_only")
    changes = await pool.fetch("SELECT before, after FROM audit WHERE what = 'connection'")
    shown = [added, listed, await api.ask("GET", "{a}/config"), [dict(row) for row in changes]]
    assert "SETTINGSECRET" not in str(shown)
    settings = next(c for c in listed["items"] if c["name"] == "sip")["settings"]
    assert settings == {"events_url": address.replace("SETTINGSECRET", "***")}
    back = {"settings": {**settings, "extension_digits": 4}}
    await api.ask("PATCH", "{a}/connections/sip", body=back)
    assert await _events_url(pool) == address, "what comes back as it was shown stays what it was"
    other = {"settings": {"events_url": settings["events_url"].replace("gw", "evil")}}
    await api.ask("PATCH", "{a}/connections/sip", body=other, status=400)
    assert await _events_url(pool) == address


async def _events_url(pool: asyncpg.Pool) -> str:
    found: str = await pool.fetchval("SELECT settings->>'events_url' FROM connection WHERE name = 'sip'")
    return found


@pytest.mark.parametrize("spoilt", ["a\nb", "a\rb", "a\u0001b", "ключ", "a\u00a0b", "a\tb"])
@pytest.mark.parametrize("field", ["token", "client_secret"])
async def test_a_key_that_was_pasted_broken_is_refused_and_makes_no_account(
    api: Api, pool: asyncpg.Pool, field: str, spoilt: str
) -> None:
    keys = {"token": spoilt} if field == "token" else {"client_id": "1f", "client_secret": spoilt}
    body = {"id": "second", "url": "http://127.0.0.1:1", **keys}
    refused = await api.ask("POST", "/accounts", body=body, status=400)
    assert (refused["code"], refused["field"]) == ("invalid-input", field)
    assert spoilt not in str(refused)
    assert await pool.fetchval("SELECT count(*) FROM account WHERE account_id = 'second'") == 0
