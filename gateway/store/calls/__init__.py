"""SQL of calls and missed-call cases."""
