"""Concrete CRM writes, each at most once: ordered in a decision's transaction, carried out by the writer, verified after
doubt, put on the dead-letter desk where they cannot succeed. SQL stands in `store/`.
"""
