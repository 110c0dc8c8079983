"""Ringostat: event webhooks, the "Webhook number" question before the answer, the call log for backfill."""
