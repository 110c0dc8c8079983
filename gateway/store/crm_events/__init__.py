"""Rows of CRM events: who still has to work on them, and what had to be set aside."""
