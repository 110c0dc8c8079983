"""Calls are decided when everything is told, and what cannot be decided stands on the desk."""

from __future__ import annotations

from tests.sabotage.sabotage import Sabotage

_INTAKE = "tests/integration/intake"

ROWS = (
    Sabotage(
        name="no-settle-time",
        hurts="a call is missed although its answer was told a second later",
        file="routing/client_work/call.py",
        old="setup.now >= row.heard_at + setup.settle_time)",
        new="setup.now >= row.heard_at)",
        tests=(f"{_INTAKE}/test_calls_to_effects.py::test_missed_call_waits_for_the_settle_time",),
    ),
    Sabotage(
        name="missed-stays-missed",
        hurts="a client is called back who has talked already: the answer that came late is ignored",
        file="routing/client_work/call.py",
        old="if MISSED in done and not row.call.is_answered else done",
        new="if MISSED in done else done",
        tests=(
            f"{_INTAKE}/test_calls_to_effects.py::test_answer_that_comes_after_the_settle_time_completes_the_task",
        ),
    ),
    Sabotage(
        name="a-talk-without-end-goes-on-for-ever",
        hurts="after one lost hangup no missed call of this client is called back",
        file="routing/client_work/cases.py",
        old="until = max(at, min(now, _last_word(row) + UNFINISHED))",
        new="until = max(at, now)",
        tests=(
            f"{_INTAKE}/test_talks_without_end.py::test_missed_calls_after_a_talk_whose_hangup_was_lost_get_their_task",
        ),
    ),
    Sabotage(
        name="clocks-of-pbxs-are-compared",
        hurts="a missed call of a PBX whose clock is behind is taken for returned",
        file="routing/client_work/cases.py",
        old="at=row.call.started_at + row.clock_offset,",
        new="at=row.call.started_at,",
        tests=(
            f"{_INTAKE}/test_talks_without_end.py::test_a_missed_call_of_a_pbx_whose_clock_is_behind_is_after_the_talk",
        ),
    ),
    Sabotage(
        name="clocks-of-pbxs-are-compared-when-held-tasks-are-sent",
        hurts="the task of a call missed during an outage is dropped, since an earlier talk of a PBX whose clock is ahead seems later",
        file="crm/effects/store/runs.py",
        old="max(started_at + clock_offset) AS at FROM call",
        new="max(started_at) AS at FROM call",
        tests=(
            "tests/integration/crm/test_backfill.py::test_whether_a_client_was_reached_since_is_seen_though_clocks_of_pbxs_differ",
        ),
    ),
    Sabotage(
        name="a-short-call-is-put-right-by-the-clock-of-its-connection",
        hurts="a quick talk of a PBX whose clock is ahead hides the client's missed calls of the next minutes",
        file="gateway/calls/client_job.py",
        old="        if offset is None:\n            heard_at = min(",
        new="        if offset is None and not told:\n            heard_at = min(",
        tests=(
            f"{_INTAKE}/test_talks_without_end.py::test_a_talk_of_less_than_a_second_hides_no_later_missed_call_though_the_clock_is_ahead",
        ),
    ),
    Sabotage(
        name="a-clock-that-is-mended-moves-no-earlier-call",
        hurts="a recording that comes after the PBX's clock was mended moves its talk behind a missed call, whose case is closed",
        file="gateway/calls/client_job.py",
        old="            heard_at = min(row.received_at for row, _ in messages)",
        new="            heard_at = max(row.received_at for row, _ in messages)",
        tests=(
            f"{_INTAKE}/test_talks_without_end.py::test_a_recording_that_comes_when_the_clock_is_mended_closes_no_case",
        ),
    ),
    Sabotage(
        name="lost-hangups-are-waited-for",
        hurts="a call whose hangup never came leaves nothing in the CRM",
        file="routing/client_work/call.py",
        old="if over_at is not None and setup.now >= over_at:",
        new="if over_at is not None and setup.now < over_at:",
        tests=(f"{_INTAKE}/test_calls_to_effects.py::test_hangup_that_never_comes_is_replaced_by_a_timer",),
    ),
    Sabotage(
        name="an-end-that-cannot-be-decided-is-tried-for-ever",
        hurts="a missed call that the rules cannot digest is nowhere: no task, nothing on the desk",
        file="gateway/calls/client_job.py",
        old="            await self._decision_failed(err)\n",
        new="",
        tests=(
            f"{_INTAKE}/test_what_cannot_be_decided.py::test_a_call_whose_end_cannot_be_decided_is_set_aside_and_tried_again_when_a_person_says_so",
        ),
    ),
    Sabotage(
        name="a-failed-escalation-fails-the-job",
        hurts="a case that cannot be handed on keeps every new call of its client waiting",
        file="gateway/calls/client_job.py",
        old='        if may_pass(err):\n            raise\n        log.error("escalation-failed"',
        new='        if err:\n            raise\n        log.error("escalation-failed"',
        tests=(
            f"{_INTAKE}/test_what_cannot_be_decided.py::test_a_case_that_cannot_be_handed_on_costs_no_call_of_its_client",
        ),
    ),
    Sabotage(
        name="a-dead-message-owns-its-call",
        hurts="messages after one on the desk wait for ever, and two jobs chase them",
        file="gateway/calls/client_job.py",
        old='if r.client and r.state != "dead"',
        new="if r.client",
        tests=(
            f"{_INTAKE}/test_what_cannot_be_decided.py::test_a_message_without_number_after_a_dead_one_is_applied_and_nobody_chases_it",
        ),
    ),
    Sabotage(
        name="failing-clients-are-asked-for-without-pause",
        hurts="clients whose job fails keep the workers busy and hide the others' overdue ones",
        file="gateway/calls/queue.py",
        old="            self._overdue.found(clients, now)\n",
        new="",
        tests=(
            f"{_INTAKE}/test_what_cannot_be_decided.py::test_clients_whose_job_fails_are_asked_for_less_and_less_and_hide_no_other_accounts",
        ),
    ),
    Sabotage(
        name="a-client-is-not-locked",
        hurts="a missed call is not counted when a person gives the task away in the same moment",
        file="gateway/store/calls/calls.py",
        old="    await locks.take(conn, locks.client(account_id, client_key))",
        new="    return",
        tests=(
            f"{_INTAKE}/test_simultaneous_work.py::test_a_missed_call_is_counted_while_a_person_gives_the_task_of_its_case_away",
        ),
    ),
    Sabotage(
        name="a-call-is-not-locked",
        hurts="a call loses its client when a message without number is worked on at the same time",
        file="gateway/store/calls/calls.py",
        old="        await locks.take(conn, locks.call(account_id, connection_id, call_key))",
        new="        pass",
        tests=(
            f"{_INTAKE}/test_simultaneous_work.py::test_a_call_keeps_its_client_while_a_message_of_it_without_number_is_worked_on",
        ),
    ),
    Sabotage(
        name="an-account-that-is-off-orders-as-ever",
        hurts="what was decided while the account was off is sent as soon as it is on, without anybody's choice",
        file="gateway/calls/call.py",
        old="        held=context.is_held,",
        new="        held=False,",
        tests=(f"{_INTAKE}/test_calls_to_effects.py::test_account_that_is_off_decides_and_holds_everything",),
    ),
    Sabotage(
        name="a-placed-call-that-nobody-confirmed-counts-as-refused",
        hurts="a client is called twice: the link broke after the order was written, and it is placed again",
        file="gateway/pbx/asterisk/originate/originator.py",
        old="            if is_written:\n",
        new="            if False:\n",
        tests=(
            "tests/integration/asterisk/test_originate.py::test_a_link_that_breaks_after_the_order_leaves_it_unknown",
        ),
    ),
)
