"""What people read of SMS and of messenger channels, by key, in Russian and English: states, reasons, doubts, and the macros of templates."""
