"""How moments, numbers, money and phones are written, in Russian and English."""
