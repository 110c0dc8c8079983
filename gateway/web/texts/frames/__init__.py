"""What people read of the pages' room "frames", by key, in Russian and English."""
