"""Who is here, and who works when."""
