"""Schedules and the account's calendar as a person keeps them: saved, removed, looked at."""
