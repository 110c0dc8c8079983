"""How processes report, so that every other process can show it: the names of reports, and when one is too old."""

from __future__ import annotations

PREFIX = "worker:"
GATEWAY_PREFIX = "gateway:"
INSTALLATION = ""
"""Stands for the account in reports that are of no account."""

SILENT_SECONDS = 15.0
"""A report older than this is of a process that is gone or stuck."""
