"""The fifty edge cases of who gets it, and of coming and going: each has a number, and tests that show what becomes of it."""

from __future__ import annotations

from tests.named_cases import NamedCases, gone_tests, numbers_without_tests

_DECIDE = "unit/routing/distribution/test_decide.py"
_LEDGER = "unit/routing/distribution/test_ledger.py"
_PROBLEMS = "unit/routing/distribution/test_problems.py"
_GOLDEN = "unit/routing/distribution/test_cases.py"
_HOURS = "unit/routing/schedules/test_calendar_cases.py"
_MACHINE = "unit/routing/attendance/test_machine.py"
_TRUST = "unit/routing/attendance/test_trust.py"
_SIGNS = "unit/gateway/presence/test_crm_signs.py"
_GIVEN = "integration/distribution/test_deals_given.py"
_TOGETHER = "integration/distribution/test_given_together.py"
_WORKER = "integration/distribution/test_real_worker.py"
_RACE = "integration/distribution/test_race.py"
_API = "integration/api/test_distribution.py"
_SHIFTS = "integration/shift_change/test_cases.py"
_WATCH = "integration/presence/test_watch.py"
_FEED = "integration/presence/test_crm_activity.py"

CASES: NamedCases = {
    1: (
        "three people, all there: A B C for a thousand deals",
        (
            (_DECIDE, "three_people_who_are_all_there_are_served_in_turn"),
            (_LEDGER, "i5_with_equal_weights_counts_never_differ_by_more_than_one"),
        ),
    ),
    2: (
        "one of three away for one deal",
        (
            (_DECIDE, "who_was_away_for_one_deal_is_next_and_the_others_keep_their_turns"),
            (_LEDGER, "i6_who_is_absent_earns_and_owes_nothing"),
        ),
    ),
    3: (
        "weights 1, 1, 2, 1 in a row, over a restart",
        ((_DECIDE, "weights_in_a_row_give_one_two_then_two_in_a_row_and_five_over_a_restart_too"),),
    ),
    4: (
        "weights of zero, all zero, one person, nobody",
        (
            (_DECIDE, "one_person_gets_everything_and_nobody_nothing"),
            (_PROBLEMS, "a_fault_is_found_by_its_code"),
            (_DECIDE, "zero_percent_never_gets_anything_and_the_walk_says_so"),
        ),
    ),
    5: (
        "a hundred people",
        ((_DECIDE, "a_hundred_people_get_one_each_before_anybody_gets_a_second"),),
    ),
    6: (
        "thirds of a percent; 99.99 and 100.01 refused",
        (
            (_DECIDE, "thirds_of_a_percent_are_exact_over_a_hundred_deals"),
            (_PROBLEMS, "shares_of_people_make_exactly_one_hundred"),
        ),
    ),
    7: (
        "two groups: one member away, a whole group away",
        (
            (_DECIDE, "a_group_keeps_its_share_while_one_of_it_is_there"),
            (_DECIDE, "a_group_of_which_nobody_is_there_earns_and_owes_nothing"),
        ),
    ),
    8: (
        "percents with three deals a day for 300 days",
        (
            (_DECIDE, "percents_come_out_exactly_with_three_deals_a_day_for_three_hundred_days"),
            (_PROBLEMS, "kept_credit_gives_the_shares_exactly_where_a_reset_does_not"),
        ),
    ),
    9: (
        "two and fifty decide at once",
        (
            (_GIVEN, "fifty_deals_at_once_are_decided_one_after_the_other"),
            (_RACE, "workers_that_are_killed_lose_no_deal_and_give_none_twice"),
        ),
    ),
    10: (
        "the same deal told twice",
        ((_GIVEN, "a_deal_told_twice_by_hook_and_sweep_is_given_once"),),
    ),
    11: (
        "killed between the decision and the CRM",
        (
            (_RACE, "workers_that_are_killed_lose_no_deal_and_give_none_twice"),
            (
                "integration/intake/test_turns_of_calls.py",
                "kill_9_of_a_worker_between_deciding_and_booking_books_the_turn_once",
            ),
        ),
    ),
    12: (
        "the CRM refuses: user deactivated, deal deleted, no access, throttled",
        (
            (_WORKER, "who_was_deactivated_in_the_crm_a_moment_ago_is_passed_over"),
            (_GIVEN, "who_the_crm_will_not_have_is_taken_back_and_the_next_one_gets_it"),
            (_GIVEN, "a_deal_that_was_deleted_meanwhile_costs_nobody_a_turn"),
            (_SHIFTS, "a_crm_in_trouble_is_waited_for"),
        ),
    ),
    13: (
        "undone and done again",
        (
            (_LEDGER, "i9_decided_and_undone_is_as_if_it_had_never_happened"),
            (_LEDGER, "i9_an_undoing_subtracts_exactly_its_entry_whatever_came_after"),
        ),
    ),
    14: (
        "given by hand before our change left",
        ((_GIVEN, "who_gives_the_deal_by_hand_before_our_change_left_has_the_last_word"),),
    ),
    15: (
        "join, leave, join again, another group, renamed, deactivated and back",
        (
            (_DECIDE, "a_group_is_followed_as_it_changes_and_named_people_are_not"),
            (_GIVEN, "who_is_not_there_any_more_gets_nothing_and_a_changed_template_goes_on_where_it_was"),
        ),
    ),
    16: (
        "flickering at every deal",
        (
            (_DECIDE, "who_flickers_at_every_second_deal_takes_nobody_elses_turn"),
            (_LEDGER, "i3_no_enemy_drives_anybody_as_far_as_their_number_less_one"),
        ),
    ),
    17: (
        "one joins people with a thousand deals",
        (
            (_DECIDE, "who_joins_people_with_a_thousand_deals_is_not_flooded"),
            (_LEDGER, "i8_who_joins_is_not_flooded"),
        ),
    ),
    18: (
        "back after three thousand deals",
        ((_DECIDE, "who_returns_after_three_thousand_deals_is_neither_flooded_nor_passed_over"),),
    ),
    19: (
        "one person in both shifts",
        ((_DECIDE, "who_works_in_both_shifts_is_not_favoured"),),
    ),
    20: (
        "a full desk, freed inside a batch",
        (
            (_DECIDE, "a_full_desk_is_left_out_until_a_deal_is_closed_inside_a_batch_too"),
            (_TOGETHER, "the_fewest_open_deals_are_counted_with_what_was_given_a_moment_ago"),
        ),
    ),
    21: (
        "a sliding window, also of many at once",
        (
            (_GIVEN, "a_full_window_makes_it_wait_and_the_oldest_goes_first"),
            (_TOGETHER, "each_of_those_given_together_counts_for_the_next"),
        ),
    ),
    22: (
        "the day begins at the account's midnight, and where there is none",
        (
            (_DECIDE, "credits_start_from_zero_at_the_first_instant_of_the_accounts_day"),
            (_HOURS, "whatever_the_server_and_the_clock_say"),
            (_HOURS, "when_the_account_moves_to_another_zone_its_shifts_move_with_it"),
        ),
    ),
    23: (
        "a moved Saturday, an own day above it, a year that is not known",
        (
            (_HOURS, "over_a_moved_saturday"),
            (_HOURS, "and_by_the_days_of_the_account_above_it"),
            (
                "unit/gateway/test_calendars.py",
                "years_whose_moved_days_were_not_decreed_yet_are_not_known",
            ),
        ),
    ),
    24: (
        "a shift over both nights in which the clock changes; its very end",
        (
            (_HOURS, "have_the_length_that_they_have"),
            (_HOURS, "both_half_hours_that_come_twice_belong_to_the_night"),
            (_HOURS, "a_moment_at_the_very_end_is_outside"),
        ),
    ),
    25: (
        "by day: a hole, touching and overlapping hours, the 29th of February",
        (
            (_HOURS, "has_holes_touching_and_overlapping_hours_and_the_29th_of_february"),
            (_HOURS, "a_hole_is_off_shift_until_the_next_date"),
            (_HOURS, "what_cannot_be_is_refused_with_the_day_it_stands_on"),
        ),
    ),
    26: (
        "in the template and not in the schedule",
        (
            (_HOURS, "is_told_apart_and_never_on"),
            (_PROBLEMS, "who_takes_part_and_does_not_stand_in_the_schedule_is_named"),
            (_DECIDE, "who_is_in_the_template_and_not_in_the_schedule_is_never_chosen"),
        ),
    ),
    27: (
        "a schedule edited while deals wait for it",
        ((_GIVEN, "what_waits_for_the_morning_goes_out_when_the_hours_are_changed_the_oldest_first"),),
    ),
    28: (
        "deals of the night: oldest first, gathered, not all to the first",
        ((_GIVEN, "what_came_outside_of_working_time_waits_and_is_not_all_given_to_the_first"),),
    ),
    29: (
        "what waits too long raises an alarm",
        ((_API, "what_waits_longer_than_its_template_allows_raises_an_alarm"),),
    ),
    30: (
        "nobody comes",
        (
            (_DECIDE, "when_nobody_can_get_it_the_template_says_what_becomes_of_it"),
            (_DECIDE, "a_fallback_who_left_is_replaced_by_the_senior_manager"),
        ),
    ),
    31: (
        "repeat control: contacts, companies, several owners, who is away, other pipelines",
        (
            (_GOLDEN, "it_comes_out_as_told"),
            (_GIVEN, "a_client_who_is_somebodys_already_stays_theirs_and_costs_no_turn"),
        ),
    ),
    32: (
        "not taken to work: at the last second, by another, after all rounds",
        (
            (_GIVEN, "what_nobody_took_to_work_goes_to_the_next_and_in_the_end_to_the_senior"),
            (_GIVEN, "who_moved_the_deal_in_time_keeps_it"),
            (
                _DECIDE,
                "after_as_many_rounds_as_are_allowed_it_goes_to_the_senior_manager_though_others_are_left",
            ),
        ),
    ),
    33: (
        "14:59 and 15:00 of silence; answers after 59 and 61 seconds; another tab; while on the phone",
        (
            (_MACHINE, "fourteen_minutes_and_59_seconds_of_silence_ask_nothing_fifteen_do"),
            (_MACHINE, "an_answer_after_59_seconds_keeps_one_after_61_brings_back"),
            (_MACHINE, "an_answer_in_another_tab_changes_nothing_more"),
            (_MACHINE, "whoever_talks_is_not_asked_and_a_call_answers_the_question"),
            (_WATCH, "an_open_page_that_nobody_touches_is_not_work"),
        ),
    ),
    34: (
        "our own writes keep nobody online",
        (
            (_FEED, "our_own_writes_in_their_names_keep_nobody_at_work"),
            (_SIGNS, "our_own_write_is_nobodys_sign_for_a_minute_and_on_the_same_thing_only"),
        ),
    ),
    35: (
        "a missed call in their name keeps nobody online",
        ((_WATCH, "a_missed_call_in_their_name_keeps_nobody_at_work"),),
    ),
    36: (
        "an incoming chat keeps nobody online",
        ((_FEED, "every_strong_event_is_a_sign_and_no_other_is"),),
    ),
    37: (
        "a feed that is late, empty, refused or shifts while it is read",
        (
            (_FEED, "a_feed_without_anybody_for_ten_minutes_takes_nobody_off"),
            (_FEED, "a_crm_that_refuses_takes_nobody_off"),
            (_FEED, "pages_that_shift_while_they_are_read_lose_nobody"),
            (_TRUST, "ten_minutes_without_anybody_in_working_time_are_a_late_feed"),
        ),
    ),
    38: (
        "clocks that differ by five minutes",
        (
            (_FEED, "a_crm_whose_clock_is_five_minutes_off_moves_nobody"),
            (_MACHINE, "a_clock_that_is_ahead_by_five_minutes_buys_no_time"),
        ),
    ),
    39: (
        "500 events at once are one sign",
        ((_FEED, "a_bulk_action_of_500_events_is_one_sign"),),
    ),
    40: (
        "a restart moves nobody",
        (
            (_WATCH, "after_a_restart_nobody_is_taken_off_for_a_heartbeat_period"),
            (_TRUST, "after_a_start_and_after_a_gap_a_period_passes_first"),
        ),
    ),
    41: (
        "two tabs, a killed browser, a sleeping laptop, a short loss of the network",
        (
            (_WATCH, "two_tabs_and_one_is_closed"),
            (_WATCH, "a_browser_that_was_killed_is_asked_about_after_ninety_seconds"),
            (_MACHINE, "a_laptop_that_slept_is_back_with_the_first_touch"),
            (_MACHINE, "one_of_two_tabs_closed_and_a_short_loss_of_the_network_change_nothing"),
        ),
    ),
    42: (
        "offline: all move; back in the middle; a second leaves; the last one; all at once",
        (
            (_SHIFTS, "case_42_who_returns_in_the_middle_keeps_the_rest_and_gets_back_the_others"),
            (_SHIFTS, "case_42_a_second_person_leaves_meanwhile"),
            (_SHIFTS, "case_42_the_last_one_and_all_at_once"),
        ),
    ),
    43: (
        "what comes back, and what does not",
        (
            (_SHIFTS, "case_43_only_what_was_theirs_from_the_beginning_and_untouched_comes_back"),
            (_SHIFTS, "case_43_nothing_comes_back_where_it_is_switched_off_or_left_out"),
            (_SHIFTS, "case_43_deals_left_out_by_id_tag_and_field_stay"),
        ),
    ),
    44: (
        "a 504 in the middle of a batch",
        ((_SHIFTS, "case_44_a_504_in_the_middle_moves_each_deal_once"),),
    ),
    45: (
        "closed, merged, deleted during the move",
        ((_SHIFTS, "case_45_a_deal_closed_merged_or_deleted_during_the_move_stays_where_it_is"),),
    ),
    46: (
        "a contact of two deals of different owners",
        ((_SHIFTS, "case_46_a_contact_of_two_deals_goes_once_and_only_from_its_owner"),),
    ),
    47: (
        "open tasks of others on the same deal",
        ((_SHIFTS, "case_47_open_tasks_of_others_on_the_same_deal_stay"),),
    ),
    48: (
        "two templates on one stage; a template removed while attached; deals that left the stage",
        (
            (_API, "a_stage_has_one_template_and_loses_it_with_the_template"),
            (_GIVEN, "a_deal_that_left_the_stage_while_it_waited_is_nobodys_to_give"),
        ),
    ),
    49: (
        "rights: own templates, schedules, the own counter",
        (
            ("integration/api/test_roles.py", "bindings_are_judged_where_a_path_names_what_is_bound"),
            ("integration/api/test_schedules.py", "a_schedule_is_changed_by_who_may_touch_it"),
            ("integration/api/test_presence.py", "ones_own_counter_is_nobody_elses"),
        ),
    ),
    50: (
        "a reason for everybody left out; why it is uneven; by days of the account",
        (
            (_DECIDE, "whatever_the_day_brings_every_walk_is_whole_and_the_books_balance"),
            (_API, "the_deals_of_a_stage_are_counted_given_once_and_told_as_table_and_shares"),
            (
                "integration/distribution/test_decided_again.py",
                "every_kind_of_answer_comes_out_the_same_after_people_and_templates_have_changed",
            ),
        ),
    ),
}


def test_every_case_is_numbered_and_has_a_test() -> None:
    assert list(CASES) == list(range(1, 51))
    assert numbers_without_tests(CASES) == []


def test_every_test_that_is_named_exists() -> None:
    assert gone_tests(CASES) == []
