"""The surface for tests and demonstrations under /_sandbox/: no part of the imitated API."""
