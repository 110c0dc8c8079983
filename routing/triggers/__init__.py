"""Triggers: what happens to a deal starts one action, where the deal stands in the right place and meets the conditions."""
