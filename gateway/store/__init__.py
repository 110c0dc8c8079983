"""SQL of the routing configuration, of calls and of decisions. Nothing here decides; rows go in and values come out."""
