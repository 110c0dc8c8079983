"""Messengers as local servers, each with the faults that its vendor plays."""
