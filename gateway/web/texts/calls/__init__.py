"""What people read of the pages' room "calls", by key, in Russian and English."""
