"""Leads, contacts, companies and Unsorted, as the imitated API reads and writes them."""
