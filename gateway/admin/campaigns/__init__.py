"""Campaigns as people order them: made, changed, started, paused, ended, and who is in them."""
