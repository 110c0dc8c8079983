"""What calls or writes through a connection holds it: it is taken away only by who says so."""

from __future__ import annotations

from typing import Any

from gateway.store.admin.accounts import add_connection
from gateway.store.triggers.triggers import save_trigger
from routing.triggers.model import Trigger
from tests.integration.api.client import ACCOUNT, Api
from tests.integration.api.command_line import callmatrix

CALL = {"do": "callback", "connection": "pbx"}
TEXT = {"do": "sms", "template": "Hello", "to": {"client": True}, "provider": "texts"}


async def _named(api: Api, **actions: dict[str, Any]) -> None:
    async with api.pool.acquire() as conn, conn.transaction():
        for name, action in actions.items():
            trigger = {"name": name, "pipeline_id": "1", "events": [{"on": "entered"}], "action": action}
            await save_trigger(conn, ACCOUNT, Trigger.model_validate({**trigger, "is_on": True}), "test")


async def _uses(api: Api, path: str) -> list[str]:
    said = await api.ask("DELETE", path, status=409)
    assert said["code"] == "connection-in-use"
    return [problem["use"] for problem in said["problems"]]


async def _connections(api: Api) -> list[str]:
    return [found["name"] for found in (await api.ask("GET", "{a}/connections"))["items"]]


async def test_a_pbx_by_which_triggers_and_campaigns_call_stays_until_somebody_insists(api: Api) -> None:
    async with api.pool.acquire() as conn, conn.transaction():
        await add_connection(conn, account_id=ACCOUNT, name="pbx", kind="generic", secret="s")
        await conn.execute(
            "INSERT INTO campaign (account_id, campaign_id, name, settings, created_by) VALUES ($1, 'c', 'spring', $2, 'test')",
            ACCOUNT,
            {"connection": "pbx"},
        )
    await _named(api, big=CALL, texts=TEXT)
    await api.pool.execute(
        'INSERT INTO outbound_item (account_id, item_id, kind, source, connection, "order")'
        " VALUES ($1, 'i', 'callback', 'trigger', 'pbx', $2)",
        ACCOUNT,
        {"trigger": "big", "action": CALL},
    )
    path = "{a}/connections/pbx"
    assert await _uses(api, path) == ["campaign spring", "trigger big", "1 that wait"]
    assert "pbx" in await _connections(api)
    await api.pool.execute(
        "INSERT INTO outbound_connection (account_id, connection, stopped_at) VALUES ($1, 'pbx', now()), ($1, 'office', now())",
        ACCOUNT,
    )
    await api.ask("DELETE", path, even_if_used="true", status=204)
    assert "pbx" not in await _connections(api)
    stops = (await api.ask("GET", "{a}/outbound/queue"))["stops"]
    assert [stop["connection"] for stop in stops] == ["office"]  # what is called 'pbx' next begins anew


async def test_a_provider_through_which_triggers_write_stays_until_somebody_insists(
    api: Api, database_url: str
) -> None:
    order = {"name": "texts", "kind": "smsc", "keys": {"password": "hush"}, "settings": {"login": "us"}}
    await api.ask("POST", "{a}/sms-connections", body=order, status=201)
    await _named(api, hello=TEXT)
    assert await _uses(api, "{a}/sms-connections/texts") == ["trigger hello"]
    removal = ["sms", "remove", "texts", "--account", ACCOUNT, "--yes"]
    refused = await callmatrix(database_url, *removal)
    assert refused.returncode == 1
    assert "trigger hello" in refused.stderr
    assert (await callmatrix(database_url, *removal, "--even-if-used")).returncode == 0
    await api.ask("GET", "{a}/sms-connections/texts", status=404)
