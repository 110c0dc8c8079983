"""What people read of the pages' room "kit", by key, in Russian and English."""
