"""What people read of the pages' room "matrix", by key, in Russian and English."""
