"""What people read of the pages' room "messages", by key, in Russian and English."""
