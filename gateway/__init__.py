"""The processes: HTTP for PBXs, the CRM and admins, the worker, the command line, and the one place that wires (app.py)."""
