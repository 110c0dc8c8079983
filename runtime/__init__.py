"""What every long-running part needs, whatever it does: database connections, leases, vendor HTTP, loops, logs, metrics.

Knows no call, no client and no CRM, and imports none of our other packages.
"""
