"""Messengers under faults: doubles of three of them, clients who write in them, employees who answer, and an outage of three days."""
