"""Calls that FreeSWITCH makes at our order."""
