"""What people read of the pages' room "users", by key, in Russian and English."""
