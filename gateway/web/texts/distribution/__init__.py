"""What people read of the pages' room "distribution", by key, in Russian and English."""
