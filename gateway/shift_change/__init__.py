"""Shift change: runs that give a person's open deals to those left, and back: listed, ordered piece by piece, settled."""
