"""What a bot of MAX is told, and what is taken for what."""

from __future__ import annotations

from tests.sabotage.sabotage import Sabotage

_WIRE = "tests/unit/sms/channels/test_max_wire.py"
_BESIDE = "tests/integration/channels/test_max_beside.py"
_MAX = "tests/integration/channels/test_max.py"

ROWS = (
    Sabotage(
        name="maxs-webhook-is-not-judged",
        hurts="whoever learns the address writes in the clients' names",
        file="sms/channels/max/adapter.py",
        old="        return hmac.compare_digest(given, secret_of(channel).encode())",
        new="        return hmac.compare_digest(given, given)",
        tests=(f"{_WIRE}::test_case_47_a_webhook_is_known_by_the_secret_in_its_header",),
    ),
    Sabotage(
        name="anybodys-card-is-the-clients",
        hurts="who sends a card of somebody else is taken for them, and reads and writes in their deal",
        file="sms/channels/max/content.py",
        old='if text_in(told, "type") == "contact" and _is_signed(card, token):',
        new='if text_in(told, "type") == "contact":',
        tests=(f"{_BESIDE}::test_the_number_that_max_has_signed_is_the_clients_and_no_other_card_is",),
    ),
    Sabotage(
        name="a-dropped-subscription-stays-dropped",
        hurts="after eight hours of an outage MAX tells nothing any more, and nobody sees that",
        file="sms/channels/max/adapter.py",
        old="        if address not in there or not self._is_subscribed:",
        new="        if not self._is_subscribed:",
        tests=(
            f"{_MAX}::test_a_subscription_that_max_has_dropped_is_made_again_and_one_that_stands_is_left",
        ),
    ),
    Sabotage(
        name="a-found-message-is-anothers",
        hurts="an answer that never went out is shown as sent, since another one reads the same",
        file="gateway/channels/sender.py",
        old="            if is_found and await _is_of_another(conn, held, outcome):",
        new="            if held is message:",
        tests=(
            f"{_BESIDE}::test_case_45_of_two_equal_answers_the_lost_one_is_found_once_and_never_takes_the_others_id",
        ),
    ),
    Sabotage(
        name="a-removed-channel-is-told-of",
        hurts="what clients write in a channel that was removed goes on being sent here",
        file="gateway/channels/work.py",
        old="            if is_whole and all(other.id != saved.id for other in self._saved.values()):",
        new="            if is_whole and not self._saved:",
        tests=(f"{_BESIDE}::test_a_client_writes_and_is_answered_and_the_address_goes_with_the_channel",),
    ),
)
