"""A messenger's secret stays secret, and nobody else speaks or is heard in a channel's place."""

from __future__ import annotations

from tests.sabotage.sabotage import Sabotage

_TELEGRAM = "tests/unit/sms/channels/test_telegram_wire.py"
_WAZZUP = "tests/unit/sms/channels/test_wazzup_wire.py"

_SENDING = "tests/integration/channels/test_sending.py"
_COPIES = "tests/integration/channels/test_copies.py"
_DIALOGS = "tests/integration/web/test_dialogs.py"

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
)
