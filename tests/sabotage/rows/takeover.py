"""One process at a time talks to an account's CRM, never faster than it may, and the next one knows what was under way."""

from __future__ import annotations

from tests.sabotage.sabotage import Sabotage

_LEASE = "tests/integration/crm/test_lease.py"
_TRIAL = "tests/integration/crm/test_trial_of_a_key.py"
_TAKEOVER = (
    "tests/integration/crm/test_takeover.py::test_who_takes_over_waits_and_then_finds_what_was_being_sent"
)

ROWS = (
    Sabotage(
        name="a-lease-without-a-lock",
        hurts="two workers write for one account: twice the requests, and the CRM blocks it",
        file="runtime/database/lease.py",
        old="pg_try_advisory_lock(hashtextextended('callmatrix ' || name, 0)) AS is_ours",
        new="true AS is_ours",
        tests=(f"{_LEASE}::test_only_one_holds_the_lease_of_an_account",),
    ),
    Sabotage(
        name="a-lost-lease-goes-unnoticed",
        hurts="a worker that was cut off from the database writes on beside its successor",
        file="runtime/database/lease.py",
        old="        if not self.is_held:\n            self.lost.set()",
        new="        if not self.name:\n            self.lost.set()",
        tests=(f"{_LEASE}::test_only_one_holds_the_lease_of_an_account",),
    ),
    Sabotage(
        name="a-silent-session-is-valid",
        hurts="a frozen worker that wakes up sends before it notices that another one has taken over",
        file="runtime/database/lease.py",
        old="return self._held.get(lease.name) is lease and self._clock() < self._valid_until",
        new="return self._held.get(lease.name) is lease",
        tests=(f"{_LEASE}::test_a_holder_that_cannot_confirm_falls_silent_by_its_own_clock",),
    ),
    Sabotage(
        name="nothing-is-adopted-at-takeover",
        hurts="what a killed worker was sending is never heard of again",
        file="crm/effects/writer.py",
        old="        await self.recover_in_flight()\n        try:",
        new="        try:",
        tests=(_TAKEOVER,),
    ),
    Sabotage(
        name="no-pause-at-takeover",
        hurts="requests of the old and the new worker share a second, and the CRM answers 429",
        file="crm/guarded_budget.py",
        old="            self.open_in(TAKEOVER_SECONDS)",
        new="            self.open_in(0.0)",
        tests=(_TAKEOVER,),
    ),
    Sabotage(
        name="open-before-the-crms-word",
        hurts="whoever takes over from one whose requests a frozen CRM still holds sends its own beside them",
        file="gateway/crm_accounts/account_worker.py",
        old="            budget.took_over()\n",
        new="",
        tests=(
            "tests/integration/crm/test_takeover.py::test_nothing_is_asked_of_a_crm_that_stands_still_before_it_answers_again",
        ),
    ),
    Sabotage(
        name="no-word-of-the-crm-at-takeover",
        hurts="a CRM that stood still counts the old worker's requests together with the new one's",
        file="gateway/crm_accounts/account_worker.py",
        old="asyncio.create_task(budget.open_after(opened.crm.is_answering))",
        new="asyncio.create_task(budget.open_after(lambda: asyncio.sleep(0)))",
        tests=(
            "tests/integration/crm/test_takeover.py::test_nothing_is_asked_of_a_crm_that_stands_still_before_it_answers_again",
        ),
    ),
    Sabotage(
        name="no-quiet-time",
        hurts="a request that is still under way is looked for, not found, and sent again",
        file="crm/effects/sender.py",
        old="quiet_seconds: float = 45.0",
        new="quiet_seconds: float = 0.0",
        tests=(_TAKEOVER,),
    ),
    Sabotage(
        name="slots-are-free-with-the-answer",
        hurts="more than seven requests in a second: the CRM refuses, then blocks the account",
        file="crm/budget.py",
        old="insort(self._cooling, now + self._hold)",
        new="insort(self._cooling, now)",
        tests=(
            "tests/unit/crm/amocrm/test_budget.py::test_no_second_at_the_crm_holds_more_than_the_rate_however_long_requests_take",
        ),
    ),
    Sabotage(
        name="a-trial-beside-the-worker",
        hurts="somebody connects an account that is at work: eight requests in a second, and the CRM answers 429",
        file="crm/borrowed_budget.py",
        old='if not await is_taken(conn, f"crm {self._account_id}"):',
        new="if True:",
        tests=(f"{_TRIAL}::test_trials_beside_a_busy_worker_stay_inside_what_the_crm_allows",),
    ),
    Sabotage(
        name="a-loan-is-given-back-with-its-grant",
        hurts="the worker sends in place of what it has lent",
        file="crm/lending.py",
        old="            await self._until_over(loan_id)",
        new="            slot.unused()",
        tests=(f"{_TRIAL}::test_a_loan_is_a_slot_of_the_lenders_until_a_second_after_it_was_given_back",),
    ),
    Sabotage(
        name="a-killed-borrower-keeps-its-loan",
        hurts="every trial that is killed costs the account a seventh of its requests until the worker starts anew",
        file="crm/lending.py",
        old="asyncio.timeout(self._overdue_seconds)",
        new="asyncio.timeout(None)",
        tests=(
            f"{_TRIAL}::test_whoever_is_killed_with_a_loan_costs_a_slot_until_the_crm_is_known_to_answer",
        ),
    ),
    Sabotage(
        name="an-old-loan-is-used",
        hurts="what a killed worker has lent is sent beside its successor",
        file="crm/borrowed_budget.py",
        old="is_fresh = loan.age_seconds + time.monotonic() - began < _FRESH_SECONDS",
        new="is_fresh = True",
        tests=(f"{_TRIAL}::test_what_a_killed_worker_has_lent_and_not_sent_is_asked_of_its_successor_again",),
    ),
    Sabotage(
        name="no-last-look-at-the-lease",
        hurts="a request that waited for its slot goes out after the lease was lost",
        file="crm/guarded_budget.py",
        old="            try:\n                self._lease.check()\n            except LeaseLost:",
        new="            try:\n                pass\n            except LeaseLost:",
        tests=(
            "tests/unit/crm/test_guarded_budget.py::test_a_request_that_waits_for_its_slot_does_not_go_out_once_the_lease_is_lost",
        ),
    ),
    Sabotage(
        name="what-was-given-up-is-forgotten",
        hurts="a CRM that stood still counts three times its limit when it goes on, and closes its API to us",
        file="crm/amocrm/client.py",
        old="slot.lost()",
        new="pass",
        tests=(
            "tests/integration/crm/test_frozen_crm.py::test_what_a_frozen_crm_holds_and_what_is_sent_afterwards_stay_within_the_limit_together",
        ),
    ),
)
