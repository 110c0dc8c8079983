"""`make bench`: figures against their targets, as ratios within one run. Never part of the tests."""
