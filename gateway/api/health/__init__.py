"""The state of the installation, as a resource."""
