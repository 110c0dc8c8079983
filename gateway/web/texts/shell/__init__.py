"""What people read of the pages' room "shell", by key, in Russian and English."""
