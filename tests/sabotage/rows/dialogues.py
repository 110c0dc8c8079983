"""A client who writes is somebody's, once, and what is told of our messages reaches the right one."""

from __future__ import annotations

from tests.sabotage.sabotage import Sabotage

_HANDOUTS = "tests/integration/channels/test_handouts.py"
_FIRST = "tests/integration/channels/test_writing_first.py"
_BESIDE = "tests/integration/channels/test_wazzup_beside.py"
_DAYS = "tests/integration/channels/test_days.py"
_NAMED = "tests/integration/channels/test_named_cases.py"

ROWS = (
    Sabotage(
        name="a-chats-deal-is-handed-out-for-each-message",
        hurts="who waits for somebody to come is given to several people, and the turns are spent on one client",
        file="routing/dialogues/owner.py",
        old="    if told.owner is None and told.is_handed_out:\n",
        new="    if False:\n",
        tests=(
            f"{_HANDOUTS}::test_case_37_everybody_off_shift_the_dialogue_waits_and_is_given_to_who_comes",
            "tests/unit/routing/test_dialogue_owner.py::test_what_becomes_of_the_deal",
        ),
    ),
    Sabotage(
        name="a-dialogue-does-not-go-with-its-deal",
        hurts="whoever gets a deal does not see what its client writes",
        file="gateway/distribution/handout.py",
        old="            await follow_given(conn, self._account.id, of_chats, self._now)\n",
        new="            pass\n",
        tests=(
            f"{_HANDOUTS}::test_case_36_weights_give_items_1_2_3_to_4_and_5_whatever_is_restarted_in_the_middle",
        ),
    ),
    Sabotage(
        name="an-eight-spoils-a-number-of-a-messenger",
        hurts="a client in a messenger is not the one who calls, and has two contacts and two deals",
        file="gateway/channels/intake.py",
        old="return replace(chat, phone=client_number(chat.phone, policy)) if chat.phone else chat",
        new="return chat",
        tests=(
            "tests/integration/channels/test_numbers.py"
            "::test_case_50_the_channels_own_switch_counts_and_else_the_accounts",
        ),
    ),
    Sabotage(
        name="an-answer-begins-another-dialogue",
        hurts="a client who was written to first answers into a dialogue of nobody's",
        file="gateway/store/channels/dialogues.py",
        old='(chat_of_number(chat.phone) if chat.phone else "")',
        new='""',
        tests=(f"{_FIRST}::test_case_10_the_answer_is_found_though_nobody_told_where_our_message_went",),
    ),
    Sabotage(
        name="a-status-stays-with-the-channel-of-the-address",
        hurts="of all channels of a Wazzup account but one nobody sees what was delivered or read",
        file="gateway/channels/chat_job.py",
        old="        channels = [saved.id] if told.channel else self._told_with(saved)\n",
        new="        channels = [saved.id]\n",
        tests=(f"{_BESIDE}::test_a_status_that_names_no_channel_reaches_the_message_of_a_channel_beside",),
    ),
    Sabotage(
        name="the-vendors-word-of-ours-is-a-second-message",
        hurts="a message whose answer was lost stands twice in the dialogue, once as unknown",
        file="gateway/channels/chat_job.py",
        old="            known = await self._of_ours(saved, dialogue, update, told)\n",
        new="            known = None\n",
        tests=(
            f"{_BESIDE}::test_a_repeated_send_that_comes_back_without_our_key_is_one_message",
            f"{_BESIDE}::test_case_45_what_may_have_gone_out_is_found_by_the_vendors_word_of_it",
        ),
    ),
    Sabotage(
        name="who-is-left-of-an-address-is-told-nothing",
        hurts="after a channel of a Wazzup account was removed, the others hear of no message for up to an hour",
        file="gateway/channels/work.py",
        old="and self._beside(saved) == beside:",
        new="and True:",
        tests=(f"{_BESIDE}::test_who_is_left_gives_its_address_when_the_one_beside_is_removed",),
    ),
    Sabotage(
        name="numbers-stay-in-dialogues",
        hurts="a client's number is kept longer than the account says",
        file="gateway/store/channels/old.py",
        old="UPDATE dialogue d SET number = NULL,",
        new="UPDATE dialogue d SET",
        tests=(f"{_DAYS}::test_numbers_chats_and_names_of_clients_go_and_who_writes_again_begins_anew",),
    ),
    Sabotage(
        name="a-template-gives-chats-to-who-may-not-write",
        hurts="a client waits: the dialogue is somebody's who cannot open it",
        file="routing/distribution/eligible.py",
        old='barred = {**dict.fromkeys(item.no_right, "no_channel_right"), **barred}',
        new="pass",
        tests=(f"{_HANDOUTS}::test_who_may_not_write_in_the_channel_is_passed_over_and_the_walk_says_why",),
    ),
    Sabotage(
        name="who-has-left-still-reads-and-writes",
        hurts="somebody who was dismissed reads what clients write, and answers them",
        file="routing/dialogues/access.py",
        old='return "none" if self.is_gone else self.rights.get(channel_id, "none")',
        new='return self.rights.get(channel_id, "none")',
        tests=(
            "tests/unit/routing/test_dialogue_access.py"
            "::test_whoever_is_switched_off_in_the_crm_has_no_right_whatever_they_hold",
        ),
    ),
    Sabotage(
        name="a-dialogue-stays-with-who-cannot-see-it",
        hurts="a client waits whom nobody who may answer can see",
        file="routing/dialogues/access.py",
        old="return owner is None or (owners is not None and owner not in owners.get(channel_id, ()))",
        new="return owner is None",
        tests=(
            "tests/unit/routing/test_dialogue_access.py"
            "::test_a_dialogue_of_somebody_who_cannot_look_after_it_is_nobodys",
        ),
    ),
    Sabotage(
        name="one-bad-message-stops-a-channel",
        hurts="nothing of a channel is sent or copied any more",
        file="gateway/channels/sender.py",
        old="except ValueError as err:  # one that can be no message",
        new="except ZeroDivisionError as err:  # one that can be no message",
        tests=(
            "tests/integration/channels/test_sending.py"
            "::test_a_message_that_no_messenger_would_take_holds_up_no_other",
        ),
    ),
    Sabotage(
        name="door-waits-for-the-database",
        hurts="a messenger that hears nothing for two seconds takes our address for broken and unsubscribes it",
        file="gateway/channels/door.py",
        old="            within = (min(granted, _MOST) - spent).total_seconds()",
        new="            within = 60.0",
        tests=(
            f"{_NAMED}::test_case_48_a_webhook_is_answered_in_time_though_the_database_is_slow_or_silent",
        ),
    ),
    Sabotage(
        name="contact-without-the-deal",
        hurts="of two contacts with one number the wrong one becomes the responsible's",
        file="gateway/channels/places.py",
        old="    return with_whose_deal(decision, client, [e.ref for e in whose[0].entities])",
        new="    return decision if whose else decision",
        tests=(f"{_NAMED}::test_case_31_of_two_contacts_with_one_number_the_one_with_the_deal_is_taken",),
    ),
    Sabotage(
        name="edit-of-tomorrow-holds",
        hurts="what a client corrects is not seen for a day, since a messenger's clock was ahead",
        file="gateway/channels/chat_job.py",
        old="    at = min(edit.at, update.told_at) if edit.at else None",
        new="    at = edit.at",
        tests=(
            f"{_NAMED}::test_case_19_a_clock_that_is_a_day_ahead_is_not_believed_and_puts_nothing_out_of_order",
        ),
    ),
    Sabotage(
        name="quote-of-what-was-taken-back",
        hurts="what a client has taken back is still read where somebody answered it",
        file="gateway/web/dialogs/thread.py",
        old="    if known is not None and known.deleted_at:",
        new="    if False:",
        tests=(
            "tests/integration/web/test_dialogs.py"
            "::test_case_28_what_is_answered_is_shown_known_unknown_deleted_or_of_another_channel",
        ),
    ),
    Sabotage(
        name="number-that-is-told-late",
        hurts="a client whose dialogue began with our own words becomes a second contact with a second deal",
        file="gateway/channels/places.py",
        old="    of_number = await known_client(conn, account_id, dialogue.number) if dialogue.number else None",
        new="    of_number = None",
        tests=(f"{_NAMED}::test_a_number_that_is_told_after_the_dialogue_has_begun_makes_no_twin",),
    ),
    Sabotage(
        name="gap-of-who-begins-to-write",
        hurts="nobody sees that what a client wrote first, two days before, is missing",
        file="gateway/store/channels/gaps.py",
        old="        AND g.created_at > d.created_at - interval '1 day')",
        new="        AND g.to_at > d.created_at - interval '1 day')",
        tests=(
            "tests/integration/channels/test_gaps.py"
            "::test_case_49_who_begins_to_write_after_an_outage_may_have_written_in_it",
        ),
    ),
)
