"""What becomes of one client's calls: the one function that live calls, dry runs, replays, configuration tests and the
simulation run. Values in, values out; whoever calls it looks up what is needed and carries out what comes back."""
