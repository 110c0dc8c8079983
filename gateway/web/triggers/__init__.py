"""Triggers by pipeline and stage."""
