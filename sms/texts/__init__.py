"""What people read of SMS, by key, in Russian and English: states, reasons, doubts, and the macros of templates."""
