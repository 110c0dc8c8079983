"""SQL of messenger channels: channels, what they told, dialogues and their messages."""
