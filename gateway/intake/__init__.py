"""What PBXs push is stored before it is acknowledged. Nothing is decided here."""
