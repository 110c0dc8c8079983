"""A text goes out once, to whom it should, and nobody is told that it arrived when it did not."""

from __future__ import annotations

from tests.sabotage.sabotage import Sabotage

_PROVIDERS = "tests/integration/sms/test_http_providers.py"
_EACH = "tests/integration/sms/test_each_provider.py"
_PAGES = "tests/integration/web/test_setup_sms.py"
_SMPP = "tests/integration/sms/test_smpp.py"
_PROGRESS = "tests/unit/sms/test_progress.py"

ROWS = (
    Sabotage(
        name="sms-without-answer-is-refused",
        hurts="a text whose answer was lost goes out a second time",
        file="sms/providers/asking.py",
        old="            if err.was_sent:\n",
        new="            if False:\n",
        tests=(
            f"{_PROVIDERS}::test_a_message_that_may_have_gone_out_is_unknown_and_asked_for_once",
            "tests/integration/sms/test_hundred_messages.py::test_a_hundred_messages_end_in_one_state_each_and_none_goes_out_twice",
        ),
    ),
    Sabotage(
        name="sms-on-kept-connections",
        hurts="texts that were never read by the provider count as unknown and are not sent",
        file="sms/providers/asking.py",
        old='"Connection": "close", ',
        new="",
        tests=(f"{_PROVIDERS}::test_each_request_has_a_connection_of_its_own",),
    ),
    Sabotage(
        name="sms-inner-errors-of-smsru",
        hurts="a text that SMS.RU refused inside of an OK counts as sent",
        file="sms/providers/smsru/wire.py",
        old="    if code != _TAKEN:\n        return _refusal(code, inner)\n",
        new="",
        tests=("tests/unit/sms/test_wires.py::test_an_answer_means",),
    ),
    Sabotage(
        name="sms-reports-of-anybody",
        hurts="a stranger who knows the address says that texts were delivered",
        file="sms/providers/smsc/wire.py",
        old="return hmac.compare_digest(shown.lower().encode(), expected.encode())",
        new="return True",
        tests=(f"{_EACH}::test_smsc_reports_are_believed_with_the_right_signature_only",),
    ),
    Sabotage(
        name="sms-final-state-changes",
        hurts="a long text whose parts all arrived counts as not delivered after a late report",
        file="sms/progress.py",
        old="    if old.state in SETTLED_STATES:\n        return old\n",
        new="",
        tests=(f"{_PROGRESS}::test_a_part_that_was_delivered_stays_so_while_another_is_waited_for",),
    ),
    Sabotage(
        name="sms-delivered-by-one-part",
        hurts="a long text of which one part arrived counts as delivered",
        file="sms/progress.py",
        old="if len(states) >= progress.reports_due and FINAL_STATES.issuperset(states):",
        new="if states and FINAL_STATES.issuperset(states):",
        tests=(f"{_PROGRESS}::test_a_report_before_the_answer_is_that_of_one_part_only",),
    ),
    Sabotage(
        name="smpp-first-part-goes-out-again",
        hurts="of a long text the client gets the first part twice",
        file="sms/providers/smpp/adapter.py",
        old="pauses = _PART_PAUSES.get(refusal.reason, ()) if ids else ()",
        new="pauses = ()",
        tests=(f"{_SMPP}::test_a_later_part_that_is_throttled_is_tried_again_by_itself",),
    ),
    Sabotage(
        name="smpp-open-window-is-sent-again",
        hurts="texts that were on their way when the link broke go out a second time",
        file="sms/providers/smpp/adapter.py",
        old="            if not err.was_written and not ids:\n",
        new="            if not ids:\n",
        tests=(f"{_SMPP}::test_a_link_that_is_cut_with_an_open_window_leaves_all_of_it_unknown",),
    ),
    Sabotage(
        name="smpp-receipts-are-answered-unkept",
        hurts="while the database is away, deliveries and what clients write are lost",
        file="sms/providers/smpp/link.py",
        old='            log.warning("smpp-delivery-not-kept", error=f"{type(err).__name__}: {err}")\n            return False\n',
        new='            log.warning("smpp-delivery-not-kept", error=f"{type(err).__name__}: {err}")\n',
        tests=(f"{_SMPP}::test_what_cannot_be_kept_is_not_answered_until_it_is",),
    ),
    Sabotage(
        name="sms-one-number-twice",
        hurts="who is responsible and chosen as well gets every text twice",
        file="sms/recipients.py",
        old="elif one.number in chosen:",
        new="elif False:",
        tests=("tests/unit/sms/test_recipients.py::test_two_with_one_number_get_one_text",),
    ),
    Sabotage(
        name="sms-emoji-torn",
        hurts="an emoji at the border of two parts arrives as two signs of nothing",
        file="sms/segments.py",
        old="return 2 if ord(character) > 0xFFFF else 1",
        new="return 1",
        tests=("tests/unit/sms/test_segments.py::test_a_text_is_parted_as_the_phone_counts",),
    ),
    Sabotage(
        name="smpp-link-says-nothing",
        hurts="a provider that nobody reaches reads as working",
        file="sms/providers/smpp/adapter.py",
        old="                await self._tell(self._why_down(err))\n",
        new="",
        tests=(f"{_SMPP}::test_how_the_link_fares_is_told_when_it_changes_and_only_then",),
    ),
    Sabotage(
        name="sms-key-elsewhere-is-still-connected",
        hurts="a provider with another key reads as working before anybody has tried it",
        file="gateway/admin/sms/connections.py",
        old="            await forget_link(conn, account_id, name)\n",
        new="            pass\n",
        tests=(f"{_PAGES}::test_a_provider_works_only_by_what_was_heard_of_it_last",),
    ),
    Sabotage(
        name="sms-of-a-removed-provider-unseen",
        hurts="texts wait for a provider that is gone, and nobody is told",
        file="gateway/store/sms/standing.py",
        old="sorted({*waiting, *saved})",
        new="sorted(saved)",
        tests=(
            "tests/integration/web/test_sent_texts.py::test_a_text_that_waits_for_a_removed_provider_waits_for_somebody",
        ),
    ),
)
