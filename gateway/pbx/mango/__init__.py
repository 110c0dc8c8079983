"""MANGO OFFICE VPBX API v1.9: signed notifications, commands, extended statistics, employees."""
