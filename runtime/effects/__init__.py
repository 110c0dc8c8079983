"""What is carried out once, in whatever system: rows of `effect`, each of one system and taken up by its executor only.

No order, client or vendor is known here. Intent is committed before a request, the outcome after it; an outcome that
nobody knows is looked into before anything is sent again.
"""
