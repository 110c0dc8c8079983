"""Dialogues with clients in messengers: the list, one of them, an answer, and who is told of what is new."""
