"""What people read of the pages' room "shifts", by key, in Russian and English."""
