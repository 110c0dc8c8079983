"""Messenger channels and dialogues as the API shows them."""
