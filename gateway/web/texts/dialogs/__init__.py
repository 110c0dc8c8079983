"""What people read of the pages' room "dialogs", by key, in Russian and English."""
