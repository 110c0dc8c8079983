"""Rows of amoCRM's lists: each read by itself, so that one that makes no sense costs itself only."""
