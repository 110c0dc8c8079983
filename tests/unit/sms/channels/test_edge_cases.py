"""The fifty edge cases of messenger channels: each has a number, and tests that show what becomes of it."""

from __future__ import annotations

from tests.named_cases import NamedCases, gone_tests, numbers_without_tests

_CHANNEL_PAGES = "e2e/features/test_channel_pages.py"
_CHANNEL_STATES = "integration/alerts/test_channel_states.py"
_CHANNELS_API = "integration/api/test_channels.py"
_COPIED_MONTH = "integration/channels/test_copied_month.py"
_COPIES = "integration/channels/test_copies.py"
_FILES_IN = "integration/channels/test_files_in.py"
_GAPS = "integration/channels/test_gaps.py"
_HANDOUTS = "integration/channels/test_handouts.py"
_INCOMING = "integration/channels/test_incoming.py"
_NAMED_CASES = "integration/channels/test_named_cases.py"
_NUMBERS = "integration/channels/test_numbers.py"
_SENDING = "integration/channels/test_sending.py"
_TELEGRAM = "integration/channels/test_telegram.py"
_WAZZUP = "integration/channels/test_wazzup.py"
_WRITING_FIRST = "integration/channels/test_writing_first.py"
_DIALOGS = "integration/web/test_dialogs.py"
_DIALOGUE_ACCESS = "unit/routing/test_dialogue_access.py"
_DIALOGUE_COPIES = "unit/routing/test_dialogue_copies.py"
_STORED = "unit/sms/channels/test_stored.py"
_TELEGRAM_WIRE = "unit/sms/channels/test_telegram_wire.py"
_WAZZUP_WIRE = "unit/sms/channels/test_wazzup_wire.py"

CASES: NamedCases = {
    1: (
        "the same webhook twice, one after the other",
        ((_INCOMING, "cases_1_to_5_a_new_client_has_one_contact_and_one_deal_whatever_comes_at_once"),),
    ),
    2: (
        "the same webhook twice at once, on two workers",
        ((_INCOMING, "cases_1_to_5_a_new_client_has_one_contact_and_one_deal_whatever_comes_at_once"),),
    ),
    3: (
        "killed between commit and answer, the vendor repeats",
        ((_INCOMING, "cases_1_to_5_a_new_client_has_one_contact_and_one_deal_whatever_comes_at_once"),),
    ),
    4: (
        "two first messages of a new client within 50 ms",
        ((_INCOMING, "cases_1_to_5_a_new_client_has_one_contact_and_one_deal_whatever_comes_at_once"),),
    ),
    5: (
        "an album of five: one deal, five parts in order",
        ((_INCOMING, "cases_1_to_5_a_new_client_has_one_contact_and_one_deal_whatever_comes_at_once"),),
    ),
    6: (
        "a status in the message's body, before it, and `delivered` after `read`",
        (
            (_INCOMING, "cases_6_and_7_statuses_in_one_body_early_late_and_of_nobody"),
            (_STORED, "case_6_a_status_is_never_lowered_in_whatever_order_it_is_told"),
        ),
    ),
    7: (
        "the status of a message that nobody knows",
        ((_INCOMING, "cases_6_and_7_statuses_in_one_body_early_late_and_of_nobody"),),
    ),
    8: (
        "the echo of a message that we sent",
        ((_SENDING, "case_8_the_vendors_word_of_our_message_is_not_a_second_one_even_before_its_answer"),),
    ),
    9: (
        "an echo typed on the phone, its author mapped or not",
        (
            (
                _INCOMING,
                "cases_9_and_10_an_echo_from_the_phone_begins_a_dialogue_and_makes_its_mapped_author_the_owner",
            ),
        ),
    ),
    10: (
        "we wrote first",
        (
            (_COPIES, "case_10_what_belongs_to_no_deal_or_came_while_the_channel_was_off_is_not_copied"),
            (
                _INCOMING,
                "cases_9_and_10_an_echo_from_the_phone_begins_a_dialogue_and_makes_its_mapped_author_the_owner",
            ),
            (_WRITING_FIRST, "case_10_the_answer_comes_into_the_dialogue_that_we_began"),
            (_WRITING_FIRST, "case_10_whatever_is_told_before_the_messengers_answer_there_is_one_dialogue"),
        ),
    ),
    11: (
        "edited before the hour is written",
        (
            (
                _COPIES,
                "cases_11_12_15_16_18_late_edited_and_deleted_messages_stand_in_the_note_of_their_hour",
            ),
            (_DIALOGUE_COPIES, "case_11_a_line_tells_time_author_and_text_and_what_it_said_before"),
        ),
    ),
    12: (
        "edited after it",
        (
            (
                _COPIES,
                "cases_11_12_15_16_18_late_edited_and_deleted_messages_stand_in_the_note_of_their_hour",
            ),
            (_COPIED_MONTH, "cases_12_16_18_20_21_a_month_over_both_changes_of_the_clocks"),
        ),
    ),
    13: (
        "edited after three days, or the note is gone",
        (
            (_COPIES, "case_13_what_changes_in_a_note_that_is_gone_or_old_becomes_an_addition"),
            (_DIALOGUE_COPIES, "case_13_a_note_is_written_anew_for_thirty_days"),
        ),
    ),
    14: (
        "an edit of an edit in the wrong order",
        ((_INCOMING, "cases_14_to_17_edits_and_deletions_in_any_order"),),
    ),
    15: (
        "an edit that says the same",
        (
            (
                _COPIES,
                "cases_11_12_15_16_18_late_edited_and_deleted_messages_stand_in_the_note_of_their_hour",
            ),
            (_INCOMING, "cases_14_to_17_edits_and_deletions_in_any_order"),
            (_DIALOGUE_COPIES, "case_15_what_reads_the_same_is_not_written_again_and_surplus_notes_say_so"),
        ),
    ),
    16: (
        "taken back before and after the writing",
        (
            (
                _COPIES,
                "cases_11_12_15_16_18_late_edited_and_deleted_messages_stand_in_the_note_of_their_hour",
            ),
            (_COPIED_MONTH, "cases_12_16_18_20_21_a_month_over_both_changes_of_the_clocks"),
            (_INCOMING, "cases_14_to_17_edits_and_deletions_in_any_order"),
            (
                _DIALOGUE_COPIES,
                "case_16_of_a_message_that_was_taken_back_the_text_stays_only_where_that_was_chosen",
            ),
        ),
    ),
    17: (
        "an edit of a message that we never got",
        ((_INCOMING, "cases_14_to_17_edits_and_deletions_in_any_order"),),
    ),
    18: (
        "timed 13:59:59, come at 14:05",
        (
            (
                _COPIES,
                "cases_11_12_15_16_18_late_edited_and_deleted_messages_stand_in_the_note_of_their_hour",
            ),
            (_COPIED_MONTH, "cases_12_16_18_20_21_a_month_over_both_changes_of_the_clocks"),
            (_DIALOGUE_COPIES, "case_18_a_message_belongs_to_the_hour_of_its_own_time_however_late_it_comes"),
        ),
    ),
    19: (
        "the vendor's clock is a day ahead",
        (
            (
                _NAMED_CASES,
                "case_19_a_clock_that_is_a_day_ahead_is_not_believed_and_puts_nothing_out_of_order",
            ),
            (_NAMED_CASES, "case_19_its_copy_stands_in_the_hour_in_which_it_came"),
        ),
    ),
    20: (
        "a day's copy, days of 23 and 25 hours",
        (
            (_COPIED_MONTH, "cases_12_16_18_20_21_a_month_over_both_changes_of_the_clocks"),
            (_DIALOGUE_COPIES, "case_20_a_day_is_the_zones_own_and_may_have_23_or_25_hours"),
        ),
    ),
    21: (
        "the hour that repeats in autumn",
        (
            (_COPIED_MONTH, "cases_12_16_18_20_21_a_month_over_both_changes_of_the_clocks"),
            (_DIALOGUE_COPIES, "case_21_the_hour_that_the_clocks_repeat_is_two_and_each_says_which_it_is"),
        ),
    ),
    22: (
        "the rule changes within the hour",
        ((_COPIES, "case_22_a_rule_that_is_changed_within_the_hour_loses_and_doubles_nothing"),),
    ),
    23: (
        "killed after the note was posted, before the commit",
        ((_COPIES, "case_23_a_worker_killed_after_its_request_before_the_commit_writes_no_second_note"),),
    ),
    24: (
        "40,000 characters, and 700 messages in an hour",
        (
            (_COPIES, "case_24_of_a_long_day_only_the_part_that_changes_is_written_anew"),
            (
                _DIALOGUE_COPIES,
                "case_24_a_message_of_40000_characters_and_700_in_an_hour_stand_in_parts_that_say_so",
            ),
        ),
    ),
    25: (
        "no character is cut, no direction turned",
        (
            (_DIALOGUE_COPIES, "case_25_a_client_cannot_turn_lines_nor_write_one_that_looks_like_anothers"),
            (_DIALOGUE_COPIES, "case_25_nothing_is_cut_within_what_people_see_as_one_character"),
        ),
    ),
    26: (
        "media without a text, captions, unknown kinds",
        (
            (_TELEGRAM_WIRE, "an_update_means_what_its_file_says"),
            (_WAZZUP_WIRE, "a_body_means_what_its_file_says"),
            (_FILES_IN, "case_26_an_edited_message_keeps_its_file_and_days_end_for_files_as_for_texts"),
        ),
    ),
    27: (
        "files that cannot be had, or must not be fetched",
        (
            (_TELEGRAM, "case_27_a_file_is_brought_and_one_that_is_too_large_is_not"),
            (_FILES_IN, "case_27_what_cannot_be_had_says_why_and_no_dialogue_waits_for_it"),
            (_FILES_IN, "case_27_nothing_is_fetched_from_where_only_we_can_reach"),
            (_FILES_IN, "case_27_a_redirect_gains_nothing_and_the_operator_lets_a_host_through"),
        ),
    ),
    28: (
        "a quoted message: known, unknown, deleted, of another channel",
        (
            (_NAMED_CASES, "case_28_a_copy_says_what_is_answered_and_nothing_of_what_was_taken_back"),
            (_DIALOGS, "case_28_what_is_answered_is_shown_known_unknown_deleted_or_of_another_channel"),
        ),
    ),
    29: (
        "one client, two channels",
        (
            (
                _INCOMING,
                "case_29_one_client_on_two_channels_has_one_deal_and_case_30_without_a_number_nobody_is_merged",
            ),
        ),
    ),
    30: (
        "a client without a number names one in a text",
        (
            (
                _INCOMING,
                "case_29_one_client_on_two_channels_has_one_deal_and_case_30_without_a_number_nobody_is_merged",
            ),
        ),
    ),
    31: (
        "one number on two contacts",
        ((_NAMED_CASES, "case_31_of_two_contacts_with_one_number_the_one_with_the_deal_is_taken"),),
    ),
    32: (
        "a group: many authors, no deal, a new id",
        (
            (_TELEGRAM, "case_32_a_message_to_a_group_that_has_another_number_goes_there_once"),
            (_INCOMING, "case_32_a_group_makes_no_deal_and_goes_on_under_its_new_id"),
        ),
    ),
    33: (
        "two answer within 10 ms",
        (
            (_SENDING, "case_33_of_two_who_answer_at_once_one_becomes_the_owner_and_the_other_is_told"),
            (
                _INCOMING,
                "case_34_robots_greetings_and_campaigns_do_not_win_and_case_33_the_second_answer_changes_nothing",
            ),
        ),
    ),
    34: (
        "robots, greetings and campaigns do not win",
        (
            (
                _INCOMING,
                "case_34_robots_greetings_and_campaigns_do_not_win_and_case_33_the_second_answer_changes_nothing",
            ),
        ),
    ),
    35: (
        "the winner has left meanwhile",
        (
            (_SENDING, "case_35_an_owner_who_has_left_is_followed_by_the_next_who_answers"),
            (_HANDOUTS, "case_35_who_is_deactivated_meanwhile_keeps_no_client"),
        ),
    ),
    36: (
        "weights 1, 1, 2, 1 over a restart",
        ((_HANDOUTS, "case_36_weights_give_items_1_2_3_to_4_and_5_whatever_is_restarted_in_the_middle"),),
    ),
    37: (
        "everybody off shift",
        ((_HANDOUTS, "case_37_everybody_off_shift_the_dialogue_waits_and_is_given_to_who_comes"),),
    ),
    38: (
        "closed, deleted, merged",
        (
            (_HANDOUTS, "case_38_after_closing_the_last_deal_is_taken_or_a_new_one_is_handed_out"),
            (_HANDOUTS, "case_38_a_deleted_deal_is_made_anew_and_a_merged_contact_is_the_one_that_is_left"),
            (_INCOMING, "case_38_after_closing_the_rule_says_which_deal"),
        ),
    ),
    39: (
        "the channel is off, renamed, removed, in trouble",
        (
            (_INCOMING, "case_39_a_channel_that_is_off_or_in_trouble_is_still_listened_to"),
            (_WAZZUP, "case_39_a_channel_says_how_it_fares"),
            (_CHANNEL_STATES, "case_39_a_state_of_a_channel_is_one_alarm_and_a_new_name_is_none"),
        ),
    ),
    40: (
        "an employee appears only after a refresh",
        ((_CHANNEL_PAGES, "case_40_whom_the_crm_has_hired_since_is_responsible_only_after_a_refresh"),),
    ),
    41: (
        "rights, by every way in",
        (
            (_CHANNELS_API, "cases_41_and_42_rights_hold_everywhere_and_the_default_channel_follows_them"),
            ("integration/api/test_rights_in_dialogues.py", "no_route_leads_further_than_the_rule"),
            ("integration/web/test_rights_in_dialogues.py", "no_address_leads_further_than_the_rule"),
            (_DIALOGUE_ACCESS, "cases_41_43_44_who_sees_a_dialogue_is_who_finds_it"),
            (_DIALOGUE_ACCESS, "cases_41_43_44_what_each_may"),
        ),
    ),
    42: (
        "the default channel",
        (
            (_CHANNELS_API, "cases_41_and_42_rights_hold_everywhere_and_the_default_channel_follows_them"),
            (_DIALOGUE_ACCESS, "case_42_a_person_writes_from_the_chosen_channel_else_from_the_only_one"),
        ),
    ),
    43: (
        "own dialogues and those of nobody",
        (
            (_CHANNELS_API, "case_43_own_dialogues_and_those_of_nobody_until_they_are_somebody_elses"),
            (_DIALOGUE_ACCESS, "cases_41_43_44_who_sees_a_dialogue_is_who_finds_it"),
            (_DIALOGUE_ACCESS, "cases_41_43_44_what_each_may"),
        ),
    ),
    44: (
        "the observer",
        (
            (_DIALOGUE_ACCESS, "cases_41_43_44_who_sees_a_dialogue_is_who_finds_it"),
            (_DIALOGUE_ACCESS, "cases_41_43_44_what_each_may"),
        ),
    ),
    45: (
        "sending: unknown, throttled, refused, too long, with a file",
        (
            (_SENDING, "case_45_one_key_is_one_message_however_often_it_is_sent"),
            (
                _SENDING,
                "case_45_what_is_unknown_is_not_sent_again_and_is_found_by_its_key_or_told_by_the_vendor",
            ),
            (_SENDING, "case_45_throttled_messages_wait_in_their_order_and_a_channel_without_money_says_so"),
            (_SENDING, "case_45_limits_are_told_before_anything_goes_out"),
        ),
    ),
    46: (
        "Wazzup tries the address",
        (
            (_WAZZUP, "case_46_the_address_is_tried_while_it_is_given"),
            (_WAZZUP, "case_46_an_address_that_does_not_answer_is_told_in_words"),
        ),
    ),
    47: (
        "bad signature, replay, size, type, unknown fields",
        (
            (_INCOMING, "case_47_strangers_learn_nothing_and_what_cannot_be_read_is_kept"),
            (_TELEGRAM_WIRE, "case_47_order_repetition_and_unknown_fields_change_nothing"),
            (_TELEGRAM_WIRE, "case_47_a_webhook_is_known_by_the_secret_in_its_header"),
            (_WAZZUP_WIRE, "case_47_order_repetition_and_unknown_fields_change_nothing"),
        ),
    ),
    48: (
        "answered in time with the database slow",
        ((_NAMED_CASES, "case_48_a_webhook_is_answered_in_time_though_the_database_is_slow_or_silent"),),
    ),
    49: (
        "an outage of three days",
        (
            (_GAPS, "case_49_three_days_that_a_history_tells_are_stored_once_and_in_order"),
            (_GAPS, "case_49_without_a_history_the_gap_is_seen_in_the_channel_and_its_dialogues"),
            (_GAPS, "case_49_who_begins_to_write_after_an_outage_may_have_written_in_it"),
            (_CHANNELS_API, "case_49_a_gap_is_told_of_the_channel_and_of_dialogues_that_one_may_see"),
        ),
    ),
    50: (
        "8 and +7",
        (
            (_NUMBERS, "case_50_numbers_of_asia_are_never_spoiled"),
            (_NUMBERS, "case_50_an_eight_is_plus_seven_where_that_is_switched_on"),
            (_NUMBERS, "case_50_the_channels_own_switch_counts_and_else_the_accounts"),
        ),
    ),
}


def test_all_fifty_are_there_and_each_has_tests() -> None:
    assert sorted(CASES) == list(range(1, 51))
    assert numbers_without_tests(CASES) == []


def test_every_named_test_is_there() -> None:
    assert gone_tests(CASES) == []
