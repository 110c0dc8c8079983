"""The company's own numbers are found in calls however they were written down."""

from __future__ import annotations

from datetime import UTC, datetime

from gateway.configuration import number_policy
from gateway.store.admin.accounts import Account
from routing.numbers.normalise import PublicNumber, normalise
from routing.settings import AccountSettings, NumberPolicy
from routing.staff import Staff


def test_an_own_number_in_another_spelling_is_ours() -> None:
    written = NumberPolicy(own_numbers=frozenset({"8 (495) 123-00-09", "+49 30 123456"}))
    account = Account(
        id="sales", name="Sales", base_url="https://x.amocrm.ru", time_zone="Europe/Moscow", state="on",
        state_reason="", state_since=datetime(2026, 11, 2, tzinfo=UTC), settings=AccountSettings(numbers=written),
        crm_kind="amo", region="RU", webhook_secret="", staff_version=1,
    )  # fmt: skip
    policy = number_policy(account, None, [], Staff())
    for told in ("+74951230009", "84951230009", "+4930123456"):
        number = normalise(told, policy)
        assert isinstance(number, PublicNumber)
        assert number.is_own, told
    other = normalise("+74951230008", policy)
    assert isinstance(other, PublicNumber)
    assert not other.is_own
