"""Calls at our order: ordered once, of the right phone, and what became of them is what happened."""

from __future__ import annotations

from tests.sabotage.sabotage import Sabotage

_CONTRACT = "tests/contract/test_originators.py"
_ANY_ORDER = "tests/unit/gateway/pbx/test_attempts_in_any_order.py"

ROWS = (
    Sabotage(
        name="an-order-without-answer-is-refused",
        hurts="a client whose order was read and not answered is called a second time",
        file="gateway/pbx/ordering.py",
        old="        if err.was_sent:\n",
        new="        if False:\n",
        tests=(
            f"{_CONTRACT}::test_what_was_read_is_placed_or_unknown_and_never_sent_again[silent-PlaceUnknown-mango]",
        ),
    ),
    Sabotage(
        name="a-name-is-a-variable-of-freeswitch",
        hurts="a client's name in the CRM commands the PBX",
        file="gateway/pbx/freeswitch/originate/orders.py",
        old='sign if sign.isalnum() or sign in _IN_NAMES else " "',
        new="sign",
        tests=("tests/unit/gateway/pbx/test_freeswitch_orders.py::test_no_name_makes_the_order_another_one",),
    ),
    Sabotage(
        name="an-extension-that-does-not-exist-is-the-clients-number",
        hurts="a client whose number is right is never called again, since an employee's phone is not known",
        file="routing/outbound/outcome.py",
        old="if call.failed_side is FailedSide.CLIENT_NOT_REACHED and call.number_word:",
        new="if call.number_word:",
        tests=(
            "tests/unit/gateway/pbx/test_http_orders.py::test_events_of_an_ordered_call_tell_what_it_came_to",
        ),
    ),
    Sabotage(
        name="a-call-forgets-its-attempt",
        hurts="nobody knows which call came of an order, and every one counts as unknown",
        file="routing/calls/fold.py",
        old="attempt=first(self.by_authority, lambda e: e.attempt),",
        new="attempt=None,",
        tests=(f"{_ANY_ORDER}::test_order_and_repetition_change_nothing",),
    ),
    Sabotage(
        name="mango-refuses-later-and-nobody-hears",
        hurts="without money on the account order after order goes out, and each counts as unknown",
        file="gateway/outbound/following.py",
        old="return None if pbx is None or code is None else pbx.kind.order_refused(code)",
        new="return None",
        tests=(
            "tests/integration/outbound/test_late_results.py::test_case_31_a_result_that_comes_later_ends_the_attempt",
        ),
    ),
)
