"""What people read of the pages' room "channels", by key, in Russian and English."""
