"""What an Asterisk tells of its phones: who talks, and whose phone is shut."""
