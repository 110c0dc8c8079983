"""A campaign that has ended stays so, and nobody is in it twice."""

from __future__ import annotations

from tests.sabotage.sabotage import Sabotage

_RUNNING = "tests/integration/campaigns/test_running.py"
_CENTRE = "tests/integration/campaigns/test_contact_centre.py"
_STATES = "tests/unit/campaigns/test_states.py"

ROWS = (
    Sabotage(
        name="a-finished-campaign-takes-numbers",
        hurts="a client is put where nobody ever calls, and nobody is told",
        file="campaigns/states.py",
        old='return state not in ("stopping", "finished")',
        new="return True",
        tests=(
            f"{_STATES}::test_what_has_finished_obeys_nobody",
            f"{_RUNNING}::test_51_what_a_trigger_adds_to_a_finished_campaign_is_refused_with_its_reason",
        ),
    ),
    Sabotage(
        name="a-finished-campaign-starts-again",
        hurts="clients are called by a campaign that was ended months ago",
        file="campaigns/states.py",
        old='"paused": "running", "running": "running"}',
        new='"paused": "running", "running": "running", "finished": "running"}',
        tests=(f"{_STATES}::test_what_has_finished_obeys_nobody",),
    ),
    Sabotage(
        name="a-campaign-ends-between-two-numbers",
        hurts="a campaign that is fed by the pipeline ends at the first quiet moment and never starts again",
        file="campaigns/states.py",
        old="is_open_ended = is_endless or load.is_kept_open",
        new="is_open_ended = is_endless",
        tests=(f"{_STATES}::test_one_that_is_endless_or_kept_open_never_does",),
    ),
    Sabotage(
        name="the-row-that-was-taken-out-comes-back",
        hurts="a campaign that a person let end never ends",
        file="campaigns/keep_open.py",
        old="or row.made_at is not None else replace(row, made_at=now)",
        new="or row.holds else replace(row, made_at=now, removed_at=None)",
        tests=(
            f"{_STATES}::test_the_first_number_of_a_trigger_makes_the_technical_row_and_no_later_one_does",
        ),
    ),
    Sabotage(
        name="a-number-twice-in-a-list",
        hurts="a client whose number stands twice in a list is called twice",
        file="campaigns/list_rows.py",
        old='return "twice_in_list" if number.e164 in self.seen else None',
        new="return None",
        tests=(
            "tests/unit/campaigns/test_lists.py::test_each_row_says_what_is_wrong_with_it_and_keeps_no_other_out",
        ),
    ),
    Sabotage(
        name="a-number-waits-twice-in-a-campaign",
        hurts="a client with two deals is called twice by one campaign",
        file="gateway/store/campaigns/adding.py",
        old="    WHERE campaign_member.ended_at IS NOT NULL\n",
        new="",
        tests=(
            f"{_RUNNING}::test_53_a_number_that_is_there_already_is_linked_and_one_that_was_called_is_called_anew",
        ),
    ),
    Sabotage(
        name="who-does-not-want-calls-comes-in",
        hurts="a client who asked not to be called stands in the queue of a campaign",
        file="gateway/campaigns/taking_in.py",
        old='return "do_not_call" if await is_listed(conn, item.account_id, number, row.name) else None',
        new="return None",
        tests=(f"{_RUNNING}::test_own_numbers_and_those_who_do_not_want_it_do_not_come_in",),
    ),
    Sabotage(
        name="finished-by-hand-goes-on-calling",
        hurts="a campaign that was ended in a hurry goes on ringing those who were tried already",
        file="gateway/campaigns/running.py",
        old='tried_too=row.reason == "finished_by_hand"',
        new="tried_too=False",
        tests=(f"{_RUNNING}::test_who_was_on_the_line_when_it_was_finished_is_not_tried_again",),
    ),
    Sabotage(
        name="a-lost-answer-of-a-contact-centre-is-no-answer",
        hurts="a client stands twice in a contact centre's campaign, and is called twice",
        file="gateway/campaigns/engine_sending.py",
        old='await store.save_task(conn, task, "lost", words=why)',
        new="await store.unmark(conn, task)",
        tests=(f"{_CENTRE}::test_54_an_answer_that_is_lost_is_looked_for_before_anything_is_sent_again",),
    ),
    Sabotage(
        name="what-one-list-does-not-show-is-sent-again",
        hurts="a client whom the contact centre takes in slowly is called twice",
        file="campaigns/engine.py",
        old="    if looks < LOOKS:",
        new="    if looks < 0:",
        tests=(
            "tests/unit/gateway/pbx/test_mango_contact_centre.py"
            "::test_54_only_what_whole_lists_do_not_show_is_sent_again_and_what_was_taken_never",
        ),
    ),
)
