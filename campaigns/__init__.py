"""Outbound campaigns: what one is, how it runs and ends, lists of members, topics of calls, and engines that dial. Imports routing only."""
