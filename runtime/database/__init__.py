"""Connections to PostgreSQL: the pool, what listens, what holds a lease, and the errors that may pass by themselves.

No table of ours is named here.
"""
