"""One connected CRM account: its client, its lease, its webhooks and the log of its exchanges."""
