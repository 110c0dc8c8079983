"""What people read of the pages' room "setup", by key, in Russian and English."""
