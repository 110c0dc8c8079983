"""What people read of the pages' room "narrow", by key, in Russian and English."""
