"""What is an alarm, seen from the status: each cause once, and nobody is told what follows from another cause."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.alerts.observe import AlertObservation, Surroundings, observe
from gateway.health.views import InstallationStatus
from gateway.store.outbound.standing import NO_CALLS, CallsOut
from gateway.store.triggers.circles import TriggerCircle
from routing.alerts import AlertCause, AlertKind
from routing.settings import AccountSettings, AlertPolicy
from tests.unit.gateway.alerts.test_words import sales
from tests.unit.gateway.health.test_account_checks import WELL

MONDAY = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)  # 15:00 in the account's zone
WORKER = {
    "name": "w",
    "started_at": MONDAY,
    "reported_at": MONDAY,
    "is_alive": True,
    "jobs": {"done": 1, "failed": 0, "revived": 0, "last_success": None, "last_error": None},
    "loops": {},
    "exchanges_lost": 0,
    "configuration_heard": True,
}
WRITER = {
    "last_success": MONDAY,
    "last_error": "",
    "last_error_at": None,
    "closed_until": None,
    "reason": "",
    "is_alarm": False,
    "requests_under_way": 0,
}


def seen(
    *,
    at: datetime = MONDAY,
    workers: tuple[dict[str, Any], ...] = (WORKER,),
    has_work: bool = False,
    heard_at: datetime | None = None,
    policy: AlertPolicy | None = None,
    circle: TriggerCircle | None = None,
    calls: CallsOut = NO_CALLS,
    **changes: Any,
) -> dict[tuple[AlertKind, str], AlertObservation]:
    """changes: of the account, as `tests.unit.gateway.health.test_account_checks.WELL` has it."""
    status = InstallationStatus(
        at=at, postgresql="15", workers=workers, jobs_queued=0, crm_event_consumers=[], accounts=[{**WELL, **changes}]
    )  # fmt: skip
    account = replace(sales("en"), settings=AccountSettings(alerts=policy or AlertPolicy()))
    around = Surroundings(
        accounts={"sales": account},
        with_work=frozenset({"sales"} if has_work else ()),
        heard={("sales", "office"): heard_at} if heard_at else {},
        circles={"sales": circle} if circle else {},
        calls={"sales": calls},
    )
    found = list(observe(status, around))
    assert len({o.cause for o in found}) == len(found)
    return {(o.cause.kind, o.cause.object): o for o in found}


def bad(found: dict[tuple[AlertKind, str], AlertObservation]) -> set[AlertKind]:
    return {o.cause.kind for o in found.values() if o.health == "bad"}


def crm(**writer: Any) -> dict[str, Any]:
    return {**WELL["crm"], "writer": {**WRITER, **writer}}


def test_where_all_is_well_nothing_is_bad() -> None:
    found = seen(heard_at=MONDAY, crm=crm())
    assert bad(found) == set()
    assert AlertCause(kind="pbx-silent", account_id="sales", object="office") in {
        o.cause for o in found.values()
    }


def test_a_broken_key_is_one_cause_and_the_writer_is_not_blamed() -> None:
    assert bad(seen(state="broken", has_work=True, crm=crm(is_alarm=True))) == {"crm-broken"}


def test_an_account_that_is_switched_off_is_not_watched_for_its_crm() -> None:
    assert {kind for kind, _ in seen(state="off")} <= {
        "workers-missing",
        "desk-full",
        "deals-waiting",
        "pbx-silent",
    }


def test_a_dead_worker_is_one_cause_and_no_account_is_blamed() -> None:
    dead = {**WORKER, "is_alive": False}
    unserved = {**WELL["crm"], "is_served": False}
    assert bad(seen(workers=(dead,), has_work=True, crm=unserved)) == {"workers-missing"}
    assert bad(seen(workers=(), crm=unserved)) == {"workers-missing"}


def test_a_trigger_that_goes_in_circles_is_a_cause_and_is_named() -> None:
    found = seen(circle=TriggerCircle(account_id="sales", trigger="call back", deal_id="7", deals=2))
    assert bad(found) == {"trigger-circles"}
    assert found[("trigger-circles", "")].facts == {"trigger": "call back", "deal": "7", "count": 2}


def test_a_pbx_that_refuses_calls_and_calls_of_which_nobody_knows_are_causes() -> None:
    found = seen(calls=CallsOut(refused={"office": ("no-money: 2240", 3)}, unknown=2))
    assert bad(found) == {"calls-refused", "calls-unknown"}
    assert found[("calls-refused", "office")].facts == {"error": "no-money: 2240", "waiting": 3}


def test_only_a_pbx_by_which_calls_are_placed_is_watched_for_refusing_them() -> None:
    office = WELL["connections"][0]
    pbxs = [office, {**office, "name": "shop"}, {**office, "name": "off", "is_on": False}]
    refused = {"office": None, "off": ("no-money: 2240", 1)}
    found = seen(connections=pbxs, calls=CallsOut(refused=refused))
    watched = {object: o.health for (kind, object), o in found.items() if kind == "calls-refused"}
    assert watched == {"office": "good"}


def test_a_provider_of_sms_that_takes_nothing_is_a_cause_and_one_that_is_off_is_none() -> None:
    stopped = {"name": "texts", "kind": "smsc", "is_on": True, "stop_reason": "no-money", "waiting": 3}
    found = seen(sms=[stopped, {**stopped, "name": "off", "is_on": False}])
    assert bad(found) == {"sms-stopped"}
    assert found[("sms-stopped", "texts")].facts == {"stopped_by": "no-money", "waiting": 3}
    assert ("sms-stopped", "off") not in found


def a_channel(**changes: Any) -> dict[str, Any]:
    channel = {
        "id": "c1",
        "name": "Shop",
        "kind": "wazzup",
        "is_on": True,
        "state": "active",
        "state_at": MONDAY,
    }
    return {**channel, **changes}


def channel_alarms(channel: dict[str, Any], at: datetime = MONDAY) -> dict[str, str]:
    """Return of each cause how it is."""
    found = seen(channels=[channel], at=at)
    return {object: o.health for (kind, object), o in found.items() if kind == "channel-stopped"}


def test_each_state_of_a_messenger_channel_is_a_cause_of_its_own_and_a_new_name_is_none() -> None:
    without_money = channel_alarms(a_channel(state="no_money"))
    assert without_money == {
        "c1 waiting": "good",
        "c1 unauthorised": "good",
        "c1 no_money": "bad",
        "c1 disabled": "good",
        "c1 conflict": "good",
    }
    assert channel_alarms(a_channel(state="no_money", name="Retail")) == without_money
    assert set(channel_alarms(a_channel()).values()) == {"good"}
    assert channel_alarms(a_channel(state="no_money", is_on=False)) == {}


def test_a_channel_that_waits_is_given_half_an_hour() -> None:
    waits = a_channel(state="waiting")
    assert channel_alarms(waits, MONDAY + timedelta(minutes=29))["c1 waiting"] == "unknown"
    assert channel_alarms(waits, MONDAY + timedelta(minutes=31))["c1 waiting"] == "bad"


def test_dialogues_that_do_not_show_in_the_crms_chats_are_a_cause_while_that_lasts() -> None:
    def health(chats: dict[str, Any] | None) -> str | None:
        seen_alarms = seen(crm_chats=chats)
        found = [o for (kind, _), o in seen_alarms.items() if kind == "crm-chats-failing"]
        return found[0].health if found else None

    assert health({"is_on": True, "error": "crm-chat-forbidden: 403"}) == "bad"
    assert health({"is_on": True, "is_connected": True}) == "good"
    assert health({"is_on": False}) is None
    assert health({"is_on": False, "is_connected": True, "error": "crm-chat-silent: no answer"}) == "bad"
    assert health(None) is None


LONG_AGO = MONDAY - timedelta(minutes=30)


@pytest.mark.parametrize(
    ("state", "has_work", "why"),
    [
        ({**WELL["crm"], "is_served": False}, False, "unserved"),
        ({**WELL["crm"], "circuit": {"name": "open", "refusals": 3, "reason": "403"}}, False, "closed"),
        (crm(is_alarm=True, last_error="crm-forbidden: no"), False, "refused"),
        (crm(last_success=LONG_AGO, last_error="crm-unavailable: 502"), True, "failing"),
        (crm(last_success=None), True, "silent"),
    ],
)
def test_a_writer_that_gets_nothing_through_is_a_cause_with_its_reason(
    state: dict[str, Any], has_work: bool, why: str
) -> None:
    found = seen(crm=state, has_work=has_work)[("writer-stopped", "")]
    assert (found.health, found.facts["why"]) == ("bad", why)


def test_a_writer_without_work_or_at_work_is_well() -> None:
    assert not bad(seen(crm=crm(last_success=LONG_AGO), has_work=False))
    assert not bad(seen(crm=crm(last_success=MONDAY - timedelta(seconds=20)), has_work=True))


def link(*, up: bool, told_ago: float = 1.0) -> list[dict[str, Any]]:
    told_at = (MONDAY - timedelta(seconds=told_ago)).isoformat()
    listener = {"connected": up, "address": "10.0.0.5:5038", "error": "refused", "reported_at": told_at}
    return [{**WELL["connections"][0], "kind": "asterisk", "listener": listener}]


def test_a_link_that_is_down_explains_the_silence() -> None:
    assert bad(seen(connections=link(up=False), heard_at=MONDAY - timedelta(days=3))) == {"pbx-link-down"}


def test_a_report_of_yesterday_tells_nothing_of_the_link() -> None:
    found = seen(connections=link(up=False, told_ago=3600.0))
    assert found[("pbx-link-down", "office")].health == "unknown"


@pytest.mark.parametrize(
    ("heard_at", "is_silent"),
    [
        (MONDAY - timedelta(hours=5), True),  # all of them working hours: since 10:00
        (MONDAY - timedelta(hours=3), False),
        (datetime(2026, 2, 27, 12, 30, tzinfo=UTC), True),  # Friday 17:30, half an hour before the end
        (datetime(2026, 3, 1, 10, 0, tzinfo=UTC), True),  # Sunday: six hours of Monday have passed
    ],
)
def test_silence_counts_in_working_time(heard_at: datetime, is_silent: bool) -> None:
    assert ("pbx-silent" in bad(seen(heard_at=heard_at))) is is_silent


def test_a_weekend_is_no_silence() -> None:
    friday = datetime(2026, 2, 27, 12, 30, tzinfo=UTC)
    assert not bad(seen(at=datetime(2026, 3, 2, 4, 30, tzinfo=UTC), heard_at=friday))


def test_a_connection_that_never_spoke_is_not_silent_and_silence_can_be_left_out() -> None:
    assert ("pbx-silent", "office") not in seen()
    quiet = AlertPolicy(pbx_silent_minutes=None)
    assert ("pbx-silent", "office") not in seen(heard_at=MONDAY - timedelta(days=30), policy=quiet)


def test_the_desk_is_full_at_its_setting_and_well_again_at_half_of_it() -> None:
    health = {
        n: seen(desk={"effect": n}, policy=AlertPolicy(desk_full=4))[("desk-full", "")].health
        for n in range(6)
    }
    assert health == {0: "good", 1: "good", 2: "good", 3: "unknown", 4: "bad", 5: "bad"}


def test_a_key_that_expires_soon_is_told_in_time() -> None:
    token = {**WELL["token"], "warning": "expires-soon", "days_left": 3.2}
    found = seen(token=token)[("token-expires", "")]
    assert (found.health, found.facts) == ("bad", {"days": 3})
