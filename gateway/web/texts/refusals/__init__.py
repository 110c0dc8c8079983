"""Sentences of what was refused, by the code of the refusal."""
