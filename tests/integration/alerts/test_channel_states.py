"""A messenger channel that does not work is told once for each state, and once that the state is over."""

from __future__ import annotations

import asyncpg

from gateway.store.channels.channels import add_channel, change_channel, change_state, saved_channels
from routing.dialogues.rules import ChannelRules
from sms.channels.model import ChannelStateTold
from sms.channels.port import MessengerChannel
from sms.channels.reasons import ChannelState
from tests.integration.alerts.test_alarms import ACCOUNT, OPERATOR, Watch, received, watch

__all__ = ["watch"]


async def _fares(pool: asyncpg.Pool, state: ChannelState, words: str = "") -> None:
    async with pool.acquire() as conn:
        await change_state(conn, ACCOUNT, "c1", ChannelStateTold(state=state, words=words))


async def test_case_39_a_state_of_a_channel_is_one_alarm_and_a_new_name_is_none(
    watch: Watch, pool: asyncpg.Pool
) -> None:
    channel = MessengerChannel(account_id=ACCOUNT, id="c1", name="Shop", kind="sandbox", keys={}, settings={})
    async with pool.acquire() as conn:
        assert await add_channel(conn, channel, ChannelRules(), secret="hush")
    await _fares(pool, ChannelState.NO_MONEY, "notEnoughMoney")
    await watch.look()
    without_money = "Callmatrix, Sales: the messenger channel Shop does not work"
    assert received(watch, OPERATOR) == [without_money]
    assert (await watch.findings())["channel-stopped"] == (
        "sandbox: the money at the messenger's provider has ended: pay in (notEnoughMoney)"
    )
    async with pool.acquire() as conn:
        [saved] = await saved_channels(conn)
        await change_channel(conn, saved, {"name": "Retail"})
    await watch.an_hour_passes()
    await _fares(pool, ChannelState.NO_MONEY, "notEnoughMoney")
    await watch.look()
    assert received(watch, OPERATOR) == [without_money]
    await _fares(pool, ChannelState.UNAUTHORISED)
    await watch.an_hour_passes()
    await watch.look()
    assert received(watch, OPERATOR)[1:] == ["Callmatrix, Sales: the messenger channel Retail does not work"]
    await watch.an_hour_passes()
    await watch.look()
    assert received(watch, OPERATOR)[2:] == [
        "Callmatrix, Sales: well again (the messenger channel Retail does not work)"
    ]
    await _fares(pool, ChannelState.ACTIVE)
    for _ in range(2):
        await watch.an_hour_passes()
        await watch.look()
    assert received(watch, OPERATOR)[3:] == [
        "Callmatrix, Sales: well again (the messenger channel Retail does not work)"
    ]
    assert "channel-well" in await watch.findings()
