"""A call that goes out is placed once, at the right hour, to who may be called."""

from __future__ import annotations

from tests.sabotage.sabotage import Sabotage

_OUTBOUND = "tests/integration/outbound"

ROWS = (
    Sabotage(
        name="a-lost-claim-is-placed-all-the-same",
        hurts="a client is rung twice: by the worker that was only slow, and by the one that took over",
        file="gateway/store/outbound/attempts.py",
        old="WHERE account_id = $1 AND attempt_id = $2 AND state = 'claimed' AND claimed_at > $5 RETURNING attempt_id",
        new="WHERE account_id = $1 AND attempt_id = $2 AND claimed_at > $5 RETURNING attempt_id",
        tests=(
            f"{_OUTBOUND}/test_recovery.py::test_case_17_what_was_claimed_and_never_begun_waits_again_and_its_worker_may_not_begin_it",
        ),
    ),
    Sabotage(
        name="what-lay-long-is-placed",
        hurts="a client is rung who was talked with while the worker stood still",
        file="gateway/outbound/placing.py",
        old="TOO_LATE = timedelta(seconds=5)",
        new="TOO_LATE = timedelta(hours=5)",
        tests=(f"{_OUTBOUND}/test_recovery.py::test_what_was_claimed_long_ago_is_not_begun_any_more",),
    ),
    Sabotage(
        name="unknown-is-tried-again",
        hurts="a client who was called is called once more, because nothing was heard of the first call",
        file="routing/outbound/retries.py",
        old='return AfterAttempt(do="ask")',
        new='return AfterAttempt(do="retry", rule="unknown")',
        tests=(
            f"{_OUTBOUND}/test_recovery.py::test_case_17_what_was_begun_is_looked_for_and_never_repeated",
        ),
    ),
    Sabotage(
        name="calls-go-out-as-fast-as-they-can",
        hurts="a hundred clients are rung at once, and nobody is there to talk with them",
        file="gateway/outbound/claim.py",
        old="await charge(conn, around.id, moment.now)",
        new="pass",
        tests=(
            f"{_OUTBOUND}/test_dialler.py::test_cases_11_and_12_calls_are_evenly_spread_and_a_new_rate_counts_at_once",
        ),
    ),
    Sabotage(
        name="ringing-goes-on-after-the-window",
        hurts="a client's phone rings at night",
        file="gateway/outbound/facts.py",
        old="takes=timedelta(seconds=outbound.ring_seconds + outbound.client_ring_seconds),",
        new="takes=timedelta(0),",
        tests=(
            f"{_OUTBOUND}/test_what_is_dialled.py::test_cases_22_23_and_24_hours_of_the_client_and_the_end_of_its_time",
        ),
    ),
    Sabotage(
        name="two-on-one-phone-are-two",
        hurts="an employee who talks is rung on the other line, and a client waits in silence",
        file="gateway/outbound/people.py",
        old="if {*person.extensions, *person.sip, *person.numbers} & busy or _is_named(around, person, busy):",
        new="if _is_named(around, person, busy):",
        tests=(
            f"{_OUTBOUND}/test_what_is_dialled.py::test_cases_34_and_36_a_group_all_busy_and_a_phone_of_two",
        ),
    ),
    Sabotage(
        name="a-refusing-pbx-is-asked-on-and-on",
        hurts="a PBX without money gets every call of the queue, and nobody is told",
        file="gateway/outbound/facts.py",
        old="is_connection_stopped=stop is not None and stop.stopped_at is not None,",
        new="is_connection_stopped=False,",
        tests=(f"{_OUTBOUND}/test_dialler.py::test_case_31_a_refusing_pbx_is_stopped_once_and_items_stay",),
    ),
    Sabotage(
        name="what-nobody-heard-counts-as-no-answer",
        hurts="a client who talked while the link to Asterisk was cut is called again, and a task says that nobody answered",
        file="gateway/pbx/asterisk/legs.py",
        old="is_unheard = call.is_unheard or not call.channels[uniqueid].is_leaving",
        new="is_unheard = False",
        tests=(
            "tests/unit/gateway/pbx/test_asterisk_attempts.py::"
            "test_case_35_of_a_call_that_ended_while_nobody_listened_nobody_knows_who_was_reached",
        ),
    ),
    Sabotage(
        name="who-calls-is-called-besides",
        hurts="a client who calls is rung at the same moment by the call back that waited for them",
        file="gateway/outbound/dialler.py",
        old="await withdraw_pointless(self._pool, self._session, around, now)",
        new="pass",
        tests=(
            f"{_OUTBOUND}/test_what_is_dialled.py::"
            "test_case_21_a_client_who_calls_while_the_employees_phone_rings_is_not_called_besides",
        ),
    ),
    Sabotage(
        name="one-contact-rings-at-two-numbers",
        hurts="a client's two phones ring at once, from two employees who do not know of each other",
        file="gateway/store/outbound/known.py",
        old="one.number = $6",
        new="false AND one.number = $6",
        tests=(
            f"{_OUTBOUND}/test_what_is_dialled.py::test_one_contact_is_not_called_at_two_numbers_at_once",
        ),
    ),
    Sabotage(
        name="a-spent-number-is-tried-for-ever",
        hurts="two numbers of a client who does not answer are called in turn, and the item never ends",
        file="gateway/outbound/facts.py",
        old="spent = known.tried - {item.client}",
        new="spent = frozenset[str]()",
        tests=(
            f"{_OUTBOUND}/test_what_is_dialled.py::"
            "test_a_contacts_next_number_is_called_when_the_first_is_given_up",
        ),
    ),
    Sabotage(
        name="the-list-is-not-looked-at-before-a-call",
        hurts="a client is rung who asked not to be called after their call was ordered",
        file="routing/outbound/dialling.py",
        old='"do_not_call" if f.is_on_do_not_call else None, None',
        new="None, None",
        tests=(
            f"{_OUTBOUND}/test_what_is_dialled.py::test_cases_9_10_and_20_what_changed_since_it_was_queued_is_seen",
        ),
    ),
    Sabotage(
        name="a-call-heard-of-half-way-is-taken-for-hung-up",
        hurts="a client whose phone rang in vain is called at once again, as though the employee had hung up",
        file="gateway/pbx/asterisk/legs.py",
        old="turn.calls[found[0].key] = as_listed(*found, was, is_up=is_up)",
        new="pass",
        tests=(
            "tests/unit/gateway/pbx/test_asterisk_attempts.py::test_of_a_call_that_is_first_heard_of_half_way_the_true_side_is_told_or_none",
        ),
    ),
)
