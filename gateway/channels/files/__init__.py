"""Files of dialogues: brought here, given out to those who may see them, and to messengers that are to send them."""
