"""A provider that sends nothing: for demonstrations and tests."""
