"""Short messages to people who look after the installation: by e-mail and Telegram, and plainly why one did not go out."""
