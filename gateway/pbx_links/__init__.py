"""Running links to PBXs: listeners, commands, reconciliation. What a vendor's bytes mean stands in `gateway/pbx`."""
