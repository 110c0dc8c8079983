"""What people read of campaigns, by key, in Russian and English: states, reasons, and what is wrong with rows of lists."""
