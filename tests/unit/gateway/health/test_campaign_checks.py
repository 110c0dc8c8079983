"""What is in the way of a campaign that runs, each told once with what to do."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime
from typing import Any

import pytest

from campaigns.model import CampaignSettings
from gateway.health.campaign_checks import campaign_findings, running_campaigns
from gateway.health.findings import FindingText, in_words
from gateway.pbx.connection import Connection
from gateway.store.admin.accounts import Account
from gateway.store.campaigns.campaigns import CampaignRow
from gateway.store.campaigns.standing import CampaignStanding
from gateway.texts.sentences import TEXTS
from routing.outbound.settings import OutboundSettings
from routing.outbound.windows import CallingHours
from routing.settings import AccountSettings
from routing.staff import Employee, Staff

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)  # a Monday, 13:00 in Moscow
ANNA = Employee(id="anna", name="Anna", crm_user_id="11", extensions=("101",))
OFFICE = Connection(
    account_id="sales",
    id="1",
    name="office",
    kind="generic",
    secret_hash="",
    lines=("+74951230000",),
    settings={"originate_url": "http://pbx.test/call"},
    keys={"originate_token": "t"},
)
MANGO = Connection(
    account_id="sales",
    id="2",
    name="mango",
    kind="mango",
    secret_hash="",
    keys={"api_key": "k", "api_salt": "s"},
)


def account(**outbound: Any) -> Account:
    settings = AccountSettings(outbound=OutboundSettings(**outbound))
    return Account(
        id="sales", name="Sales", base_url="https://x.amocrm.ru", time_zone="Europe/Moscow", state="on",
        state_reason="", state_since=NOW, settings=settings, crm_kind="amo", region="RU", webhook_secret="",
        staff_version=1,
    )  # fmt: skip


def standing(settings: dict[str, Any], **of: Any) -> CampaignStanding:
    told = {"connection": "office", "target": {"kind": "employee", "employee_id": "anna"}, **settings}
    row = CampaignRow(
        account_id="sales", campaign_id="c", name="spring", version=1, settings=CampaignSettings.model_validate(told),
        state="running", reason="by_command", starts_at=None, kept_open_at=None, kept_open_removed=None, created_by="me",
        created_at=NOW, started_at=NOW, finished_at=None,
    )  # fmt: skip
    return dataclasses.replace(
        CampaignStanding(row=row, waiting=7, trouble="", words="", has_template=True), **of
    )


def told(
    settings: dict[str, Any] | None = None,
    *,
    outbound: dict[str, Any] | None = None,
    connection: dict[str, Any] | None = None,
    person: dict[str, Any] | None = None,
    **of: Any,
) -> FindingText:
    pbxs = [dataclasses.replace(OFFICE, **(connection or {})), MANGO]
    staff = Staff.of([ANNA.model_copy(update=person or {})], 1)
    found = running_campaigns([standing(settings or {}, **of)], account(**(outbound or {})), pbxs, staff, NOW)
    [finding] = campaign_findings("sales", "Europe/Moscow", found)
    assert in_words(finding, TEXTS["ru"]).message != in_words(finding, TEXTS["en"]).message
    return in_words(finding, TEXTS["en"])


def test_one_that_can_dial_says_how_many_are_left_and_asks_for_nothing() -> None:
    found = told()
    assert (found.code, found.message, found.remedy) == ("campaign-runs", "runs, numbers left: 7", "")
    assert (found.is_ok, found.is_warning) == (True, False)


THERE = {"engine": "pbx", "connection": "mango", "engine_ref": "1"}
SUNDAYS = {"days": (7,)}


@pytest.mark.parametrize(
    ("given", "code", "is_bad"),
    [
        ({"connection": {"is_on": False}}, "campaign-connection", True),
        ({"connection": {"name": "other"}}, "campaign-connection", True),
        ({"connection": {"settings": {}}}, "campaign-connection", True),
        ({"settings": {**THERE, "connection": "office"}}, "campaign-connection", True),
        ({"person": {"extensions": ()}}, "campaign-nobody", True),
        ({"person": {"crm_user_id": None}}, "campaign-nobody", True),
        ({"person": {"id": "boris"}}, "campaign-nobody", True),
        ({"has_template": False}, "campaign-nobody", True),
        (
            {"settings": {"hours": {"opens": "00:00", "closes": "00:01"}}, "outbound": {"ring_seconds": 60}},
            "campaign-hours-never",
            True,
        ),
        ({"settings": {"hours": SUNDAYS}}, "campaign-hours-far", False),
        ({"outbound": {"hours": CallingHours(**SUNDAYS)}}, "campaign-hours-far", False),
        ({"outbound": {"rate": 0}}, "campaign-paused", False),
        ({"settings": THERE}, "campaign-line", False),
        ({"settings": THERE, "trouble": "edition", "words": "5101"}, "campaign-engine", True),
        ({"settings": THERE, "trouble": "pbx_unreachable"}, "campaign-engine", False),
    ],
)
def test_what_is_in_the_way_is_told_with_what_to_do(given: dict[str, Any], code: str, is_bad: bool) -> None:
    found = told(**given)
    assert (found.code, found.is_ok) == (code, not is_bad)
    assert found.is_warning == (not is_bad and code != "campaign-runs")
    assert bool(found.remedy) == (code != "campaign-runs")


def test_hours_that_are_far_are_told_by_the_clock_of_the_account() -> None:
    assert "until 2026-03-08 09:00" in told({"hours": SUNDAYS}).message


def test_a_contact_centre_is_heard_in_its_own_words() -> None:
    found = told(THERE, trouble="edition", words="no contact centre (5101)")
    assert "the PBX's contract has no contact centre (no contact centre (5101))" in found.message
