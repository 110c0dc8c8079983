"""Dialogues in messengers: what a message makes in the CRM, whose a dialogue is, who sees it, and what may be sent."""
