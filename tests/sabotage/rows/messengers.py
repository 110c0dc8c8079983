"""A messenger's secret stays secret, and nobody else speaks or is heard in a channel's place."""

from __future__ import annotations

from tests.sabotage.sabotage import Sabotage

_TELEGRAM = "tests/unit/sms/channels/test_telegram_wire.py"
_WAZZUP = "tests/unit/sms/channels/test_wazzup_wire.py"

_SENDING = "tests/integration/channels/test_sending.py"
_COPIES = "tests/integration/channels/test_copies.py"
_DIALOGS = "tests/integration/web/test_dialogs.py"
_FILES_IN = "tests/integration/channels/test_files_in.py"

ROWS = (
    Sabotage(
        name="a-bots-token-is-recorded",
        hurts="whoever may read the record of exchanges can read and write in the bot's place",
        file="sms/channels/telegram/adapter.py",
        old='f"bot{HIDDEN}/{method}"',
        new='f"bot{self._token}/{method}"',
        tests=(
            "tests/integration/channels/test_telegram.py::test_the_token_stands_in_no_record_and_in_no_error",
        ),
    ),
    Sabotage(
        name="a-bots-webhook-is-not-judged",
        hurts="whoever learns the address writes in the clients' names",
        file="sms/channels/telegram/adapter.py",
        old='named.get(_HEADER, "").encode(), secret.encode()',
        new="secret.encode(), secret.encode()",
        tests=(f"{_TELEGRAM}::test_case_47_a_webhook_is_known_by_the_secret_in_its_header",),
    ),
    Sabotage(
        name="a-strangers-account-is-heard",
        hurts="who connects the bot to their own account fills the CRM with their private chats",
        file="sms/channels/telegram/wire.py",
        old="    if of and connection and of != connection:",
        new="    if of and connection and not of:",
        tests=(f"{_TELEGRAM}::test_a_strangers_business_account_is_kept_apart_and_not_lost",),
    ),
    Sabotage(
        name="a-repetition-counts-as-refused",
        hurts="a message that the client has got is shown as not sent, and somebody sends it again",
        file="sms/channels/wazzup/wire.py",
        old="    if plain(code) == REPEATED:",
        new="    if code == REPEATED:",
        tests=(f"{_WAZZUP}::test_a_message_that_is_refused_as_a_repetition_was_taken_before",),
    ),
    Sabotage(
        name="message-of-a-known-key",
        hurts="an answer that is sent again over a weak connection fails, or goes out twice",
        file="gateway/channels/accepting.py",
        old="    if same is not None:\n",
        new="    if False:\n",
        tests=(f"{_SENDING}::test_case_45_one_key_is_one_message_however_often_it_is_sent",),
    ),
    Sabotage(
        name="message-of-unknown-outcome",
        hurts="a client gets a message twice whose answer was lost",
        file="gateway/channels/sender.py",
        old="await store.raise_status(conn, held, MessageStatus.UNKNOWN, reason=why, words=words)",
        new="await outgoing.put_back(conn, held, now)",
        tests=(
            f"{_SENDING}::test_a_message_whose_sender_was_killed_is_unknown_and_others_of_its_chat_go_on",
        ),
    ),
    Sabotage(
        name="message-into-a-taken-dialogue",
        hurts="two employees answer one client, and neither knows of the other",
        file="routing/dialogues/sending.py",
        old='        (told.is_taken and not told.is_anyway, "taken"),\n',
        new="",
        tests=(
            "tests/unit/routing/test_dialogue_access.py"
            "::test_case_45_each_limit_is_told_by_its_reason_and_what_is_within_all_goes_out",
        ),
    ),
    Sabotage(
        name="message-status-lowered",
        hurts="a message that was read is shown as delivered",
        file="sms/channels/model.py",
        old="    return told if _RANK[told] > _RANK[known] else known\n",
        new="    return told\n",
        tests=(
            "tests/unit/sms/channels/test_stored.py"
            "::test_case_6_a_status_is_never_lowered_in_whatever_order_it_is_told",
        ),
    ),
    Sabotage(
        name="copies-of-one-client-at-once",
        hurts="a deal has two notes of one hour, each with a part of the dialogue",
        file="gateway/channels/copier.py",
        old="            await lock_client(conn, self._account_id, client)\n            rows",
        new="            rows",
        tests=(f"{_COPIES}::test_a_copier_waits_for_whoever_works_on_the_client",),
    ),
    Sabotage(
        name="copy-in-a-deleted-note",
        hurts="what a client corrects stands nowhere in the deal once somebody has deleted the note",
        file="gateway/channels/copier.py",
        old="        if not gone:\n",
        new="        if True:\n",
        tests=(f"{_COPIES}::test_case_13_what_changes_in_a_note_that_is_gone_or_old_becomes_an_addition",),
    ),
    Sabotage(
        name="copy-of-an-echo",
        hurts="what an employee wrote stands in the deal twice",
        file="gateway/store/channels/outgoing.py",
        old='    await pass_copy_on(conn, message.account_id, echo["message_id"], message.message_id)\n',
        new="",
        tests=(
            f"{_COPIES}::test_of_ours_stands_there_what_was_sent_and_the_echo_of_it_is_no_second_message",
        ),
    ),
    Sabotage(
        name="copy-of-what-is-no-longer-kept",
        hurts="a note in the deal loses what was said in it because our own days for it are over",
        file="gateway/channels/copier.py",
        old="    if copy.revision and await _is_lost(conn, copy, rows):\n",
        new="    if False:\n",
        tests=(f"{_COPIES}::test_what_is_no_longer_kept_is_not_written_over_in_the_note",),
    ),
    Sabotage(
        name="dialogue-told-to-everybody",
        hurts="who may not see a dialogue is told that something happened in it",
        file="gateway/web/dialogs/hearing.py",
        old='        if not may_read(await self._onlooker(), channel, owner or None):\n            return ""\n',
        new="",
        tests=(f"{_DIALOGS}::test_what_changes_is_told_to_those_who_may_see_it",),
    ),
    Sabotage(
        name="dialogue-read-behind-a-window",
        hurts="a message that nobody has seen counts as read, since a page stood open behind another",
        file="gateway/web/dialogs/one.py",
        old="        if not query.hidden:\n",
        new="        if True:\n",
        tests=(f"{_DIALOGS}::test_filters_find_what_is_unread_ones_own_and_nobodys",),
    ),
    Sabotage(
        name="a-file-from-our-own-network",
        hurts="whoever writes to us has us fetch what only this machine can reach",
        file="runtime/vendors/named_addresses.py",
        old='any(self._is_forbidden(one["host"]) for one in found)',
        new='any(one["host"] == "" for one in found)',
        tests=(f"{_FILES_IN}::test_case_27_nothing_is_fetched_from_where_only_we_can_reach",),
    ),
    Sabotage(
        name="a-file-read-to-its-end",
        hurts="one client fills the worker's memory with one endless file",
        file="runtime/vendors/named_addresses.py",
        old="        if len(read) > most_bytes:",
        new="        if len(read) > 1000 * most_bytes:",
        tests=(f"{_FILES_IN}::test_case_27_what_cannot_be_had_says_why_and_no_dialogue_waits_for_it",),
    ),
    Sabotage(
        name="a-clients-page-is-run",
        hurts="a client's HTML runs in the employee's browser, with the employee's rights",
        file="gateway/channels/files/giving.py",
        old="    is_shown = file.media_type in INLINE_TYPES",
        new="    is_shown = bool(file.media_type)",
        tests=(
            "tests/integration/api/test_chat_files.py"
            "::test_a_file_is_given_out_by_the_right_of_its_dialogue_and_never_run",
        ),
    ),
    Sabotage(
        name="an-address-of-a-file-lives-on",
        hurts="whoever finds an old address in a log reads what was sent to a client",
        file="gateway/store/channels/files.py",
        old="f.link_until > $2",
        new="f.link_until > $2 - interval '1 day'",
        tests=(
            "tests/integration/channels/test_files_out.py"
            "::test_case_45_wazzup_is_given_the_text_and_then_an_address_that_nobody_can_guess",
        ),
    ),
    Sabotage(
        name="what-was-missed-is-not-asked-for",
        hurts="three days of what clients wrote are lost, and nobody sees it",
        file="routing/dialogues/gaps.py",
        old="    if now - listened_at < SHORTEST_GAP:",
        new="    if listened_at < now:",
        tests=(
            "tests/integration/channels/test_gaps.py"
            "::test_case_49_three_days_that_a_history_tells_are_stored_once_and_in_order",
        ),
    ),
    Sabotage(
        name="new-deals-begin-closed",
        hurts="each message of a client makes one more closed deal",
        file="routing/dialogues/rule_problems.py",
        old="    return not (stage.is_closed or stage.is_unsorted)",
        new="    return not stage.is_unsorted",
        tests=(
            "tests/integration/api/test_channel_rules.py::test_a_rule_that_cannot_be_is_named_with_what_may_be_and_nothing_is_stored",
        ),
    ),
    Sabotage(
        name="one-rule-resets-the-others",
        hurts="who changes one rule of a channel has new deals made in the default pipeline",
        file="gateway/admin/channels/rules.py",
        old='{**now.model_dump(mode="json"), **told}',
        new="told",
        tests=(
            "tests/integration/api/test_channel_rules.py::test_of_rules_only_what_is_named_changes_and_null_is_the_default",
        ),
    ),
)
