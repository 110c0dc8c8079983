"""What is ordered happens in the CRM once."""

from __future__ import annotations

from tests.sabotage.sabotage import Sabotage

_SIMULATION = "tests/unit/crm/effects/test_writer_simulation.py::test_every_effect_happens_exactly_once_or_sits_on_the_desk"
_WRITER = "tests/integration/crm/test_writer.py"
_BACKFILL = "tests/integration/crm/test_backfill.py"
_DOUBTS = "tests/integration/crm/test_writer_doubts.py"
_NOTES = "tests/integration/crm/test_writer_notes.py"

ROWS = (
    Sabotage(
        name="no-look-before-sending-again",
        hurts="after a lost answer everything of the request is there twice",
        file="crm/effects/sender.py",
        old="findable = [s for s in stored if not outcomes.is_repeatable(s)]",
        new="findable: list[StoredEffect] = []",
        tests=(_SIMULATION,),
    ),
    Sabotage(
        name="no-intent-before-the-request",
        hurts="whoever takes over, or looks again, sends once more what is under way",
        file="crm/effects/store/work.py",
        old="UPDATE effect SET state = 'sending', attempts = attempts + 1, sent_at = $3, next_try_at = NULL\nWHERE account_id",
        new="UPDATE effect SET attempts = attempts + 1, sent_at = $3, next_try_at = NULL\nWHERE account_id",
        tests=(f"{_WRITER}::test_a_running_writer_stops_sending_when_the_lease_is_lost",),
    ),
    Sabotage(
        name="late-outcomes-are-believed",
        hurts="the answer to an old attempt has an effect sent again that is under way",
        file="crm/effects/store/work.py",
        old=" AND e.attempts = o.attempt",
        new="",
        tests=(
            "tests/integration/test_effect_systems.py::test_the_late_outcome_of_an_attempt_that_was_given_up_changes_nothing",
        ),
    ),
    Sabotage(
        name="late-outcomes-of-other-systems-are-believed",
        hurts="the same for whatever is sent to other systems than the CRM",
        file="runtime/effects/store.py",
        old="effect_key = $3 AND attempts = $4",
        new="effect_key = $3 AND $4::int IS NOT NULL",
        tests=("tests/integration/test_effect_systems.py::test_the_same_for_what_is_sent_to_another_system",),
    ),
    Sabotage(
        name="no-catch-up-before-creating",
        hurts="a contact that somebody made by hand a moment ago is made once more",
        file="crm/effects/writer.py",
        old="        if creates:\n            await self._be_up_to_date(batch, now)\n",
        new="",
        tests=("tests/unit/crm/effects/test_writer_catch_up.py::test_it_never_waits_behind_a_long_sync",),
    ),
    Sabotage(
        name="a-poll-of-a-moment-ago-is-a-catch-up",
        hurts="the directory that is believed before something is created is seconds old",
        file="crm/sync/sync.py",
        old="max_age: float = 0.0\n    ) -> bool:",
        new="max_age: float = 2.0\n    ) -> bool:",
        tests=(
            "tests/integration/crm/test_sync_polls.py::test_catching_up_believes_no_poll_of_a_moment_ago",
        ),
    ),
    Sabotage(
        name="what-is-there-already-is-made-anyway",
        hurts="a contact that the directory has learnt of since the call is made once more",
        file="crm/effects/sender.py",
        old="            outcome = outcome or outcomes.already_there(effect, known.get(effect.client))\n",
        new="",
        tests=(f"{_WRITER}::test_a_contact_made_by_hand_meanwhile_is_used_and_not_doubled",),
    ),
    Sabotage(
        name="two-creations-of-one-client-at-once",
        hurts="two calls of a new client make two contacts",
        file="crm/effects/batching.py",
        old="    creating: set[str] = set(busy)",
        new="    creating: set[str] = set()",
        tests=(
            "tests/unit/crm/effects/test_batching.py::test_a_client_for_whom_something_is_being_created_waits",
        ),
    ),
    Sabotage(
        name="a-found-deal-is-found-twice",
        hurts="two deals of one client that were in doubt become one, and a call is lost in the other's",
        file="crm/effects/verify.py",
        old="                taken = taken | set(found.ids.values())\n            case CreateLead",
        new="            case CreateLead",
        tests=(f"{_DOUBTS}::test_of_two_alike_whose_answer_was_lost_each_is_found",),
    ),
    Sabotage(
        name="what-cannot-be-read-is-not-there",
        hurts="something that was written and reads oddly is written again",
        file="crm/effects/sender.py",
        old="if is_unclear and effect.key not in found.ids and not gives_up:",
        new="if is_unclear and gives_up and not gives_up:",
        tests=(
            "tests/integration/crm/test_odd_answers_to_writes.py::test_what_was_written_and_cannot_be_read_is_not_written_again",
        ),
    ),
    Sabotage(
        name="a-deal-is-looked-for-before-its-contact",
        hurts="a new client's deal is made twice when the worker restarts while nobody knows what became of the contact",
        file="crm/effects/store/work.py",
        old="                      AND n.state = 'unknown')\n)",
        new="                      AND n.state = 'nothing')\n)",
        tests=(f"{_DOUBTS}::test_a_deal_is_not_told_from_while_it_is_unknown_what_became_of_its_contact",),
    ),
    Sabotage(
        name="one-bad-item-fails-its-batch",
        hurts="an order that the CRM will not have takes all others of its request to the desk",
        file="crm/effects/sender.py",
        old="return [outcomes.refused(s, error) if s in bad else outcomes.again(s) for s in stored]",
        new="return [outcomes.refused(s, error) for s in stored]",
        tests=(f"{_DOUBTS}::test_whom_a_refusal_names_goes_to_the_desk_and_the_others_are_sent_again",),
    ),
    Sabotage(
        name="changes-overtake-each-other",
        hurts="an older change of a task arrives after a newer one and stays",
        file="crm/effects/store/work.py",
        old="AND p.seq < e.seq AND p.state IN ('waiting', 'sending', 'unknown')))",
        new="AND p.seq < e.seq AND p.state IN ('held')))",
        tests=(f"{_DOUBTS}::test_a_later_change_waits_for_an_earlier_one_in_doubt",),
    ),
    Sabotage(
        name="one-refusal-breaks-the-account",
        hurts="a single 401 of the CRM's own trouble stops an account until a person acts",
        file="crm/effects/sender.py",
        old="is_confirmed = permit.is_probe and self.breaker.state.reason == error.code",
        new="is_confirmed = True",
        tests=(f"{_WRITER}::test_one_refusal_of_the_key_breaks_nothing",),
    ),
    Sabotage(
        name="what-was-held-is-sent-when-the-account-comes-back",
        hurts="after an outage thousands of old tasks arrive without anybody's choice",
        file="gateway/store/admin/accounts.py",
        old="        \"UPDATE account SET state = 'on', state_reason = '', state_since = now()\"\n        \" WHERE account_id = $1 AND state = 'broken' AND state_since = $2\",",
        new="        \"WITH freed AS (UPDATE effect SET state = 'waiting' WHERE account_id = $1 AND state = 'held')\"\n        \" UPDATE account SET state = 'on', state_reason = '', state_since = now()\"\n        \" WHERE account_id = $1 AND state = 'broken' AND state_since = $2\",",
        tests=(
            "tests/integration/crm/test_account_comes_back.py::test_an_account_comes_back_by_itself_and_what_was_held_waits_for_a_persons_choice",
        ),
    ),
    Sabotage(
        name="a-backfill-sends-all-there-is",
        hurts="calls of weeks ago get tasks and deals today",
        file="crm/effects/backfill.py",
        old='open_keys = [key for key, row in by_key.items() if window.takes(row["at"])]',
        new="open_keys = [*by_key]",
        tests=(f"{_BACKFILL}::test_the_preview_says_what_the_run_then_does",),
    ),
    Sabotage(
        name="a-backfill-calls-back-whom-somebody-reached",
        hurts="clients are called back who were talked with during the outage",
        file="crm/effects/backfill.py",
        old='    return bool(reached[row["client"]] > row["at"])',
        new="    return False",
        tests=(f"{_BACKFILL}::test_the_preview_says_what_the_run_then_does",),
    ),
    Sabotage(
        name="a-held-text-comes-after-a-later-one",
        hurts="a note says again what was corrected, as soon as a backfill sends what was held",
        file="crm/effects/store/orders.py",
        old="e.state IN ('waiting', 'held', 'dead')",
        new="e.state IN ('dead')",
        tests=(f"{_NOTES}::test_what_was_held_does_not_come_after_a_later_text",),
    ),
    Sabotage(
        name="a-later-text-does-not-wait-for-one-in-doubt",
        hurts="a note says again what was corrected, after an answer was lost",
        file="crm/effects/store/work.py",
        old="e.what NOT IN ('update_entity', 'change_task', 'change_note')",
        new="e.what NOT IN ('update_entity', 'change_task')",
        tests=(f"{_NOTES}::test_a_text_in_doubt_is_sent_again_before_the_later_one",),
    ),
)
