"""Who gets it: one turn for one deal, booked with the deal, taken back once; and only who is there gets anything."""

from __future__ import annotations

from tests.sabotage.sabotage import Sabotage

_GIVEN = "tests/integration/distribution/test_deals_given.py"
_BOOKS = "tests/integration/distribution/test_books.py"
_LOCK_ORDER = "tests/integration/distribution/test_lock_order.py"
_DECIDE = "tests/unit/routing/distribution/test_decide.py"
_SHIFT_CASES = "tests/integration/shift_change/test_cases.py"
_RULES = "tests/unit/routing/shift_change/test_rules.py"

ROWS = (
    Sabotage(
        name="only-what-waits-for-hours-is-gathered",
        hurts="a template that is saved while deals come in gives one a minute for the rest of the day",
        file="gateway/store/distribution/items.py",
        old="opens_at = CASE WHEN opens_at IS NOT NULL THEN least(opens_at, now()) END",
        new="opens_at = least(opens_at, now())",
        tests=(
            "tests/integration/distribution/test_waits.py::test_a_template_that_is_saved_while_deals_wait_to_be_read_holds_none_of_them_up",
        ),
    ),
    Sabotage(
        name="a-pick-is-booked-outside-its-transaction",
        hurts="a worker that dies in between has taken somebody's turn and given them nothing",
        file="gateway/distribution/distributor.py",
        old="            async with self._pool.acquire() as conn, conn.transaction():\n                return await work(conn)",
        new="            async with self._pool.acquire() as conn:\n                return await work(conn)",
        tests=(f"{_BOOKS}::test_a_pick_that_cannot_be_written_to_its_end_has_booked_nothing",),
    ),
    Sabotage(
        name="a-templates-ledger-is-not-locked",
        hurts="two workers pick by the same ledger: one person gets both deals, and one booking is lost",
        file="gateway/store/distribution/ledgers.py",
        old='"FOR UPDATE OF t" if hold else ""',
        new='""',
        tests=(f"{_BOOKS}::test_whoever_picks_by_a_template_waits_for_who_is_picking_by_it",),
    ),
    Sabotage(
        name="items-are-taken-before-their-template",
        hurts="a template that is removed while somebody gives its deal by hand ends in a deadlock",
        file="gateway/distribution/afterwards.py",
        old="{i.template for i in known if _is_right_after(event, i)}",
        new="()",
        tests=(f"{_LOCK_ORDER}::test_a_template_is_removed_while_somebody_gives_its_deal_by_hand",),
    ),
    Sabotage(
        name="a-pick-is-taken-back-twice",
        hurts="whoever lost a deal by a refusal that was told twice is owed two",
        file="gateway/store/distribution/ledgers.py",
        old='        " AND template = $3 AND undone_at IS NULL ORDER BY entry_id DESC",',
        new='        " AND template = $3 ORDER BY entry_id DESC",',
        tests=(f"{_BOOKS}::test_what_was_taken_back_is_not_taken_back_again",),
    ),
    Sabotage(
        name="undoing-takes-twice-what-was-booked",
        hurts="the credits of a template drift apart with every deal that is taken back",
        file="routing/distribution/ledger.py",
        old="        credits[person] = credits.get(person, 0) - share\n    credits[entry.winner] += UNIT",
        new="        credits[person] = credits.get(person, 0) - 2 * share\n    credits[entry.winner] += 2 * UNIT",
        tests=(
            "tests/unit/routing/distribution/test_ledger.py::test_i9_decided_and_undone_is_as_if_it_had_never_happened",
        ),
    ),
    Sabotage(
        name="a-clients-own-person-is-not-looked-for",
        hurts="a client with an open deal of one manager is given to another",
        file="routing/distribution/owners.py",
        old='    if control.by == "off":\n        return None\n    theirs',
        new="    if control.by:\n        return None\n    theirs",
        tests=(f"{_GIVEN}::test_a_client_who_is_somebodys_already_stays_theirs_and_costs_no_turn",),
    ),
    Sabotage(
        name="who-is-on-leave-gets-work",
        hurts="a deal waits for weeks on the desk of who is on holiday",
        file="routing/distribution/eligible.py",
        old='    if standing.off and (asked.keeps_shifts or standing.off == "on_leave"):',
        new="    if standing.off and asked.keeps_shifts:",
        tests=(
            f"{_DECIDE}::test_schedules_do_not_count_where_the_template_works_always_but_leave_does",
            f"{_GIVEN}::test_who_is_on_leave_gets_no_deal_by_whatever_hours_a_template_goes",
        ),
    ),
    Sabotage(
        name="a-question-is-a-pick",
        hurts="everybody who calls and hangs up moves the turn on, and nobody got anything",
        file="gateway/lookup/people.py",
        old="                return (await turns_now(conn, account.id, [name], staff, now)).get(name), now\n",
        new="                found = (await turns_now(conn, account.id, [name], staff, now)).get(name)\n"
        "                await conn.execute(\n"
        "                    'UPDATE distribution_template SET ledgers = jsonb_build_object($2::text, jsonb_build_object($3::text, 1))'\n"
        "                    ' WHERE account_id = $1', account.id, '', 'number')\n"
        "                return found, now\n",
        tests=("tests/integration/pbx/test_who_is_there.py::test_a_question_moves_no_ledger",),
    ),
    Sabotage(
        name="a-deal-enters-a-stage-any-number-of-times",
        hurts="a deal told of by hook and feed is given to two people, one after the other",
        file="gateway/store/distribution/items.py",
        old='    return stable_id(account_id, "distribution item", new.kind, new.entity_id, key)',
        new='    return stable_id(account_id, "distribution item", new.kind, new.entity_id, key, str(new.entered_at))',
        tests=(f"{_BOOKS}::test_a_deal_is_kept_once_for_one_entry_into_a_stage",),
    ),
    Sabotage(
        name="what-a-person-gave-away-comes-back",
        hurts="a deal that a manager gave to somebody by hand is taken away when its first owner comes to work",
        file="routing/shift_change/returning.py",
        old='    if deal.was_changed:\n        return "changed"\n',
        new="",
        tests=(f"{_RULES}::test_a_deal_comes_back_only_where_nothing_speaks_against_it",),
    ),
    Sabotage(
        name="a-move-does-not-look-whose-it-is-now",
        hurts="a deal that a person gave away a minute ago goes to whom the shift change had chosen",
        file="gateway/shift_change/moving.py",
        old='    if now.owner != move.owner_was:\n        return "changed"\n',
        new="",
        tests=(
            f"{_SHIFT_CASES}::test_case_45_a_deal_closed_merged_or_deleted_during_the_move_stays_where_it_is",
        ),
    ),
    Sabotage(
        name="lost-heartbeats-are-silence",
        hurts="Redis is restarted, and everybody is taken off work at once",
        file="routing/attendance/trust.py",
        old='    if watch.are_beats_lost:\n        return "beats_lost"\n',
        new="",
        tests=("tests/unit/routing/attendance/test_trust.py::test_lost_heartbeats_are_a_gap",),
    ),
    Sabotage(
        name="a-day-painted-by-two-is-asked-about",
        hurts="whoever saves a schedule last undoes in silence what a colleague painted while it was open",
        file="gateway/admin/schedules/painting.py",
        old="        if twice:\n",
        new="        if twice and not days:\n",
        tests=(
            "tests/integration/web/test_schedules_painted.py"
            "::test_what_another_saved_meanwhile_is_kept_and_days_that_both_painted_are_asked_for",
        ),
    ),
)
