"""Which actions of triggers somebody carries out: a trigger with another one cannot be switched on."""

from __future__ import annotations

CARRIED: frozenset[str] = frozenset(("callback", "campaign", "sms"))
"""`do` of the actions; whoever builds a carrier adds its own."""
