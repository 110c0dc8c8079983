"""Dialogues show in the CRM's own chats once, to the right client, and nobody else writes from there."""

from __future__ import annotations

from tests.sabotage.sabotage import Sabotage

_SHOWING = "tests/integration/crm_chats/test_showing.py"
_WRITTEN = "tests/integration/crm_chats/test_written_in_cards.py"

ROWS = (
    Sabotage(
        name="a-chat-is-bound-to-nobody",
        hurts="each client who writes stands in Unsorted a second time",
        file="gateway/crm_chats/showing.py",
        old="        if chat.contact_id != contact.id:\n",
        new="        if False:\n",
        tests=(f"{_SHOWING}::test_messages_show_in_their_order_in_the_card_of_the_clients_contact",),
    ),
    Sabotage(
        name="a-message-comes-before-its-deal",
        hurts="each new client stands in Unsorted beside the deal that is just being made",
        file="gateway/crm_chats/showing.py",
        old="        is_held_up = not _has_place(of)\n",
        new="        is_held_up = False\n",
        tests=(f"{_SHOWING}::test_nothing_shows_before_contact_and_deal_stand_in_the_crm",),
    ),
    Sabotage(
        name="what-stands-there-counts-as-refused",
        hurts="a message whose answer was lost is told as one that could not be shown",
        file="gateway/crm_chats/showing.py",
        old="            if there is None:\n",
        new="            if there is not None:\n",
        tests=(f"{_SHOWING}::test_an_answer_that_got_lost_leaves_one_message",),
    ),
    Sabotage(
        name="a-closed-deal-rings",
        hurts="a word that comes after the deal was closed makes a request besides the new deal",
        file="gateway/crm_chats/showing.py",
        old="        return found is None or found.is_open\n",
        new="        return True\n",
        tests=(f"{_SHOWING}::test_a_closed_deal_rings_nobody_into_unsorted",),
    ),
    Sabotage(
        name="hooks-of-cards-are-not-judged",
        hurts="whoever learns the address writes to clients in an employee's name",
        file="gateway/crm_chats/door.py",
        old="if one.secret and is_genuine(one.secret, body, signature)",
        new="if one.secret",
        tests=(f"{_WRITTEN}::test_only_what_is_signed_is_taken",),
    ),
)
