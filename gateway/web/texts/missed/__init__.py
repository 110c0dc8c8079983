"""What people read of the pages' room "missed", by key, in Russian and English."""
