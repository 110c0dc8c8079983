"""What keeps secrets and personal data safe, as a person orders it."""
