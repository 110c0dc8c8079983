"""Which addresses the keys of an account go to."""

from __future__ import annotations

import pytest

from crm.amocrm.wire_oauth import UntrustedAddress, is_same_place, moved_address, trusted_address

NAMED = frozenset({"crm.example", "crm.example:8443", "http://sandbox:8090"})


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("https://Name.amoCRM.ru/", "https://name.amocrm.ru"),
        (" https://name.kommo.com ", "https://name.kommo.com"),
        ("http://127.0.0.1:8090", "http://127.0.0.1:8090"),
        ("http://localhost:8090/", "http://localhost:8090"),
        ("https://crm.example", "https://crm.example"),
        ("https://crm.example:8443", "https://crm.example:8443"),
        ("http://sandbox:8090", "http://sandbox:8090"),
    ],
)
def test_what_is_trusted_is_stored_as_scheme_and_host(typed: str, stored: str) -> None:
    assert trusted_address(typed, NAMED) == stored


@pytest.mark.parametrize(
    "typed",
    ["http://crm.example", "https://crm.example:1", "https://sandbox:8090", "https://evil.crm.example"],
)
def test_a_named_host_is_that_host_only(typed: str) -> None:
    with pytest.raises(UntrustedAddress):
        trusted_address(typed, NAMED)


@pytest.mark.parametrize(
    ("now", "said", "found"),
    [
        ("https://a.amocrm.ru", "b.kommo.com", "https://b.kommo.com"),
        ("https://a.amocrm.ru", "crm.example", "https://crm.example"),
        ("https://a.amocrm.ru", "sandbox:8090", "http://sandbox:8090"),
        ("https://a.amocrm.ru", "127.0.0.1:80", None),
        ("https://a.amocrm.ru", "evil.example/b.amocrm.ru", None),
        ("https://a.amocrm.ru", "u@b.amocrm.ru", None),
        ("http://127.0.0.1:1", "127.0.0.1:2", "http://127.0.0.1:2"),
        ("http://127.0.0.1:1", "127.0.0.1:2/x", None),
        ("http://127.0.0.1:1", "10.0.0.1", None),
        ("http://old.example", "old.example", "http://old.example"),
    ],
)
def test_an_account_moves_to_hosts_of_the_vendor(now: str, said: str, found: str | None) -> None:
    """What a token or a browser says of it is not believed further."""
    assert moved_address(now, said, NAMED) == found


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("https://a.amocrm.ru", "https://a.amocrm.ru", True),
        ("https://a.amocrm.com", "https://a.kommo.com", True),
        ("https://a.amocrm.ru", "https://b.amocrm.ru", False),
        ("https://a.amocrm.ru", "https://a.crm.example", False),
        ("https://a.crm.example", "https://a.other.example", False),
        ("https://crm.example:8443", "https://crm.example", False),
        ("http://127.0.0.1:1", "http://127.0.0.1:2", False),
        ("http://127.0.0.1:1", "http://127.0.0.2:1", False),
    ],
)
def test_a_name_is_enough_between_hosts_of_the_vendor_only(one: str, other: str, is_same: bool) -> None:
    assert is_same_place(one, other) is is_same
