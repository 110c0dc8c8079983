"""Numbers that messengers tell are read by the account's rules; numbers of abroad stay what they are."""

from __future__ import annotations

import pytest
from phonenumbers import PhoneNumberFormat, PhoneNumberType, example_number_for_type, format_number

from gateway.channels.numbers import client_number
from routing.settings import NumberPolicy
from tests.fakes.channels.sandbox import client_message
from tests.integration.channels.shop import RULES, ChatShop
from tests.integration.intake.office import ACCOUNT


@pytest.mark.parametrize("is_on", [True, False])
@pytest.mark.parametrize("home", ["RU", "KZ", "KR", "JP", "CN"])
@pytest.mark.parametrize("region", ["KR", "JP", "CN", "VN", "HK", "TW"])
def test_case_50_numbers_of_asia_are_never_spoiled(region: str, home: str, is_on: bool) -> None:
    policy = NumberPolicy(region=home, eight_is_plus_seven=is_on)
    for kind in (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE):
        example = example_number_for_type(region, kind)
        assert example is not None
        number = format_number(example, PhoneNumberFormat.E164)
        assert client_number(number, policy) == number
        if region in ("KR", "JP", "CN"):
            assert client_number(number[1:], policy) == number


def test_case_50_an_eight_is_plus_seven_where_that_is_switched_on() -> None:
    on, off = (NumberPolicy(region="KR", eight_is_plus_seven=is_on) for is_on in (True, False))
    for told in ("+89161234567", "8 (916) 123-45-67", "89161234567"):
        assert (client_number(told, on), client_number(told, off)) == ("+79161234567", "")
    assert (client_number("84912345678", on), client_number("84912345678", off)) == (
        "+74912345678",
        "+84912345678",
    )


async def test_case_50_the_channels_own_switch_counts_and_else_the_accounts(shop: ChatShop) -> None:
    await shop.pool.execute("UPDATE account SET region = 'KR' WHERE account_id = $1", ACCOUNT)
    off = RULES.model_copy(update={"eight_to_seven": False})
    await shop.connect("c2", "Сеул", off)
    await shop.told(client_message("m1", chat="1", phone="+89161234567"))
    await shop.told(client_message("m1", chat="1", phone="+89161234567"), channel="c2")
    await shop.told(client_message("m2", chat="2", phone="+821012345678"))
    await shop.told(client_message("m3", chat="3", phone="not a number"))
    dialogues = {
        (d["channel_id"], d["chat_id"]): (d["number"], d["client_key"]) for d in await shop.dialogues()
    }
    assert dialogues == {
        ("c1", "1"): ("+79161234567", "+79161234567"),
        ("c2", "1"): (None, "chat:c2:1"),
        ("c1", "2"): ("+821012345678", "+821012345678"),
        ("c1", "3"): (None, "chat:c1:3"),
    }
