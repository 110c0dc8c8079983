"""amoCRM behind `crm/port.py`. Bytes become values in `wire*.py` and `webhooks.py` (no I/O, their codes in `tables.py`);
`client.py` pays, authorises and retries; `reads.py` and `writes.py` do what `adapter.py` promises; `tokens.py` keeps the
authorisation. Nothing outside this folder knows amoCRM's words, and nothing in it knows the sandbox that imitates it.
"""
