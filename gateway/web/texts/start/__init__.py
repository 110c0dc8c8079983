"""What people read of the pages' room "start", by key, in Russian and English."""
