"""What people read of the pages' room "sign_in", by key, in Russian and English."""
