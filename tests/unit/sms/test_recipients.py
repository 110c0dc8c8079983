"""Who gets a text, and why somebody does not."""

from __future__ import annotations

import pytest

from routing.numbers.mobiles import may_be_mobile
from routing.staff import Employee
from sms.recipients import (
    NumbersOfOurs,
    Recipients,
    SkippedRecipient,
    SkipReason,
    SmsRecipient,
    recipients,
    why_not_offered,
)

CLIENT = "+79161234567"
OURS = NumbersOfOurs(
    own=frozenset(["+79050000001"]),
    employees=frozenset(["+79160000001"]),
    opted_out=frozenset(["+79160000009"]),
)


def employee(
    id: str = "anna", *, extensions: tuple[str, ...] = ("100",), numbers: tuple[str, ...] = ("+79160000001",)
) -> Employee:
    return Employee(id=id, name=id, extensions=extensions, numbers=numbers)


@pytest.mark.parametrize(
    ("number", "is_one"),
    [("+79161234567", True), ("+74951234567", False), ("+78001234567", False), ("+12025550123", True), ("+77011234567", True),
     ("101", False), ("", False)],
)  # fmt: skip
def test_a_mobile_is_known_by_its_range(number: str, is_one: bool) -> None:
    assert may_be_mobile(number) is is_one


def test_client_responsible_and_chosen_ones_get_it_in_their_order() -> None:
    people = [employee(), employee("boris", numbers=("+74951111111", "+79160000002"))]
    assert recipients(CLIENT, people, OURS, is_for_client=True) == Recipients(
        (SmsRecipient(CLIENT), SmsRecipient("+79160000001", "anna"), SmsRecipient("+79160000002", "boris")),
        (),
    )


def test_a_text_for_employees_only_leaves_the_client_alone() -> None:
    assert recipients(CLIENT, [employee()], OURS, is_for_client=False).chosen == (
        SmsRecipient("+79160000001", "anna"),
    )


@pytest.mark.parametrize(
    ("client", "why"),
    [
        (None, SkipReason.NO_NUMBER), ("+74951234567", SkipReason.NOT_MOBILE), ("+79050000001", SkipReason.OWN_NUMBER),
        ("+79160000001", SkipReason.EMPLOYEE_NUMBER), ("+79160000009", SkipReason.OPTED_OUT),
    ],
)  # fmt: skip
def test_a_client_who_cannot_be_written_to_is_skipped_with_a_reason(
    client: str | None, why: SkipReason
) -> None:
    assert recipients(client, [], OURS, is_for_client=True) == Recipients((), (SkippedRecipient(why),))


@pytest.mark.parametrize(
    ("person", "why"),
    [
        (employee(extensions=()), SkipReason.NO_EXTENSION),
        (employee(numbers=()), SkipReason.NO_MOBILE),
        (employee(numbers=("+74951111111",)), SkipReason.NO_MOBILE),
        (employee(), None),
    ],
)
def test_who_has_no_extension_or_no_mobile_is_not_offered_and_gets_nothing(
    person: Employee, why: SkipReason | None
) -> None:
    assert why_not_offered(person) is why
    found = recipients(None, [person], OURS, is_for_client=False)
    assert found.skipped == ((SkippedRecipient(why, "anna"),) if why else ())
    assert len(found.chosen) == (why is None)


def test_two_with_one_number_get_one_text() -> None:
    both = [employee(), employee("boris")]
    found = recipients(CLIENT, both, OURS, is_for_client=True)
    assert [one.number for one in found.chosen] == [CLIENT, "+79160000001"]
    assert found.skipped == (SkippedRecipient(SkipReason.SAME_NUMBER, "boris"),)


def test_a_responsible_who_is_chosen_as_well_is_no_other_person() -> None:
    assert recipients(None, [employee(), employee()], OURS, is_for_client=False) == Recipients(
        (SmsRecipient("+79160000001", "anna"),), ()
    )
