"""What people read of what goes out, by key, in Russian and English."""
