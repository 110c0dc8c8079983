"""How what PBXs write is read, whoever wrote it: forms and JSON, text in whatever bytes, addresses of phones, causes.

No vendor's words here, and nothing that knows of connections and their secrets."""
