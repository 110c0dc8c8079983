"""What people read on the pages, by key, in Russian and English: a folder for each room. Data only."""
