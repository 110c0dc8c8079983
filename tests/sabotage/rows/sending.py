"""A text is committed before it goes out, and what a client, the hour and the provider say of it is heeded."""

from __future__ import annotations

from tests.sabotage.sabotage import Sabotage

_SENDING = "tests/integration/sms_sending"
_KILLED = f"{_SENDING}/test_misbehaving.py::test_a_worker_that_is_killed_while_it_sends_leaves_nothing_that_is_sent_twice"

ROWS = (
    Sabotage(
        name="a-text-goes-out-uncommitted",
        hurts="a worker that is killed as it sends leaves a text that the next one sends again",
        file="gateway/store/sms/turns.py",
        old="    progress = claimed(row.as_progress)\n",
        new="    progress = row.as_progress\n",
        tests=(_KILLED,),
    ),
    Sabotage(
        name="a-text-that-was-broken-off-is-sent-again",
        hurts="a client gets a text twice whenever a worker is killed behind the request",
        file="gateway/sms/sender.py",
        old="await self._answered(row.own_id, SmsUnknown(why=SmsDoubt.NO_ANSWER))",
        new='await self._answered(row.own_id, SmsRefused(reason=SmsReason.NOT_REACHED, words=""))',
        tests=(_KILLED,),
    ),
    Sabotage(
        name="stop-of-a-client-is-ignored",
        hurts="who wrote STOP is written to again",
        file="gateway/sms/incoming.py",
        old="    if row.is_opt_out:\n",
        new="    if False:\n",
        tests=(
            f"{_SENDING}/test_incoming.py::test_stop_in_two_parts_in_any_order_drops_what_waits_for_the_number",
        ),
    ),
    Sabotage(
        name="the-list-is-not-looked-at-before-a-text-leaves",
        hurts="who wrote STOP a minute ago gets the text that was written before",
        file="gateway/sms/stale.py",
        old="if row.employee_id is None and await do_not_call.is_listed(conn, row.account_id, row.number):",
        new="if False:",
        tests=(
            f"{_SENDING}/test_misbehaving.py::test_who_comes_onto_the_list_while_their_text_waits_at_the_provider_gets_none",
        ),
    ),
    Sabotage(
        name="texts-go-out-at-night",
        hurts="a client is woken by a text",
        file="gateway/sms/writing.py",
        old="hours = _ANY_HOUR if action.any_hour else outbound.hours",
        new="hours = _ANY_HOUR",
        tests=(
            f"{_SENDING}/test_texts.py::test_at_night_it_waits_for_the_morning_of_the_client_and_is_written_then",
        ),
    ),
    Sabotage(
        name="reports-are-not-judged-at-the-door",
        hurts="whoever knows the address says that texts were delivered",
        file="gateway/sms/door.py",
        old="        if kind.is_genuine(inbound, saved.connection) is False:\n",
        new="        if False:\n",
        tests=(
            "tests/integration/api/test_sms_messages.py::test_a_test_is_queued_listed_and_settled_by_a_signed_report_only",
        ),
    ),
    Sabotage(
        name="a-report-before-the-answer-is-lost",
        hurts="a text that arrived at once counts as never reported",
        file="gateway/sms/sender.py",
        old="            await take_early_reports(conn, row, can, now)\n",
        new="",
        tests=(
            f"{_SENDING}/test_misbehaving.py::test_reports_that_come_early_twice_late_or_of_nobody_settle_it_once",
        ),
    ),
    Sabotage(
        name="a-provider-without-money-is-asked-on-and-on",
        hurts="every text of the queue is refused, one by one, and nobody is told",
        file="gateway/sms/sender.py",
        old="        if refusal.failure_class is FailureClass.ACCOUNT:\n",
        new="        if False:\n",
        tests=(
            f"{_SENDING}/test_misbehaving.py::test_money_that_ends_stops_the_provider_once_and_what_waits_goes_out_when_there_is_some",
        ),
    ),
    Sabotage(
        name="texts-go-out-as-fast-as-they-can",
        hurts="a provider throttles or blocks the account",
        file="gateway/sms/sender.py",
        old="next_at = now + timedelta(seconds=self._gap_seconds)",
        new="next_at = now",
        tests=(
            f"{_SENDING}/test_misbehaving.py::test_two_senders_at_once_keep_one_pace_and_send_each_message_once",
        ),
    ),
)
