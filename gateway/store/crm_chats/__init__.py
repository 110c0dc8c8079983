"""Rows of dialogues in the CRM's own chats."""
