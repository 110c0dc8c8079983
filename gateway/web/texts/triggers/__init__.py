"""What people read of the pages' room "triggers", by key, in Russian and English."""
