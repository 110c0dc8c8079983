"""The matrix with more than one hand at it: drafts of several people put together, and versions on trial."""
