"""Who is responsible for a caller: the walk while the phone rings, and the closed set of its reasons."""
