"""Triggers: what stands between one change and two calls to a client."""

from __future__ import annotations

from tests.sabotage.sabotage import Sabotage

ROWS = (
    Sabotage(
        name="a-hook-and-the-change-are-two-entrances",
        hurts="a client is called twice for one move that was told in two ways",
        file="gateway/store/triggers/firings.py",
        old="AND source = 'hook' AND event_id IS NULL",
        new="AND source = 'nobody' AND event_id IS NULL",
        tests=(
            "tests/integration/triggers/test_firings.py::test_case_1_a_hook_that_comes_first_is_the_entrance_that_the_webhook_tells_of",
        ),
    ),
    Sabotage(
        name="a-circle-goes-on",
        hurts="a deal that our own outcome moves round and round rings its client for ever",
        file="routing/triggers/decide.py",
        old="if lately.fired >= MOST_FIRINGS:",
        new="if lately.fired < 0:",
        tests=(
            "tests/integration/triggers/test_firings.py::test_case_7_our_own_moves_fire_too_and_a_circle_stops_after_five",
        ),
    ),
    Sabotage(
        name="a-firing-that-cannot-be-decided-stops-the-others",
        hurts="one deal that the program fails over keeps everybody else's calls and texts from going out",
        file="gateway/triggers/reading.py",
        old="if may_pass(err):\n                raise",
        new="if err:\n                raise",
        tests=(
            "tests/integration/triggers/test_one_bad_firing.py::test_a_firing_that_cannot_be_decided_holds_up_no_other",
        ),
    ),
    Sabotage(
        name="a-silent-crm-is-asked-for-ever",
        hurts="a text goes out weeks after its reason",
        file="gateway/triggers/reading.py",
        old="_GIVEN_UP_AFTER = timedelta(days=1)",
        new="_GIVEN_UP_AFTER = timedelta(days=1000)",
        tests=(
            "tests/integration/triggers/test_firings.py::test_after_a_day_of_a_silent_crm_a_firing_is_given_up_with_its_reason",
        ),
    ),
    Sabotage(
        name="what-was-switched-off-goes-out",
        hurts="a trigger that was switched off in a hurry goes on ringing people",
        file="gateway/store/triggers/triggers.py",
        old='        await conn.execute(_DROP, account_id, trigger.name, "switched_off")\n',
        new="        pass\n",
        tests=(
            "tests/integration/triggers/test_firings.py::test_case_8_what_a_trigger_that_is_switched_off_has_queued_is_dropped",
        ),
    ),
)
