"""The sixty edge cases of what goes out: each has a number, and tests that show what becomes of it."""

from __future__ import annotations

from tests.named_cases import NamedCases, gone_tests, numbers_without_tests

_CAUSES = "unit/routing/triggers/test_causes.py"
_CONDITIONS = "unit/routing/triggers/test_conditions.py"
_DECIDE = "unit/routing/triggers/test_decide.py"
_FIRINGS = "integration/triggers/test_firings.py"
_CIRCLES = "integration/triggers/test_circles.py"
_PRESSED = "integration/api/test_triggers.py"
_TRIGGERS = "e2e/features/test_triggers.py"
_PACE = "unit/routing/outbound/test_pace.py"
_WINDOWS = "unit/routing/outbound/test_windows.py"
_DIALLING = "unit/routing/outbound/test_dialling.py"
_API = "integration/api/test_outbound.py"
_DIALLER = "integration/outbound/test_dialler.py"
_DIALLED = "integration/outbound/test_what_is_dialled.py"
_RECOVERY = "integration/outbound/test_recovery.py"
_LATE = "integration/outbound/test_late_results.py"
_MANGO = "integration/outbound/test_mango_calls.py"
_SIDES = "unit/gateway/pbx/test_failed_side.py"
_ASTERISK = "unit/gateway/pbx/test_asterisk_attempts.py"
_ANY_ORDER = "unit/gateway/pbx/test_attempts_in_any_order.py"
_RECORDED = "e2e/features/test_recorded_call_backs.py"
_REAL = "e2e/pbx/test_asterisk_callbacks.py"
_SEGMENTS = "unit/sms/test_segments.py"
_TEMPLATES = "unit/sms/test_templates.py"
_RECIPIENTS = "unit/sms/test_recipients.py"
_PROGRESS = "unit/sms/test_progress.py"
_TEXTS = "integration/sms_sending/test_texts.py"
_FAULTS = "integration/sms_sending/test_misbehaving.py"
_INCOMING = "integration/sms_sending/test_incoming.py"
_EACH = "integration/sms/test_each_provider.py"
_HTTP = "integration/sms/test_http_providers.py"
_SMPP = "integration/sms/test_smpp.py"
_CAMPAIGN = "integration/campaigns/test_running.py"
_CENTRE = "integration/campaigns/test_contact_centre.py"
_TOPICS = "unit/campaigns/test_topics.py"

CASES: NamedCases = {
    1: (
        "one move told by webhook, its repetition, the poll and a hook",
        (
            (_FIRINGS, "case_1_one_move_told_by_webhook_its_retry_the_feed_and_a_hook_fires_once"),
            (_TRIGGERS, "cases_1_and_2_one_move_told_by_all_ways_fires_once_and_a_second_entrance_again"),
        ),
    ),
    2: (
        "a deal leaves and comes back",
        ((_FIRINGS, "case_2_a_deal_that_leaves_and_comes_back_fires_again"),),
    ),
    3: (
        "a price that passes the amount and goes on rising",
        (
            (_FIRINGS, "case_3_a_budget_fires_at_the_crossing_only"),
            (_CAUSES, "a_price_that_only_rises_crosses_an_amount_at_most_once"),
        ),
    ),
    4: (
        "a price with spaces and a comma, none, a word in a field of numbers",
        (
            (_FIRINGS, "case_4_a_number_that_cannot_be_read_is_no_error_and_meets_nothing"),
            (_FIRINGS, "case_4_a_number_with_spaces_and_a_comma_is_read"),
            (_CONDITIONS, "a_budget_that_cannot_be_read_meets_no_comparison_and_is_no_error"),
        ),
    ),
    5: (
        "two triggers of one stage; the same action twice for one client",
        (
            (_FIRINGS, "case_5_two_triggers_of_one_stage_fire_once_each"),
            (_FIRINGS, "case_5_the_same_action_to_one_client_of_two_triggers_goes_out_once"),
        ),
    ),
    6: (
        "applied to what stands in the stage twice, and by two people at once",
        ((_PRESSED, "case_6_pressed_twice_and_by_two_at_once_it_fires_once_for_each_deal"),),
    ),
    7: (
        "our own move fires the trigger again",
        (
            (_FIRINGS, "case_7_our_own_moves_fire_too_and_a_circle_stops_after_five"),
            (_CIRCLES, "the_sixth_time_within_an_hour_is_told_once_to_people"),
            (_DECIDE, "a_circle_ends_after_five_firings"),
        ),
    ),
    8: (
        "a trigger is switched off, or changed, while items of it wait",
        (
            (_FIRINGS, "case_8_what_a_trigger_that_is_switched_off_has_queued_is_dropped"),
            (_FIRINGS, "case_8_what_is_queued_keeps_the_version_that_it_was_queued_by"),
        ),
    ),
    9: (
        "the deal is deleted, merged or closed before the call",
        (
            (_FIRINGS, "case_9_a_deal_that_was_deleted_is_left_out"),
            (_DIALLED, "cases_9_10_and_20_what_changed_since_it_was_queued_is_seen"),
        ),
    ),
    10: (
        "another main contact meanwhile",
        (
            (_FIRINGS, "case_10_the_client_is_the_main_contact_when_it_is_read"),
            (_DIALLED, "cases_9_10_and_20_what_changed_since_it_was_queued_is_seen"),
        ),
    ),
    11: (
        "ten items at six a minute",
        (
            (_PACE, "case_11_ten_items_at_six_a_minute_are_placed_ten_seconds_apart"),
            (_DIALLER, "cases_11_and_12_calls_are_evenly_spread_and_a_new_rate_counts_at_once"),
        ),
    ),
    12: (
        "the rate goes to zero and up again while items wait",
        (
            (_PACE, "case_12_a_pause_saves_nothing_up"),
            (_DIALLER, "cases_11_and_12_calls_are_evenly_spread_and_a_new_rate_counts_at_once"),
        ),
    ),
    13: (
        "a rate that is no whole number from zero",
        (
            (_PACE, "case_13_what_is_no_whole_number_from_zero_is_refused"),
            (_API, "the_rate_is_a_whole_number_and_holds_at_once"),
        ),
    ),
    14: (
        "the queue is cleared while one is being called",
        ((_DIALLED, "case_14_what_is_cleared_has_no_effects_and_what_is_under_way_has_its_own"),),
    ),
    15: (
        "what is cleared is counted, and there is nothing to clear in an empty queue",
        ((_API, "clearing_takes_out_what_waits_and_counts_it_exactly"),),
    ),
    16: (
        "two workers, many items, one rate",
        ((_DIALLER, "case_16_two_workers_with_one_rate_call_nobody_twice"),),
    ),
    17: (
        "a worker killed before the request, after it, before the outcome",
        (
            (
                _RECOVERY,
                "case_17_what_was_claimed_and_never_begun_waits_again_and_its_worker_may_not_begin_it",
            ),
            (_RECOVERY, "case_17_what_was_begun_is_looked_for_and_never_repeated"),
        ),
    ),
    18: (
        "the database goes away within a claim",
        ((_DIALLER, "case_18_the_database_goes_down_within_a_claim"),),
    ),
    19: (
        "the clock jumps, and the night in which it changes",
        (
            (_PACE, "case_19_a_clock_that_jumps_makes_no_burst"),
            (_WINDOWS, "a_week_over_the_clock_change_opens_each_local_morning_at_nine"),
        ),
    ),
    20: (
        "a client who comes onto the do-not-call list while the item waits",
        (
            (_DIALLED, "cases_9_10_and_20_what_changed_since_it_was_queued_is_seen"),
            (_DIALLING, "case_20_whoever_came_onto_the_do_not_call_list_is_dropped_even_while_all_is_paused"),
        ),
    ),
    21: (
        "the client calls while the item waits, and while the employee's phone rings",
        (
            (_DIALLED, "case_21_who_called_meanwhile_is_not_called_and_who_rings_is_waited_for"),
            (_DIALLED, "case_21_a_client_who_calls_while_the_employees_phone_rings_is_not_called_besides"),
        ),
    ),
    22: (
        "a call that would ring beyond the end of the window",
        ((_WINDOWS, "case_22_a_call_that_would_ring_beyond_the_edge_is_not_begun"),),
    ),
    23: (
        "a client whose zone nobody knows, with strict hours and without",
        ((_WINDOWS, "case_23_strict_hours_of_a_mobile_are_those_of_every_zone_in_which_it_may_be"),),
    ),
    24: (
        "an item whose time is over",
        ((_DIALLED, "cases_22_23_and_24_hours_of_the_client_and_the_end_of_its_time"),),
    ),
    25: (
        "the employee is busy, declines, does not answer or is not there",
        (
            (_DIALLER, "cases_25_and_26_whose_side_it_was_decides_when_it_is_tried_again"),
            (_REAL, "whose_side_it_was"),
            (_RECORDED, "what_a_real_asterisk_told_of_each_call_back"),
        ),
    ),
    26: (
        "the client is busy, declines, does not answer, has no such number, or a machine answers",
        (
            (_DIALLER, "cases_25_and_26_whose_side_it_was_decides_when_it_is_tried_again"),
            (_REAL, "whose_side_it_was"),
            (_SIDES, "mango_tells_why_it_did_not_reach_the_client"),
        ),
    ),
    27: (
        "the employee hangs up before the client's phone rings, and while it does",
        (
            (_DIALLED, "case_27_an_employee_who_hangs_up_is_not_the_clients_fault"),
            (_ASTERISK, "an_employee_who_leaves_before_the_client_is_dialled"),
        ),
    ),
    28: (
        "they talked for a second",
        (
            (_ASTERISK, "both_have_talked"),
            (_RECORDED, "what_a_real_asterisk_told_of_each_call_back"),
        ),
    ),
    29: (
        "events in any order, or a summary alone",
        (
            (_RECOVERY, "case_29_a_call_heard_before_the_answer_to_the_order_counts"),
            (_ANY_ORDER, "order_and_repetition_change_nothing"),
        ),
    ),
    30: (
        "somebody else's call to the same number at that moment, where the PBX does not carry our id",
        ((_DIALLED, "case_30_of_a_pbx_without_our_ids_a_call_is_known_by_number_and_time"),),
    ),
    31: (
        "the PBX has no money",
        (
            (_DIALLER, "case_31_a_refusing_pbx_is_stopped_once_and_items_stay"),
            (_LATE, "case_31_a_result_that_comes_later_ends_the_attempt"),
        ),
    ),
    32: (
        "a result that never comes, or after the call",
        (
            (_LATE, "case_32_a_result_that_says_taken_or_a_call_that_came_changes_nothing"),
            (_MANGO, "what_is_never_heard_of_is_unknown_and_settled_late"),
        ),
    ),
    33: (
        "another responsible meanwhile, or one without an extension",
        ((_DIALLED, "case_33_the_responsible_of_the_moment_is_rung_or_the_senior_has_the_task"),),
    ),
    34: (
        "a group with nobody in it, or all busy",
        ((_DIALLED, "cases_34_and_36_a_group_all_busy_and_a_phone_of_two"),),
    ),
    35: (
        "the link to Asterisk is cut behind the order",
        (
            (_ASTERISK, "case_35_of_a_call_that_ended_while_nobody_listened_nobody_knows_who_was_reached"),
            (_RECORDED, "what_is_known_when_the_link_was_cut_behind_the_order"),
            (_REAL, "a_link_that_is_cut_behind_the_order_leaves_the_call_alive"),
        ),
    ),
    36: (
        "two employees who share a phone",
        ((_DIALLED, "cases_34_and_36_a_group_all_busy_and_a_phone_of_two"),),
    ),
    37: (
        "a client's number with an extension behind it",
        ((_DIALLED, "case_37_an_extension_behind_the_clients_number_is_not_dialled"),),
    ),
    38: (
        "texts at the borders of parts; none after the macros; a macro in a value",
        (
            (_SEGMENTS, "a_text_is_parted_as_the_phone_counts"),
            (_SEGMENTS, "parts_give_the_text_and_each_is_within_its_limit"),
            (_TEMPLATES, "a_text_that_is_empty_once_filled_in_is_not_sent"),
            (_TEMPLATES, "a_value_is_never_read_as_a_template"),
        ),
    ),
    39: (
        "more parts than allowed",
        (
            (_TEMPLATES, "a_text_of_more_parts_than_allowed_is_refused_and_not_cut"),
            (_EACH, "mango_takes_four_parts_and_is_not_asked_for_more"),
        ),
    ),
    40: (
        "no answer after the provider has it",
        (
            (_HTTP, "a_message_that_may_have_gone_out_is_unknown_and_asked_for_once"),
            (_EACH, "smsc_finds_a_message_by_our_own_id_after_doubt"),
        ),
    ),
    41: (
        "reports early, twice, changed, of nobody, with a wrong signature, of one part",
        (
            (_FAULTS, "reports_that_come_early_twice_late_or_of_nobody_settle_it_once"),
            (_EACH, "smsc_reports_are_believed_with_the_right_signature_only"),
            (_PROGRESS, "delivered_then_undelivered_stays_delivered"),
            (_PROGRESS, "one_part_of_three_does_not_make_a_delivery"),
        ),
    ),
    42: (
        "an error inside of an answer that says it is well",
        ((_EACH, "smsru_refuses_inside_of_an_answer_that_says_ok"),),
    ),
    43: (
        "money that ends in the middle, and comes back",
        (
            (_FAULTS, "money_that_ends_stops_the_provider_once_and_what_waits_goes_out_when_there_is_some"),
            (_FAULTS, "what_waits_for_money_too_long_expires_and_says_so"),
        ),
    ),
    44: (
        "a provider that has too much",
        ((_HTTP, "what_is_throttled_goes_out_later"), (_SMPP, "a_centre_that_is_busy_gets_it_later")),
    ),
    45: (
        "an employee without extension or mobile, before and since",
        (
            (_RECIPIENTS, "who_has_no_extension_or_no_mobile_is_not_offered_and_gets_nothing"),
            (_TEXTS, "the_client_and_a_responsible_with_their_number_get_one_text_and_others_are_told_of"),
        ),
    ),
    46: (
        "a client's number that is a landline, our own line or an employee's",
        ((_RECIPIENTS, "a_client_who_cannot_be_written_to_is_skipped_with_a_reason"),),
    ),
    47: (
        "client and responsible with one number",
        (
            (_RECIPIENTS, "two_with_one_number_get_one_text"),
            (_TEXTS, "the_client_and_a_responsible_with_their_number_get_one_text_and_others_are_told_of"),
        ),
    ),
    48: (
        "a text at night is written in the morning",
        ((_TEXTS, "at_night_it_waits_for_the_morning_of_the_client_and_is_written_then"),),
    ),
    49: (
        "the client writes STOP",
        ((_INCOMING, "stop_in_two_parts_in_any_order_drops_what_waits_for_the_number"),),
    ),
    50: (
        "the CRM is away while a text goes out",
        ((_TEXTS, "while_the_crm_is_silent_a_written_text_goes_out_and_others_wait_for_it"),),
    ),
    51: (
        "added to a campaign that has finished, or finishes just then",
        (
            (_CAMPAIGN, "51_what_a_trigger_adds_to_a_finished_campaign_is_refused_with_its_reason"),
            (_CENTRE, "51_a_campaign_that_ends_between_the_look_and_the_addition_says_so"),
        ),
    ),
    52: (
        "the row that keeps a campaign open",
        ((_CAMPAIGN, "52_the_first_add_keeps_the_campaign_open_until_a_person_takes_that_row_out"),),
    ),
    53: (
        "a number that is there already",
        (
            (_CAMPAIGN, "53_a_number_that_is_there_already_is_linked_and_one_that_was_called_is_called_anew"),
            (_CENTRE, "53_a_number_that_was_there_is_followed_and_not_added"),
        ),
    ),
    54: (
        "the answer to an addition is lost",
        ((_CENTRE, "54_an_answer_that_is_lost_is_looked_for_before_anything_is_sent_again"),),
    ),
    55: (
        "a result that is read twice",
        ((_CENTRE, "52_55_numbers_go_there_once_and_come_back_with_their_ends"),),
    ),
    56: (
        "topics that change after the call",
        (
            (
                "integration/campaigns/test_topics.py",
                "56_topics_that_change_give_one_deal_and_one_note_that_is_rewritten",
            ),
            (
                "integration/campaigns/test_topics.py",
                "56_workers_that_die_in_between_leave_one_note_with_what_was_said_last",
            ),
        ),
    ),
    57: (
        "a topic's deal by both switches, with an open deal and without",
        ((_TOPICS, "57_s3_30_there_is_one_new_deal_whatever_the_switches_and_whatever_was_there"),),
    ),
    58: (
        "calls of campaigns while the switch is off",
        (
            (
                "unit/routing/matrix/test_campaign.py",
                "58_a_call_of_a_campaign_whose_switch_is_off_leaves_no_trace",
            ),
        ),
    ),
    59: ("a comment that is a text, or a list", ((_TOPICS, "59_a_comment_is_a_text_or_a_list"),)),
    60: (
        "a restart in the middle of many additions",
        (
            (
                "integration/campaigns/test_lists.py",
                "60_an_import_that_is_cut_off_goes_on_without_losing_or_doubling_anybody",
            ),
            (_PRESSED, "case_6_work_that_is_taken_again_after_a_kill_fires_for_the_rest_only"),
        ),
    ),
}


def test_every_case_is_numbered_and_has_a_test() -> None:
    assert list(CASES) == list(range(1, 61))
    assert numbers_without_tests(CASES) == []


def test_every_test_that_is_named_exists() -> None:
    assert gone_tests(CASES) == []
