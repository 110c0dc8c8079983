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


def test_what_cannot_be_given_to_somebody_goes_to_deputy_then_senior_then_administrator() -> None:
    people = [
        Employee(id="gone", name="Gone", crm_user_id="1", is_active=False, deputy_id="away"),
        Employee(id="away", name="Away", crm_user_id="2", is_active=False, deputy_id="deputy"),
        Employee(id="deputy", name="Deputy", crm_user_id="3", deputy_id="gone"),
        Employee(id="boss", name="Boss", crm_user_id="4", is_senior=True),
    ]
    staff = Staff.of(people, gone_users=("1", "2"), admin_user="9")
    assert staff.users_instead_of("1") == ("3", "4", "9")
    assert staff.users_instead_of("4") == ("9",)
    assert staff.users_instead_of("of nobody") == ("4", "9")
    assert [staff.is_gone(one) for one in people[:2]] == [True, True]
    assert not staff.is_gone(Employee(id="hired", name="Hired", crm_user_id="99", is_active=False))
    assert not staff.is_gone(None)
    without_boss = Staff.of(people[:3], gone_users=("1", "2", "3"), admin_user="9")
    assert without_boss.users_instead_of("1") == ("9",)


def test_the_deputy_of_a_senior_who_has_left_goes_before_the_administrator() -> None:
    people = [
        Employee(
            id="boss", name="Boss", crm_user_id="4", is_senior=True, is_active=False, deputy_id="deputy"
        ),
        Employee(id="deputy", name="Deputy", crm_user_id="3"),
    ]
    assert Staff.of(people, admin_user="9").users_instead_of("7") == ("3", "9")
