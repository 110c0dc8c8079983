"""What a PBX told is kept once, whatever it holds and whatever breaks."""

from __future__ import annotations

from tests.sabotage.sabotage import Sabotage

_INTAKE = "tests/integration/intake"

ROWS = (
    Sabotage(
        name="dedupe-key-at-random",
        hurts="a message that the PBX repeats makes a second call",
        file="gateway/intake/inbox.py",
        old='return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).digest()',
        new="return hashlib.sha256(str(asyncio.get_running_loop().time()).encode()).digest()",
        tests=(
            f"{_INTAKE}/test_calls_to_effects.py::test_events_tripled_and_shuffled_on_two_workers_make_one_contact_and_one_deal",
        ),
    ),
    Sabotage(
        name="accepted-before-the-commit",
        hurts="a message is acknowledged and lost with the database or the process",
        file="gateway/intake/inbox.py",
        old="return await self._group.add(messages)",
        new="asyncio.ensure_future(self._group.add(messages))  # noqa: RUF006\n            return Accepted(False, None)",
        tests=(
            f"{_INTAKE}/test_broken_connections.py::test_a_message_is_never_refused_for_good_because_of_a_broken_connection",
        ),
    ),
    Sabotage(
        name="a-used-call-id-is-the-old-call",
        hurts="the call of another client disappears in yesterday's call of the same id",
        file="gateway/calls/call_ids.py",
        old="if any(m.is_pending for m in messages):",
        new="if not messages:",
        tests=(
            f"{_INTAKE}/test_call_ids_again.py::test_the_id_of_a_missed_call_of_another_client_is_a_call_of_its_own",
        ),
    ),
    Sabotage(
        name="a-timeless-message-is-new-only-once",
        hurts="a PBX that says no times is heard once for each call id and number, and never again",
        file="gateway/intake/inbox.py",
        old="        if not anew:\n            return {}",
        new="        if True:\n            return {}",
        tests=(
            "tests/integration/pbx/test_messages_without_time.py::test_who_answers_again_after_somebody_else_is_told",
        ),
    ),
    Sabotage(
        name="nul-bytes-are-stored",
        hurts="one byte that PostgreSQL cannot hold makes a PBX's messages refused for ever",
        file="gateway/intake/inbox.py",
        old='if "\\0" in text or "\\\\u0000" in text:',
        new="if not text:",
        tests=(
            "tests/unit/gateway/intake/test_inbox_messages.py::test_events_are_valid_json_without_nul_whatever_a_parameter_holds",
        ),
    ),
    Sabotage(
        name="any-time-is-believed",
        hurts="a telephone whose clock was never set makes calls of the year 1, which nothing can reckon with",
        file="gateway/intake/plausible.py",
        old="if not _is_near(event.at, received_at):",
        new="if event.at is None:",
        tests=("tests/unit/gateway/intake/test_plausible.py::test_a_time_that_cannot_be_is_that_of_receipt",),
    ),
    Sabotage(
        name="the-inbox-holds-any-number-of-bytes",
        hurts="while the database hangs, large messages fill the memory",
        file="gateway/intake/inbox.py",
        old="if self._bytes and self._bytes + size > self._most_bytes:",
        new="if self._bytes < 0:",
        tests=(
            f"{_INTAKE}/test_nothing_is_lost.py::test_an_inbox_that_hangs_holds_no_more_than_so_many_bytes",
        ),
    ),
    Sabotage(
        name="a-broken-connection-is-kept",
        hurts="after a restart of the database no message is stored until the gateway is restarted too",
        file="gateway/intake/inbox.py",
        old="                await self.let_go()\n                fresh, earlier = await self._store_once(messages)",
        new="                fresh, earlier = await self._store_once(messages)",
        tests=(
            f"{_INTAKE}/test_broken_connections.py::test_a_connection_that_broke_is_replaced_and_the_message_stored",
        ),
    ),
    Sabotage(
        name="a-bad-message-fails-its-clients-job",
        hurts="one message that cannot be digested holds up all others of its client, for ever",
        file="gateway/calls/client_job.py",
        old="                dead += await self._dead_letter(message[0], err)",
        new="                raise err",
        tests=(
            f"{_INTAKE}/test_nothing_is_lost.py::test_poison_goes_to_the_desk_and_the_clients_other_events_are_applied",
        ),
    ),
    Sabotage(
        name="jobs-of-dead-workers-rest",
        hurts="the clients whose job a killed worker had are looked at no more",
        file="gateway/calls/queue.py",
        old="revived = await jobs.revive(\n                conn, stalled=timedelta(seconds=self._stalled_seconds), lost=timedelta(seconds=_LOST_SECONDS)\n            )",
        new="revived = 0",
        tests=(f"{_INTAKE}/test_nothing_is_lost.py::test_job_of_a_killed_worker_is_taken_up_by_another",),
    ),
    Sabotage(
        name="the-sweep-finds-nobody",
        hurts="a message whose job was lost waits for the next call of its client",
        file="gateway/calls/queue.py",
        old="            await inbox.enqueue(conn, clients)\n            self._overdue",
        new="            self._overdue",
        tests=(f"{_INTAKE}/test_nothing_is_lost.py::test_event_whose_job_was_lost_is_found_by_the_sweep",),
    ),
    Sabotage(
        name="first-come-first-served-over-all-accounts",
        hurts="the burst of one account holds up the calls of all others for minutes",
        file="gateway/store/intake/inbox.py",
        old="waiting + row_number() OVER (PARTITION BY account_id ORDER BY client_key)::integer AS place",
        new="waiting * 0 AS place",
        tests=(
            f"{_INTAKE}/test_fair_by_account.py::test_a_call_is_worked_on_at_once_while_another_account_has_hundreds_waiting",
        ),
    ),
)
