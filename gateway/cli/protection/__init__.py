"""Commands about secrets, changes and personal data."""
