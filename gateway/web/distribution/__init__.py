"""Distribution: templates, results, what waits, shift changes."""
