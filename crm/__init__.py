"""The CRM side: our copy of who owns which number, the budget of requests, and the effects we write.

`port.py` says in our own words what we need of any CRM; `amocrm/` implements it; `sandbox/` is an amoCRM-compatible
server to develop, demonstrate and test against. SQL stands only in `store.py`. Nothing of PBXs or HTTP handlers.
"""
