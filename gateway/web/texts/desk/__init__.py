"""What people read of the pages' room "desk", by key, in Russian and English."""
