"""Triggers at work: a cause becomes a firing, the deal is read from the CRM, and what fires is put into the queue."""
