"""SMS.RU: it knows no id of ours, and says "OK" outside of what may be a refusal inside."""
