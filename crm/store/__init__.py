"""SQL of the CRM side: the directory's rows, what the CRM told of itself, and where each feed stands.

Every function takes a connection and works inside the caller's transaction; none opens or commits one.
"""
