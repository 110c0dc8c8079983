"""What people order is theirs alone, is written down, and is not lost to anybody else's order."""

from __future__ import annotations

from tests.sabotage.sabotage import Sabotage

_BOT = "tests/integration/presence/test_bot.py"
_PERSONAL = "tests/integration/intake/test_personal_data.py"

ROWS = (
    Sabotage(
        name="a-form-takes-back-what-another-admin-saved",
        hurts="what one admin saved is undone by another who had the page open and changed something else",
        file="gateway/web/saving/together.py",
        old="        values[name] = own if is_own else stands",
        new="        values[name] = own",
        tests=(
            "tests/integration/web/test_saved_together.py::test_what_another_admin_saved_meanwhile_stays[employee]",
        ),
    ),
    Sabotage(
        name="of-one-field-that-two-admins-changed-the-later-wins",
        hurts="what one admin saved in a field is gone, and nobody was asked",
        file="gateway/web/saving/together.py",
        old="            clashes[name] = stands",
        new="            pass",
        tests=(
            "tests/integration/web/test_saved_together.py::test_whoever_changes_the_same_field_second_is_asked_and_nothing_is_saved_until_then[pbx]",
        ),
    ),
    Sabotage(
        name="everybody-is-ordered-to-set-up",
        hurts="a manager reads an order that only an admin can carry out, and not whom to ask",
        file="gateway/web/app.py",
        old='(TEXTS if who.may("admin") else FOR_OTHERS)',
        new='(TEXTS if who.may("read_only") else FOR_OTHERS)',
        tests=(
            "tests/integration/web/test_dialogs.py::test_who_may_not_set_up_a_channel_is_told_whom_to_ask",
        ),
    ),
    Sabotage(
        name="a-link-is-drawn-to-a-closed-page",
        hurts="who follows it is told that they may not enter",
        file="gateway/web/frame.py",
        old="        return role is not None and self.may(role)",
        new="        return role is not None or self.may(role)",
        tests=(
            "tests/integration/web/test_rights.py::test_no_link_leads_to_a_page_that_is_closed_to_who_reads_it",
        ),
    ),
    Sabotage(
        name="the-second-of-two-admins-wins",
        hurts="somebody's changes of the matrix are overwritten without a word",
        file="gateway/store/admin/matrices.py",
        old="    if seen.revision != revision:",
        new="    if seen.revision < 0:",
        tests=(
            "tests/integration/store/test_matrices.py::test_the_second_of_two_admins_is_told_and_nothing_is_overwritten",
        ),
    ),
    Sabotage(
        name="a-draft-is-not-locked",
        hurts="of two saves in the same moment both are confirmed and one is lost",
        file="gateway/store/admin/matrices.py",
        old="WHERE account_id = $1 FOR NO KEY UPDATE",
        new="WHERE account_id = $1",
        tests=("tests/integration/store/test_matrices.py::test_a_save_waits_for_whoever_holds_the_account",),
    ),
    Sabotage(
        name="errors-are-published",
        hurts="a matrix that orders what cannot be done decides about real calls",
        file="gateway/store/admin/matrices.py",
        old="        problems = check(seen.matrix, catalogue)\n        if not can_be_published(problems):",
        new="        problems = check(seen.matrix, catalogue)\n        if not problems and problems:",
        tests=("tests/integration/store/test_matrices.py::test_errors_block_publishing_and_keep_the_draft",),
    ),
    Sabotage(
        name="of-two-editors-of-one-cell-the-later-wins",
        hurts="what somebody wrote into a cell is gone, and nobody was asked",
        file="routing/matrix/versions/merge.py",
        old="        if one != was and other not in (was, one):",
        new="        if one is other and other not in (was, one):",
        tests=(
            "tests/unit/routing/matrix/versions/test_merge.py::test_a_cell_that_both_changed_is_asked_about_and_stays_as_it_is_saved",
        ),
    ),
    Sabotage(
        name="a-client-changes-sides-of-a-trial",
        hurts="a client whose missed call was decided by one version is called back by another",
        file="routing/matrix/versions/trial.py",
        old="    if of_case is not None and of_case.version == trial.version:",
        new="    if of_case is not None and of_case.version != trial.version:",
        tests=(
            "tests/unit/routing/matrix/versions/test_trial.py::test_who_waits_for_a_call_back_stays_on_the_side_of_the_missed_call",
        ),
    ),
    Sabotage(
        name="something-else-is-published-during-a-trial",
        hurts="a trial is compared with a version that changes meanwhile, and ends as the published one unasked",
        file="gateway/store/admin/matrices.py",
        old="    if trial := await running_trial(conn, account_id):",
        new="    if (trial := await running_trial(conn, account_id)) and trial.version < 0:",
        tests=(
            "tests/integration/api/test_matrix_trials.py::test_while_a_version_is_on_trial_nothing_else_is_published",
        ),
    ),
    Sabotage(
        name="a-change-leaves-no-entry",
        hurts="nobody can say who changed what",
        file="gateway/store/admin/audit.py",
        old="    if change.before is not None and before == after:\n        return",
        new="    if change.before is not None:\n        return",
        tests=(
            "tests/integration/api/test_audit.py::test_entries_say_what_was_before_and_after_and_no_secret",
        ),
    ),
    Sabotage(
        name="every-role-may-do-everything",
        hurts="a token that may only read changes the account",
        file="gateway/api/app.py",
        old="    if bar := why_not_ask(route, who, path):",
        new="    if bar := None:",
        tests=(
            "tests/integration/api/test_matrices.py::test_roles_read_only_reads_a_senior_manager_tries_and_an_admin_publishes",
        ),
    ),
    Sabotage(
        name="a-binding-holds-where-the-address-names-nothing",
        hurts="whoever may touch one template moves everybody's deals by another one",
        file="gateway/admin/operations/shift_change.py",
        old="        policy = await show_policy(conn, account_id)\n        refuse_other_template(policy.template or None)\n",
        new="        policy = await show_policy(conn, account_id)\n",
        tests=(
            "tests/integration/api/test_bindings.py::test_what_uses_another_template_is_refused_and_changes_nothing",
        ),
    ),
    Sabotage(
        name="a-binding-holds-where-one-is-named-inside",
        hurts="whoever may touch one template has callers rung, and clients given, by another one",
        file="gateway/admin/matrices.py",
        old="    refuse_others((await store.draft(conn, account_id)).matrix, matrix)\n",
        new="",
        tests=(
            "tests/integration/api/test_bindings.py::test_no_door_puts_another_template_or_schedule_to_use",
        ),
    ),
    Sabotage(
        name="messages-of-open-cases-are-cleaned-away",
        hurts="a repeated message of a call that is still worked on is a new one",
        file="gateway/store/intake/inbox.py",
        old="AND m.client = c.client AND m.state = 'open')",
        new="AND m.client = c.client AND m.state = 'none')",
        tests=(
            "tests/integration/intake/test_retention.py::test_what_is_over_is_forgotten_and_an_open_case_is_kept",
        ),
    ),
    Sabotage(
        name="messages-of-the-desk-are-cleaned-away",
        hurts="what nobody could process disappears before a person has looked at it",
        file="gateway/store/intake/inbox.py",
        old="WHERE i.received_at < $1 AND i.state IN ('applied', 'ignored')",
        new="WHERE i.received_at < $1 AND i.state IN ('applied', 'ignored', 'dead')",
        tests=(
            "tests/integration/intake/test_retention.py::test_what_is_young_dead_or_not_yet_sent_is_kept",
        ),
    ),
    Sabotage(
        name="emptied-messages-are-removed",
        hurts="a message that a PBX repeats after its payload was emptied makes its call anew",
        file="gateway/store/admin/personal_data.py",
        old="UPDATE inbox SET raw = '' WHERE (account_id, event_id) IN (",
        new="DELETE FROM inbox WHERE (account_id, event_id) IN (",
        tests=(f"{_PERSONAL}::test_raw_payloads_go_and_a_late_repeat_is_still_recognised",),
    ),
    Sabotage(
        name="clients-with-open-work-are-emptied",
        hurts="an effect that waits is sent without its number and name",
        file="gateway/store/admin/personal_data.py",
        old="    is_over AND due_at IS NULL\n    AND NOT EXISTS (SELECT 1 FROM effect e WHERE e.account_id = c.account_id AND e.call_id = c.call_id\n        AND e.state IN ('waiting', 'sending', 'unknown', 'held', 'dead'))",
        new="    is_over AND due_at IS NULL",
        tests=(f"{_PERSONAL}::test_who_is_still_worked_for_is_left_until_it_is_done",),
    ),
    Sabotage(
        name="any-chat-answers-for-anybody",
        hurts="somebody else's press says that an employee is there, and calls ring at an empty desk",
        file="gateway/admin/presence/chats.py",
        old="    if chat is None or chat_id != asked.chat_id or chat_id != chat.chat_id:",
        new="    if chat is None:",
        tests=(f"{_BOT}::test_a_button_that_is_pressed_elsewhere_answers_nothing",),
    ),
    Sabotage(
        name="a-code-links-again-and-again",
        hurts="whoever sees a used code later answers in another's name",
        file="gateway/store/presence/chats.py",
        old="linked_at = $3, code_hash = NULL, code_until = NULL",
        new="linked_at = $3",
        tests=(f"{_BOT}::test_a_code_links_once_in_a_chat_of_ones_own_and_not_for_ever",),
    ),
    Sabotage(
        name="what-a-bot-heard-it-hears-again",
        hurts="one press is answered twice, and a code that linked is said to be wrong",
        file="gateway/store/presence/chats.py",
        old="WHERE r.next_update <= $2 OR r.read_at <= $4 RETURNING true",
        new="RETURNING true",
        tests=(f"{_BOT}::test_a_second_press_and_a_repeated_update_change_nothing",),
    ),
    Sabotage(
        name="the-question-is-sent-after-its-time",
        hurts="employees are asked what is settled already",
        file="gateway/store/presence/chats.py",
        old="        AND a.answer_by > $1 AND p.mark = 'asked'\n",
        new="",
        tests=(f"{_BOT}::test_a_question_is_not_sent_once_it_is_settled_or_its_time_is_over",),
    ),
    Sabotage(
        name="a-token-opens-pages-in-the-name-of-others",
        hurts="whoever holds one employee's token answers, calls back and looks as another",
        file="gateway/admin/protection/grants.py",
        old="    if own is not None and bound.employee != own:",
        new="    if own is not None and bound.employee is None:",
        tests=(
            "tests/integration/api/test_frames_in_a_name.py::test_one_employee_opens_nothing_in_the_name_of_another",
        ),
    ),
)
