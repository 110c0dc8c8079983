"""What people read of the pages' room "help", by key, in Russian and English."""
