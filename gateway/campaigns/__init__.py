"""Campaigns at work: planned ones begin, numbers of triggers come in, whose turn it is stands before the dialler, ended ones end."""
