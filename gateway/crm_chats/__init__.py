"""Dialogues of messengers in the CRM's own chats: what was said shows in the card, and what is written there goes to the client."""
