"""Missed calls: who is to be called back."""
