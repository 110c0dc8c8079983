"""amoCRM's own chats (amojo): a messenger's dialogues as they show in the card. A host, signatures and limits of their own."""
