"""What people read of the pages' room "now", by key, in Russian and English."""
