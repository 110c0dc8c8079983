"""SMS Aero, API v2: each message names the address at which it is reported."""
