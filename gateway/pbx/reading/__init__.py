"""How what PBXs write is read, whoever wrote it: text in whatever bytes, spoilt fields, addresses of phones, causes.

No vendor's words here, and nothing that knows of requests or connections' secrets."""
