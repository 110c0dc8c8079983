"""The JSON admin API under /api/v1, described at /api/openapi.json.

One module per resource: it declares its `ROUTES`, each with its models, role and errors; `app.py` serves them and
`openapi.py` describes them, so that what is served and what is described cannot differ.
"""
