"""What people read of dialogues in messengers, by key, in Russian and English."""
