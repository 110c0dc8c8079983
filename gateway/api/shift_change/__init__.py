"""What the API shows and takes of shift change."""
