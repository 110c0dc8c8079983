"""What the first use needs besides: people proposed from the users of the CRM."""
