"""Webhooks of the imitated CRM: registered, composed, delivered."""
