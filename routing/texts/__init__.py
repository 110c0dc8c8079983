"""What people read, by key, in Russian and English: the catalogues of routing and the values that point into them.

Decisions carry codes and values; the sentence is made at the edge, in the account's language. Data and pure functions only.
"""
