"""Calls and missed-call cases, as resources."""
