"""Whose extension, SIP login or number an address is."""

from __future__ import annotations

import pytest

from routing.staff import Employee, Staff

ANNA = Employee(id="anna", name="Anna", numbers=("+5491123456789",), sip=("anna@pbx.example",))
STAFF = Staff.of([ANNA])


@pytest.mark.parametrize(
    "address",
    [
        "+5491123456789",
        "+541123456789",
        "sip:+5491123456789@provider.example",
        "anna",
        "sip:ANNA@pbx.example",
    ],
)
def test_an_address_is_its_owners_in_every_spelling(address: str) -> None:
    assert STAFF.employee_at(address) == ANNA


@pytest.mark.parametrize("address", [None, "", "+541123456780", "anna2"])
def test_another_address_is_nobodys(address: str | None) -> None:
    assert STAFF.employee_at(address) is None
