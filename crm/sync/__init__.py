"""Keeps an account's rows of the directory in step with its CRM: first load, polls, webhooks, the feed of events.

Reads only: nothing here changes the CRM.
"""
