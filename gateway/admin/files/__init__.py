"""The files in which people write a configuration, read and written."""
